import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import type { ProviderOptions } from '../../src/store/entities.ts';
import { json } from '../helpers/fake-upstream.ts';
import { errorOf } from '../helpers/picture-server.ts';
import type { FormPart } from '../helpers/pictures.ts';
import {
  fileOf,
  postAudio,
  SPEECH_KEYS,
  type SpeechUnderTest,
  speechOf,
  startSpeech,
} from '../helpers/speech-server.ts';
import { expectStatus } from '../helpers/start-app.ts';

const MODEL: FormPart = ['model', 'chutes-whisper'];
const SPEECH = speechOf(200_000);
const BASE64 = SPEECH.toString('base64');
const FILE = fileOf(SPEECH);

/** As `startSpeech`, with other options or another path at the provider. */
async function startChutes(
  t: TestContext,
  { options = {}, path = '/v1' }: { options?: ProviderOptions; path?: string },
): Promise<SpeechUnderTest> {
  const speech = await startSpeech(t);
  const baseUrl = `${speech.chutes.origin}${path}`;
  await speech.app.addProvider({ id: 'chutes', baseUrl, type: 'chutes', options }, []);
  return speech;
}

describe('audio for Chutes', { timeout: 30_000 }, () => {
  for (const [order, parts] of [
    ['the file first', [FILE, MODEL, ['prompt', 'x'], ['temperature', '0']]],
    ['the model first', [MODEL, ['prompt', 'x'], FILE, ['temperature', '0']]],
  ] as const) {
    test(`is one JSON object of base64 and nothing else: ${order}`, async (t) => {
      const { app, chutes, upstream } = await startSpeech(t);
      const answer = await postAudio(app, parts);
      assert.equal(answer.headers.get('x-ipin-provider'), 'chutes');
      assert.deepEqual(await expectStatus(200, answer), { text: 'First words next' });
      const [request, ...others] = chutes.received;
      assert.deepEqual([request?.method, request?.url], ['POST', '/transcribe']);
      assert.equal(request?.headers['content-type'], 'application/json');
      assert.equal(request?.headers.authorization, `Bearer ${SPEECH_KEYS.chutes}`);
      assert.equal(request?.body.toString(), `{"audio_b64":"${BASE64}"}`);
      assert.equal(others.length + upstream.received.length, 0);
    });
  }

  test('is encoded right whatever its length', async (t) => {
    const { app, chutes } = await startSpeech(t);
    for (const length of [16, 17, 18, 49_151, 49_152, 49_153, 65_535, 65_536, 65_537, 1_000_000]) {
      const bytes = speechOf(length);
      await expectStatus(200, await postAudio(app, [MODEL, fileOf(bytes)]));
      assert.ok(
        chutes.received.at(-1)?.body.equals(Buffer.from(`{"audio_b64":"${bytes.toString('base64')}"}`)),
      );
    }
  });

  test('has no language, which would be an order to translate, but for translations', async (t) => {
    const { app, chutes } = await startSpeech(t);
    const parts: FormPart[] = [FILE, MODEL, ['language', 'es'], ['response_format', 'verbose_json']];
    const heard = await expectStatus(200, await postAudio(app, parts));
    assert.ok(isRecord(heard));
    assert.deepEqual([heard['task'], heard['language']], ['transcribe', 'spanish']);
    assert.equal(chutes.received[0]?.body.toString(), `{"audio_b64":"${BASE64}"}`);
    const translated = await expectStatus(200, await postAudio(app, parts, { path: 'audio/translations' }));
    assert.ok(isRecord(translated));
    assert.deepEqual([translated['task'], translated['language']], ['translate', 'english']);
    assert.equal(chutes.received[1]?.body.toString(), `{"audio_b64":"${BASE64}","language":"en"}`);
  });

  test('has it with the option chutesLanguageHint, wherever it stands in the form', async (t) => {
    const { app, chutes } = await startChutes(t, { options: { chutesLanguageHint: true } });
    for (const parts of [
      [['language', 'es'], MODEL, FILE],
      [MODEL, FILE, ['language', 'es']],
    ] as const) {
      await expectStatus(200, await postAudio(app, parts));
      assert.equal(chutes.received.at(-1)?.body.toString(), `{"audio_b64":"${BASE64}","language":"es"}`);
    }
    await expectStatus(200, await postAudio(app, [MODEL, FILE]));
    assert.equal(chutes.received.at(-1)?.body.toString(), `{"audio_b64":"${BASE64}"}`);
  });

  for (const [path, options, url] of [
    ['', {}, '/transcribe'],
    ['/v1', {}, '/transcribe'],
    ['/v1/', {}, '/transcribe'],
    ['/stt/whisper', {}, '/stt/whisper'],
    ['/v1', { transcribePath: '/stt/canary' }, '/stt/canary'],
  ] as const) {
    test(`goes to ${url} at a base URL with ${path || 'no path'}`, async (t) => {
      const { app, chutes } = await startChutes(t, { options, path });
      await expectStatus(200, await postAudio(app, [FILE, MODEL]));
      assert.equal(chutes.received[0]?.url, url);
    });
  }
});

const SEGMENT = {
  seek: 0,
  tokens: [],
  temperature: 0,
  avg_logprob: 0,
  compression_ratio: 1,
  no_speech_prob: 0,
};
const SUBTITLES = [
  ['00:00:00,000 --> 00:00:01,500', 'First words'],
  ['00:00:01,500 --> 00:00:03,250', 'next'],
] as const;
const FORMATS = [
  ['json', 'application/json', JSON.stringify({ text: 'First words next' })],
  ['text', 'text/plain; charset=utf-8', 'First words next\n'],
  [
    'srt',
    'text/plain; charset=utf-8',
    `${SUBTITLES.map(([times, text], at) => `${at + 1}\n${times}\n${text}\n\n`).join('')}\n`,
  ],
  [
    'vtt',
    'text/plain; charset=utf-8',
    `WEBVTT\n\n${SUBTITLES.map(([times, text]) => `${times.replaceAll(',', '.')}\n${text}\n\n`).join('')}`,
  ],
] as const;

describe('what Chutes heard', { timeout: 30_000 }, () => {
  for (const [format, type, body] of FORMATS) {
    test(`is answered as ${format}`, async (t) => {
      const { app } = await startSpeech(t);
      for (const parts of [
        [FILE, MODEL, ['response_format', format]],
        [['response_format', format], MODEL, FILE],
      ] as const) {
        const answer = await postAudio(app, parts);
        assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type]);
        assert.equal(answer.headers.get('content-length'), String(Buffer.byteLength(body)));
        assert.equal(await answer.text(), body);
      }
    });
  }

  test('is answered as verbose_json, with the segments that were asked for', async (t) => {
    const { app } = await startSpeech(t);
    const parts: FormPart[] = [
      ['timestamp_granularities[]', 'segment'],
      FILE,
      MODEL,
      ['response_format', 'verbose_json'],
    ];
    assert.deepEqual(await expectStatus(200, await postAudio(app, parts)), {
      task: 'transcribe',
      language: 'unknown',
      duration: 3.25,
      text: 'First words next',
      segments: [
        { id: 0, start: 0, end: 1.5, text: ' First words', ...SEGMENT },
        { id: 1, start: 1.5, end: 3.25, text: ' next', ...SEGMENT },
      ],
      usage: { type: 'duration', seconds: 4 },
    });
  });

  test('has the provider’s own request id under a name of ours, and none of its other headers', async (t) => {
    const { app, chutes } = await startSpeech(t);
    chutes.answer = json([], 200, {
      'x-request-id': 'theirs',
      'x-chutes-invocationid': 'abc',
      server: 'uvicorn',
    });
    const { headers } = await postAudio(app, [FILE, MODEL]);
    assert.equal(headers.get('x-ipin-upstream-request-id'), 'theirs');
    assert.deepEqual([headers.get('x-chutes-invocationid'), headers.get('server')], [null, null]);
  });

  for (const [what, field, param] of [
    ['word times', ['timestamp_granularities[]', 'word'], 'timestamp_granularities'],
    ['speakers', ['response_format', 'diarized_json'], 'response_format'],
  ] as const) {
    test(`cannot have ${what}: refused before Chutes has the audio whole`, async (t) => {
      const { app, chutes } = await startSpeech(t);
      const verbose: FormPart[] = param === 'response_format' ? [] : [['response_format', 'verbose_json']];
      for (const parts of [
        [FILE, MODEL, field, ...verbose],
        [MODEL, FILE, ...verbose, field],
        [...verbose, field, MODEL, FILE],
      ]) {
        const error = await errorOf(400, await postAudio(app, parts));
        assert.deepEqual([error.code, error.param], ['unsupported_parameter', param]);
      }
      assert.equal(chutes.received.length, 0);
    });
  }
});

type ErrorRow = readonly [
  name: string,
  given: readonly [status: number, body: unknown, headers?: Record<string, string>],
  status: number,
  error: { readonly code: string | null; readonly message: RegExp },
];
const ERROR_ROWS: readonly ErrorRow[] = [
  [
    'a wrong key',
    [401, { detail: 'Invalid token' }],
    502,
    { code: 'upstream_auth_failed', message: /API key \(401\)/ },
  ],
  [
    'no money left',
    [402, { detail: { message: 'Quota exceeded', quota_reset_timestamp: 1 } }],
    402,
    { code: null, message: /^Quota exceeded$/ },
  ],
  [
    'an unknown chute',
    [404, { detail: 'No matching cord found!' }],
    404,
    { code: null, message: /^No matching cord/ },
  ],
  [
    'a bad argument',
    [400, { detail: 'Invalid request: x' }],
    400,
    { code: null, message: /^Invalid request: x$/ },
  ],
  [
    'a list of faults',
    [422, { detail: [{ loc: ['body', 'audio_b64'], msg: 'Field required', type: 'missing' }] }],
    422,
    { code: null, message: /^Field required$/ },
  ],
  [
    'no room',
    [429, { detail: 'Infrastructure is at maximum capacity' }, { 'retry-after': '9' }],
    429,
    { code: null, message: /maximum capacity/ },
  ],
  [
    'a cold chute',
    [503, { detail: 'No instances available (yet)' }],
    503,
    { code: null, message: /^No instances/ },
  ],
  ['a fault of its own', [500, { detail: 'boom' }], 500, { code: null, message: /^boom$/ }],
  ['a page', [504, '<html>Gateway Time-out</html>'], 504, { code: null, message: /status 504/ }],
  [
    'an error in a 200',
    [200, { detail: 'bad audio' }],
    502,
    { code: 'upstream_invalid_response', message: /not a transcript/ },
  ],
  [
    'a page in a 200',
    [200, '<html></html>'],
    502,
    { code: 'upstream_invalid_response', message: /not a transcript/ },
  ],
];

describe('what Chutes refuses', { timeout: 30_000 }, () => {
  for (const [name, [given, body, headers = {}], status, { code, message }] of ERROR_ROWS) {
    test(`is told in the envelope: ${name}`, async (t) => {
      const { app, chutes } = await startSpeech(t);
      chutes.answer = json(body, given, headers);
      const answer = await postAudio(app, [FILE, MODEL, ['response_format', 'srt']]);
      assert.equal(answer.headers.get('retry-after'), headers['retry-after'] ?? null);
      assert.equal(answer.headers.get('x-ipin-provider'), 'chutes');
      assert.equal(answer.headers.get('content-type'), 'application/json');
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      const { error } = JSON.parse(text);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(!text.includes(SPEECH_KEYS.chutes));
      assert.equal(chutes.received.length, 1);
    });
  }
});
