import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { EventStream, type EventStreamOptions } from '../../src/protocols/event-stream.ts';

const PLAIN: EventStreamOptions = {
  model: null,
  streamEnd: 'chat',
  hideUsage: false,
  secrets: [],
  meter: new AnswerMeter('tokens'),
};
const RENAMING: EventStreamOptions = { ...PLAIN, model: 'alias' };

/** The output for the bytes cut at these offsets. */
function run(options: EventStreamOptions, bytes: Buffer, cuts: readonly number[]): string {
  const stream = new EventStream(options);
  const parts: (Buffer | null)[] = [];
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    parts.push(stream.push(bytes.subarray(from, at)));
    from = at;
  }
  parts.push(stream.end());
  return Buffer.concat(parts.filter((part) => part !== null)).toString();
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const content = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('"model":"real"', '"error"', '[DONE]', 'data: x', '😀'),
);
const chunk = content.map(
  (text) => `data: ${JSON.stringify({ model: 'real', choices: [{ index: 0, delta: { content: text } }] })}`,
);
const record = fc.oneof(
  { weight: 5, arbitrary: chunk },
  { weight: 1, arbitrary: fc.constantFrom(': ping', 'event: x', 'id: 1', 'data:', '') },
);
const text = fc
  .record({ records: fc.array(record, { maxLength: 8 }), eol: lineEnd })
  .map(({ records, eol }) => [...records, 'data: [DONE]', ''].join(eol + eol));
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('EventStream', () => {
  test('passes valid streams byte for byte whatever the chunks', () => {
    fc.assert(
      fc.property(text, cuts, (stream, places) => {
        assert.equal(run(PLAIN, Buffer.from(stream), places), stream);
      }),
      { numRuns: 500 },
    );
  });

  test('does the same with single lines, with whole records, one or all at a time, and with single bytes', () => {
    const value = fc.constantFrom(
      'null',
      ' null',
      '\tnull',
      '{"total_tokens":7}',
      '\t {"total_tokens":7}',
      '"stop"',
      ' "stop"',
      '7',
    );
    const member = fc
      .record({
        name: fc.constantFrom('usage', 'finish_reason', 'error', 'model', 'reason', 'image'),
        space: fc.constantFrom('', '', ' ', '\t', '\t '),
        value,
      })
      .map((one) => `"${one.name}"${one.space}:${one.value}`);
    const data = fc.oneof(
      fc
        .record({ said: content, members: fc.array(member, { maxLength: 2 }) })
        .map(({ said, members }) =>
          [`{"choices":[{"delta":{"content":${JSON.stringify(said)}}}]`, ...members].join(',').concat('}'),
        ),
      fc.constantFrom(
        '[DONE]',
        '[D]',
        '"usage"',
        '{"usage" : {"total_tokens":9}}',
        '{"type":"message_stop"}',
      ),
    );
    const line = fc.oneof(
      { weight: 9, arbitrary: data.map((text) => `data: ${text}\n\n`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          ': x\n\n',
          'data: {}\n{"detail":"x"}\n\n',
          'event: error\ndata: "x"\n\n',
          'data: 1\r\revent: error\rdata: "x"\n\n',
          '{"object":"error"}\n\n',
          'data: {"usage":\ndata: {"total_tokens":5}}\n\n',
          'data: {"object":\ndata: "error"}\n\n',
        ),
      },
    );
    const ways = fc.record({
      model: fc.constantFrom(null, 'alias'),
      streamEnd: fc.constantFrom('chat' as const, 'messages' as const, null),
      hideUsage: fc.boolean(),
    });
    const outcome = (chunks: readonly Buffer[], way: Partial<EventStreamOptions>) => {
      const meter = new AnswerMeter('tokens');
      const stream = new EventStream({ ...PLAIN, ...way, meter });
      const parts = chunks.map((bytes) => stream.push(bytes));
      const { isWhole } = stream;
      parts.push(stream.end());
      const bytes = Buffer.concat(parts.filter((part) => part !== null)).toString();
      const used = meter.total({ promptTokens: 0, answerTokens: 0, audioSeconds: 0, images: 0 });
      return { bytes, isWhole, error: stream.error?.message, used };
    };
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), ways, (lines, way) => {
        const all = Buffer.from(lines.join(''));
        const singly = outcome(
          Array.from(all, (byte) => Buffer.of(byte)),
          way,
        );
        assert.deepEqual(
          outcome(
            lines.map((text) => Buffer.from(text)),
            way,
          ),
          singly,
        );
        const byLine = lines.join('').split(/(?<=\n)/);
        assert.deepEqual(
          outcome(
            byLine.map((text) => Buffer.from(text)),
            way,
          ),
          singly,
        );
        assert.deepEqual(outcome([all], way), singly);
      }),
      { numRuns: 3000 },
    );
  });

  test('renames the model, and nothing else, whatever the chunks', () => {
    fc.assert(
      fc.property(text, cuts, (stream, places) => {
        assert.equal(
          run(RENAMING, Buffer.from(stream), places),
          stream.replaceAll('{"model":"real"', '{"model":"alias"'),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('finds errors, and stops after them, whatever the chunks', () => {
    const errors = fc.constantFrom(
      'data: {"error":{"message":"m"}}',
      '{"error":"m"}',
      'data: {"object":"error","message":"m"}',
      'event: error\ndata: {"message":"m"}',
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 3 }), errors, text, cuts, (before, error, after, places) => {
        const head = before.map((one) => `${one}\n\n`).join('');
        const got = run(PLAIN, Buffer.from(`${head}${error}\n\n${after}`), places);
        assert.ok(got.startsWith(head));
        assert.deepEqual(JSON.parse(got.slice(head.length).replace('data: ', '')), {
          error: { message: 'm', type: null, param: null, code: null },
        });
      }),
      { numRuns: 500 },
    );
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, places) => {
        run(RENAMING, Buffer.from(bytes), places);
      }),
      { numRuns: 500 },
    );
  });

  test('A2: passes a long record in pieces, and sends no keep-alive comment inside it', () => {
    const piece = Buffer.alloc(1024 * 1024, 0x61);
    for (const options of [PLAIN, RENAMING]) {
      const stream = new EventStream(options);
      assert.equal(stream.push(Buffer.from('data: "')), null);
      for (let count = 0; count < 5; count += 1) {
        const passed = stream.push(piece)?.length ?? 0;
        assert.ok(passed >= piece.length, 'nothing is held');
        assert.equal(stream.idle(), null);
      }
      stream.push(Buffer.from('"\n\n'));
      assert.equal(stream.idle()?.toString(), ': keep-alive\n\n');
    }
  });

  test('reports a failure once', () => {
    const stream = new EventStream(PLAIN);
    const error = new HttpError('upstream_timeout', 'late');
    assert.equal(stream.error, null);
    assert.match(stream.fail(error)?.toString() ?? '', /^data: \{"error":\{"message":"late".*\}\}\n\n$/);
    assert.equal(stream.error, error);
    assert.equal(stream.fail(error)?.length, 0);
    assert.equal(stream.push(Buffer.from('data: [DONE]\n\n')), null);
  });

  test('accepts any end if vendors differ', () => {
    assert.equal(
      run({ ...PLAIN, streamEnd: null }, Buffer.from('data: {"a":1}\n\n'), []),
      'data: {"a":1}\n\n',
    );
  });
});
