import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StreamEndWatch } from '../../src/protocols/stream-end.ts';

function chunks(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((at, index) => bytes.subarray(places[index], at));
}

function seen(text: string, cuts: readonly number[] = []): { isWhole: boolean; isFinal: boolean } {
  const watch = new StreamEndWatch('chat');
  for (const chunk of chunks(text, cuts)) watch.look(chunk);
  return { isWhole: watch.isWhole, isFinal: watch.isFinal };
}

const OPEN = { isWhole: false, isFinal: false };
const WHOLE = { isWhole: true, isFinal: false };
const FINAL = { isWhole: true, isFinal: true };

describe('StreamEndWatch', () => {
  const rows: readonly (readonly [text: string, expected: typeof OPEN])[] = [
    ['data: {"finish_reason":null}\n\n', OPEN],
    ['data: {"finish_reason":"stop"}\n\n', WHOLE],
    ['data: {"finish_reason": "length"}\r\n\r\n', WHOLE],
    ['data: {"content":"\\"finish_reason\\":\\"stop\\""}\n\n', OPEN],
    ['data: {"content":"data: [DONE]"}\n\n', OPEN],
    ['data: {"content":"[DONE]"}\n\n', OPEN],
    ['data: {"a":1}\n\ndata: [DONE]\n\n', FINAL],
    ['data:[DONE]\r\r', FINAL],
    ['data: [DONE]', FINAL],
    ['data: {"a":1}\r\n\r\ndata: [DONE]\r\n\r\n: bye\n\n', FINAL],
  ];
  for (const [text, expected] of rows) {
    test(`A1: sees ${JSON.stringify(text)} whatever the chunks`, () => {
      assert.deepEqual(seen(text), expected);
      for (let at = 1; at < text.length; at += 1) {
        // Text cut right before these words could look like the end; a stream that continues shows that it is not.
        if (text.includes('"data: [DONE]"')) continue;
        assert.deepEqual(seen(text, [at]), expected, `cut at ${at}`);
      }
      assert.deepEqual(
        seen(
          text,
          Array.from({ length: text.length }, (_, index) => index),
        ),
        expected,
      );
    });
  }

  test('A1: sees a mark whatever surrounds it and whatever the chunks', () => {
    const filler = fc
      .string({ maxLength: 60 })
      .map((text) => `data: ${JSON.stringify({ content: text })}\n\n`);
    fc.assert(
      fc.property(
        fc.array(filler, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (records, cuts) => {
          const before = records.join('');
          const mark = 'data: {"choices":[{"finish_reason":"stop"}]}\n\n';
          assert.equal(seen(before + mark + before, cuts).isWhole, true);
          assert.deepEqual(seen(`${before}data: [DONE]\n\n${before}`, cuts), FINAL);
        },
      ),
      { numRuns: 500 },
    );
  });
});
