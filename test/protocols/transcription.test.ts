import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { parseChutesTranscript } from '../../src/protocols/chutes-transcript.ts';
import { languageName } from '../../src/protocols/language-names.ts';
import type { Cue } from '../../src/protocols/subtitles.ts';
import { renderTranscript, requireSegmentFormat } from '../../src/protocols/transcription.ts';
import { parseSrt, parseVtt } from './subtitle-parser.ts';

interface Shape {
  readonly what: string;
  readonly answer: unknown;
  readonly contentType?: string;
  readonly text: string;
  readonly segments: readonly (readonly [start: number, end: number, text: string])[] | null;
  /** The length of the audio, or of the single cue for a response without times. */
  readonly duration?: number;
}

const SEGMENTS = [
  { start: 0.0, end: 4.94, text: ' First words' },
  { start: 4.94, end: 9.1, text: ' next' },
];
const STAMPED = SEGMENTS.map(({ start, end, text }) => ({ timestamp: [start, end], text }));
const TIMED = SEGMENTS.map(({ start, end, text }) => [start, end, text] as const);
const usual = { text: 'First words next', segments: TIMED };
const untimed = { text: 'First words next', segments: null };

const SHAPES: readonly Shape[] = [
  { what: 'a list of segments', answer: SEGMENTS, ...usual },
  { what: 'a list with timestamps', answer: STAMPED, ...usual },
  { what: 'segments in an object', answer: { segments: SEGMENTS }, ...usual },
  {
    what: 'chunks in an object with a text',
    answer: { text: ' First words next', chunks: STAMPED },
    ...usual,
  },
  { what: 'results in an object', answer: { results: SEGMENTS }, ...usual },
  { what: 'an object in a list', answer: [{ segments: SEGMENTS }], ...usual },
  { what: 'segments in a result', answer: { result: { segments: SEGMENTS } }, ...usual },
  { what: 'segments in an output list', answer: { output: SEGMENTS, text: null }, ...usual },
  {
    what: 'times as strings',
    answer: [
      { start: '0', end: '4.94', text: ' First words' },
      { start: '4.94', end: '9.1', text: ' next' },
    ],
    ...usual,
  },
  { what: 'text', answer: { text: ' First words next ' }, ...untimed },
  { what: 'transcription', answer: { transcription: 'First words next' }, ...untimed },
  { what: 'transcript', answer: { transcript: 'First words next' }, ...untimed },
  { what: 'output', answer: { output: 'First words next' }, ...untimed },
  { what: 'result', answer: { result: 'First words next' }, ...untimed },
  { what: 'a text in a result', answer: { result: { text: 'First words next' } }, ...untimed },
  { what: 'segments without times', answer: [{ text: 'First words' }, { text: 'next' }], ...untimed },
  { what: 'a list of texts', answer: ['First words', '', 'next'], ...untimed },
  { what: 'a JSON string', answer: 'First words next', ...untimed },
  { what: 'plain text', answer: Buffer.from('First words next\n'), contentType: 'text/plain', ...untimed },
  {
    what: 'plain text without a type',
    answer: Buffer.from('[Music] la la'),
    text: '[Music] la la',
    segments: null,
  },
  {
    what: 'plain text that is a number',
    answer: Buffer.from('42'),
    contentType: 'text/plain',
    text: '42',
    segments: null,
  },
  {
    what: 'a JSON string under another label',
    answer: Buffer.from('"a"'),
    contentType: 'text/plain',
    text: 'a',
    segments: null,
  },
  { what: 'a byte order mark', answer: Buffer.from('\ufeff{"text":"a"}'), text: 'a', segments: null },
  {
    what: 'a stated duration and language',
    answer: { text: 'a', duration: 7.5, language: 'de' },
    text: 'a',
    segments: null,
    duration: 7.5,
  },
  { what: 'an empty list', answer: [], text: '', segments: [] },
  { what: 'an empty text', answer: { text: '' }, text: '', segments: null },
  {
    what: 'texts without spaces',
    answer: [
      { start: 0, end: 1, text: 'a' },
      { start: 1, end: 2, text: 'b' },
    ],
    text: 'a b',
    segments: [
      [0, 1, 'a'],
      [1, 2, 'b'],
    ],
  },
  {
    what: 'an end that copies the start',
    answer: [
      { start: 0, end: 0, text: ' a' },
      { start: 3, end: 3, text: ' b' },
    ],
    text: 'a b',
    segments: [
      [0, 3, ' a'],
      [3, 3.5, ' b'],
    ],
  },
  {
    what: 'a last end that is null',
    answer: [
      { timestamp: [0, 2], text: ' a' },
      { timestamp: [2, null], text: ' thirty letters of spoken words' },
    ],
    text: 'a thirty letters of spoken words',
    segments: [
      [0, 2, ' a'],
      [2, 4, ' thirty letters of spoken words'],
    ],
  },
  {
    what: 'no ends',
    answer: [
      { start: 1, text: ' a' },
      { start: 1, text: ' b' },
      { start: 2.25, text: ' c' },
    ],
    text: 'a b c',
    segments: [
      [1, 2.25, ' a'],
      [1, 2.25, ' b'],
      [2.25, 2.75, ' c'],
    ],
  },
  {
    what: 'no starts',
    answer: [
      { end: 2, text: ' a' },
      { end: 3, text: ' b' },
    ],
    text: 'a b',
    segments: [
      [0, 2, ' a'],
      [2, 3, ' b'],
    ],
  },
  {
    what: 'times that fall or are below zero',
    answer: [
      { start: -1, end: 5, text: ' a' },
      { start: 3, end: 4, text: ' b' },
      { start: 1, end: 2, text: ' c' },
    ],
    text: 'a b c',
    segments: [
      [0, 5, ' a'],
      [3, 5, ' b'],
      [3, 5, ' c'],
    ],
  },
  {
    what: 'times that are no numbers',
    answer: '[{"start":1e999,"end":{},"text":" a"},{"start":2,"end":1e300,"text":" b"}]',
    text: 'a b',
    segments: [
      [0, 2, ' a'],
      [2, 359_999.999, ' b'],
    ],
  },
  {
    what: 'a segment without a text',
    answer: [
      { start: 0, end: 1, text: ' a' },
      { start: 1, end: 2, text: null },
    ],
    text: 'a',
    segments: [
      [0, 1, ' a'],
      [1, 2, ''],
    ],
  },
];

function bytesOf({ what, answer }: Shape): Buffer {
  if (Buffer.isBuffer(answer)) return answer;
  return Buffer.from(what === 'times that are no numbers' ? String(answer) : JSON.stringify(answer));
}

function cuesOf(shape: Shape): Cue[] | null {
  return shape.segments?.map(([start, end, text]) => ({ start, end, text })) ?? null;
}

describe('parseChutesTranscript()', () => {
  for (const shape of SHAPES) {
    it(`reads ${shape.what}`, () => {
      const transcript = parseChutesTranscript(bytesOf(shape), shape.contentType);
      assert.equal(transcript.text, shape.text);
      assert.deepEqual(transcript.segments, cuesOf(shape));
      const last = shape.segments?.at(-1)?.[1];
      assert.equal(transcript.duration, shape.duration ?? last ?? (shape.segments === null ? null : 0));
    });
  }

  const refused: [string, string | Buffer, string?][] = [
    ['an error', '{"error":"boom"}'],
    ['an error beside an empty text', '{"error":"boom","text":""}'],
    ['an error beside an empty list', '{"detail":"boom","segments":[]}'],
    ['a detail', '{"detail":[{"msg":"boom"}]}'],
    ['an error in a result', '{"result":{"error":"boom"}}'],
    ['an empty object', '{}'],
    ['null', 'null'],
    ['a number', '42'],
    ['a list of other things', '[{"start":0,"end":1},7]'],
    ['JSON that was cut off', '[{"start":0,"end":1,"te'],
    ['a page', '<html>Bad gateway</html>'],
    ['a page with a type', 'Bad gateway', 'text/html'],
    ['nothing', ''],
    ['white space', ' \n'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['depth', `${'{"result":'.repeat(5000)}"x"${'}'.repeat(5000)}`],
    ['depth in lists', `${'['.repeat(5000)}"x"${']'.repeat(5000)}`],
  ];
  for (const [what, body, contentType] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () =>
          parseChutesTranscript(
            Buffer.from(body),
            contentType ?? (body === '42' || body === 'null' ? undefined : 'application/json'),
          ),
        (error) =>
          error instanceof HttpError &&
          error.error.code === 'upstream_invalid_response' &&
          error.status === 502,
      );
    });
  }
});

describe('renderTranscript()', () => {
  for (const shape of SHAPES) {
    const transcript = parseChutesTranscript(bytesOf(shape), shape.contentType);
    const render = (format: Parameters<typeof renderTranscript>[1]): { type: string; body: string } => {
      const { contentType, body } = renderTranscript(transcript, format, {
        task: 'transcribe',
        language: 'en',
      });
      return { type: contentType, body: body.toString() };
    };
    const cues = (
      cuesOf(shape) ?? [
        {
          start: 0,
          end: shape.duration ?? Math.max(0.5, Math.round((shape.text.length / 15) * 1000) / 1000),
          text: shape.text,
        },
      ]
    )
      .filter((cue) => cue.text.trim() !== '')
      .map((cue) => ({
        startMs: Math.round(cue.start * 1000),
        endMs: Math.round(cue.end * 1000),
        text: cue.text.trim(),
      }));

    it(`writes json of ${shape.what}`, () => {
      assert.deepEqual(render('json'), {
        type: 'application/json',
        body: JSON.stringify({ text: shape.text }),
      });
    });
    it(`writes text of ${shape.what}`, () => {
      assert.deepEqual(render('text'), { type: 'text/plain; charset=utf-8', body: `${shape.text}\n` });
    });
    it(`writes srt of ${shape.what}`, () => {
      const { type, body } = render('srt');
      assert.equal(type, 'text/plain; charset=utf-8');
      assert.deepEqual(parseSrt(body), cues);
    });
    it(`writes vtt of ${shape.what}`, () => {
      const { type, body } = render('vtt');
      assert.equal(type, 'text/plain; charset=utf-8');
      assert.deepEqual(parseVtt(body), cues);
    });
    it(`writes verbose_json of ${shape.what}`, () => {
      const { type, body } = render('verbose_json');
      assert.equal(type, 'application/json');
      const { segments, ...rest } = JSON.parse(body);
      const duration = shape.duration ?? shape.segments?.at(-1)?.[1] ?? 0;
      assert.deepEqual(rest, {
        task: 'transcribe',
        language: 'english',
        duration,
        text: shape.text,
        usage: { type: 'duration', seconds: Math.ceil(duration) },
      });
      assert.deepEqual(
        segments,
        (shape.segments ?? []).map(([start, end, text], id) => ({
          id,
          seek: 0,
          start,
          end,
          text,
          tokens: [],
          temperature: 0,
          avg_logprob: 0,
          compression_ratio: 1,
          no_speech_prob: 0,
        })),
      );
    });
  }

  it('names the task and the language', () => {
    const languageOf = (asked: string | null, answered: string | null): unknown => {
      const transcript = { text: 'a', segments: null, duration: null, language: answered };
      const { body } = renderTranscript(transcript, 'verbose_json', { task: 'translate', language: asked });
      const { task, language } = JSON.parse(body.toString());
      assert.equal(task, 'translate');
      return language;
    };
    assert.equal(languageOf('es', 'de'), 'spanish');
    assert.equal(languageOf(null, 'de'), 'german');
    assert.equal(languageOf('xx', null), 'unknown');
    assert.equal(languageOf(null, null), 'unknown');
  });
});

describe('languageName()', () => {
  for (const [given, name] of [
    ['en', 'english'],
    ['EN', 'english'],
    ['pt-BR', 'portuguese'],
    ['zh_CN', 'chinese'],
    ['English', 'english'],
    ['haitian creole', 'haitian creole'],
    ['yue', 'cantonese'],
    ['xx', null],
    ['', null],
    ['__proto__', null],
  ] as const) {
    it(`returns ${name} for ${given}`, () => assert.equal(languageName(given), name));
  }
});

describe('requireSegmentFormat()', () => {
  it('accepts formats that segments can be converted to', () => {
    for (const responseFormat of ['json', 'text', 'srt', 'verbose_json', 'vtt']) {
      assert.equal(
        requireSegmentFormat({ responseFormat, granularities: new Set(['segment']) }),
        responseFormat,
      );
    }
  });

  it('refuses word timestamps and speakers', () => {
    const refused = (param: string) => (error: unknown) =>
      error instanceof HttpError &&
      error.error.code === 'unsupported_parameter' &&
      error.error.param === param;
    const words = { responseFormat: 'verbose_json', granularities: new Set(['word']) };
    assert.throws(() => requireSegmentFormat(words), refused('timestamp_granularities'));
    const speakers = { responseFormat: 'diarized_json', granularities: new Set<string>() };
    assert.throws(() => requireSegmentFormat(speakers), refused('response_format'));
  });
});
