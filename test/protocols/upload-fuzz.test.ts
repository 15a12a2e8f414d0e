import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { parseJson } from '../../src/json/value.ts';
import { parseChutesTranscript } from '../../src/protocols/chutes-transcript.ts';
import { normaliseEmbeddings } from '../../src/protocols/embeddings.ts';
import { checkImageUrl } from '../../src/protocols/image-url.ts';
import { readOcrText } from '../../src/protocols/ocr.ts';
import { renderTranscript, TRANSCRIPT_FORMATS } from '../../src/protocols/transcription.ts';
import { parseSrt, parseVtt } from './subtitle-parser.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 20_000 : 2_000;

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(6),
  insert: fc.oneof(
    fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      'null',
      '1e999',
      '-1',
      '\\u0000',
      '\n',
      '=',
      '-->',
      '\\n\\n',
      ' ',
    ),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  ),
});

/** Some edits of one of the seeds. */
function mutationsOf(...seeds: string[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 5 })).map(([seed, edits]) => {
    let body = Buffer.from(seed);
    for (const { at, remove, insert } of edits) {
      const place = Math.floor(at * body.length);
      body = Buffer.concat([
        body.subarray(0, place),
        Buffer.from(insert, 'latin1'),
        body.subarray(place + remove),
      ]);
    }
    return body;
  });
}

/** The result of a call, or null for an HttpError; any other error fails the test. */
async function accepted<T>(call: () => T | Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    assert.ok(error instanceof HttpError, error instanceof Error ? error.stack : String(error));
    return null;
  }
}

async function check(seeds: string[], property: (body: Buffer) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(mutationsOf(...seeds), property), { numRuns: RUNS });
}

describe('mutated responses and URLs are read or refused', () => {
  it('transcripts, which then render to valid subtitles', async () => {
    const seeds = [
      '[{"start":0.0,"end":4.94,"text":" First"},{"start":4.94,"end":9.1,"text":" next --> x"}]',
      '{"text":"a","chunks":[{"timestamp":[0,2],"text":" a"},{"timestamp":[2,null],"text":" b"}]}',
      '{"result":{"segments":[{"start":"1","end":1,"text":"a"}]},"duration":3}',
    ];
    await check(seeds, async (body) => {
      const transcript = await accepted(() => parseChutesTranscript(body, 'application/json'));
      if (transcript === null) return;
      let before = 0;
      for (const { start, end } of transcript.segments ?? []) {
        assert.ok(before <= start && start <= end && end < 360_000);
        before = start;
      }
      const rendered = TRANSCRIPT_FORMATS.map((format) =>
        renderTranscript(transcript, format, { task: 'transcribe', language: null }).body.toString(),
      );
      assert.deepEqual(
        parseSrt(rendered[2] ?? '').map((cue) => cue.text),
        parseVtt(rendered[4] ?? '').map((cue) => cue.text),
      );
    });
  });

  it('embeddings, the same in both directions', async () => {
    const seeds = [
      '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.25e1]}],"model":"m"}',
      '{"data":[{"embedding":"AACAPwAAIMA="},{"\\u0065mbedding":"AACAPw=="}],"usage":{"a":"\\\\\\""}}',
    ];
    await check(seeds, async (body) => {
      for (const encoding of ['float', 'base64'] as const) {
        await accepted(() => normaliseEmbeddings(body, { encoding, model: 'alias' }));
      }
    });
  });

  it('texts of images', async () => {
    const seeds = [
      '{"choices":[{"message":{"content":"```json\\n[{\\"bbox\\":[1],\\"category\\":\\"Text\\",\\"text\\":\\"a\\"}]\\n```"}}]}',
      '{"pages":[{"text":"a"},{"markdown":"b"}]}',
    ];
    await check(seeds, async (body) => {
      const text = await accepted(() => readOcrText(body));
      assert.ok(text === null || typeof text === 'string');
    });
  });

  it('data URLs, with their true size', async () => {
    const seeds = [
      '"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE="',
      '"data:image/jpg;x=y;base64,\\/9j\\/4AAQSkZJRg"',
      '"https:\\/\\/e.com\\/a"',
    ];
    await check(seeds, async (body) => {
      const result = await accepted(() => checkImageUrl(body, { start: 0, end: body.length }, 'image_url'));
      if (result?.kind !== 'data') return;
      // In a real request the JSON scan refuses control characters in a string before this check.
      const url = parseJson(body.toString().replace(/^(?!")|(?<!")$/g, '"'));
      if (url === undefined) return;
      const data = String(url).replace(/^[^,]*,/, '');
      assert.equal(result.decodedBytes, Buffer.from(data, 'base64').length);
    });
  });
});
