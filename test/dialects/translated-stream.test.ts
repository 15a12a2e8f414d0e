import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TranslatedStream } from '../../src/dialects/translated-stream.ts';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { about, chunk, parse } from './messages-setup.ts';

const RUNS = { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 500 };
const ESTIMATE = { promptTokens: 7, answerTokens: 0, audioSeconds: 0, images: 0 };

const texts = fc.oneof(
  fc.constantFrom('a word', 'a "mirror"', '"error"', '\n\ndata: x\n\n', 'é漢😀', '\ufeff', '{'),
  fc.string({ minLength: 1, maxLength: 20 }),
);

/** Ways to write one chunk of a stream; `json` is its data. */
const FORMS: readonly ((json: string) => string)[] = [
  (json) => `data: ${json}\n\n`,
  (json) => `data:${json}\n\n`,
  (json) => `: comment\n\ndata: ${json}\n\n`,
  (json) => `data: ${json}\n\n: comment\n\n`,
  (json) => `event: chunk\ndata: ${json}\n\n`,
  (json) => `data: ${json}\nid: 1\n\n`,
  (json) => `data: ${json}\n:data: {"choices":[{"message":{"content":"no"}}]}\n\n`,
  (json) => `data: ${json}\n\n\n`,
  (json) => `data: ${json}\r\n\r\n`,
  (json) => `data: ${json}\r\r`,
  (json) => `\ufeffdata: ${json}\n\n`,
  (json) => `data: ${json.slice(0, 1)}\ndata: ${json.slice(1)}\n\n`,
  (json) => `data: no JSON\n\ndata\n\ndata: \n\ndata: []\n\ndata: ${json}\n\n`,
];

const forms = fc.oneof(fc.constant(0), fc.nat(FORMS.length - 1));
const records = fc.array(fc.tuple(texts, forms), { minLength: 1, maxLength: 4 });
const sizes = fc.oneof(fc.constant(100_000), fc.integer({ min: 1, max: 500 }));

function streamOf(meter: AnswerMeter): TranslatedStream {
  return new TranslatedStream({
    renderer: parse({}).openStream(about()),
    secrets: ['sk-secret'],
    meter,
    mayHold: () => true,
  });
}

function formed(text: string, form: number): string {
  return FORMS[form]?.(JSON.stringify(chunk({ content: text }))) ?? '';
}

describe('a stream of chat chunks', () => {
  test('is read the same in all forms and in pieces of any size, and counted as one that is passed on', () => {
    fc.assert(
      fc.property(records, sizes, (given, size) => {
        const bytes = Buffer.from(given.map(([text, form]) => formed(text, form)).join(''));
        const renderer = parse({}).openStream(about());
        const expected = given.map(([text]) => renderer.push(chunk({ content: text }))).join('');
        const meter = new AnswerMeter('tokens');
        const stream = streamOf(meter);
        let out = '';
        for (let at = 0; at < bytes.length; at += size) out += stream.push(bytes.subarray(at, at + size));
        assert.equal(stream.error, null);
        assert.equal(out, expected);
        const passed = new AnswerMeter('tokens');
        passed.lookAtRecords(bytes);
        assert.deepEqual(meter.total(ESTIMATE), passed.total(ESTIMATE));
      }),
      RUNS,
    );
  });

  test('ends with the error that stands behind text in the same piece, without what follows', () => {
    const text = formed('Hi', 0);
    const stream = streamOf(new AnswerMeter('tokens'));
    const out = stream.push(
      Buffer.from(`${text}data: {"error":{"message":"No sk-secret."}}\n\n${formed('more', 0)}`),
    );
    assert.match(out, /"text":"Hi".*event: error\n/s);
    assert.doesNotMatch(out, /more|sk-secret/);
    assert.notEqual(stream.error, null);
  });

  test('may hold a member of any depth', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const json = `{"choices":[{"index":0,"delta":{"content":"Hi","other":${deep}},"finish_reason":null}]}`;
    const stream = streamOf(new AnswerMeter('tokens'));
    assert.match(stream.push(Buffer.from(`data: ${json}\n\n`)), /"text":"Hi"/);
  });
});
