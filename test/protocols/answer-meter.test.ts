import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { EventStream } from '../../src/protocols/event-stream.ts';
import type { Usage } from '../../src/usage/usage.ts';

const ASKED = { promptTokens: 40, answerTokens: 1000, audioSeconds: 0, images: 0 };
const USAGE = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };

function record(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function chunk(delta: object, more: object = {}): string {
  return record({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta }], ...more });
}

const STOP = record({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const DONE = 'data: [DONE]\n\n';

/** What is counted of a stream that arrives in pieces, cut at these offsets. */
function countStream(
  text: string,
  {
    cuts = [],
    streamEnd = 'chat',
    hideUsage = false,
  }: { cuts?: readonly number[]; streamEnd?: 'chat' | 'responses' | null; hideUsage?: boolean } = {},
): Usage {
  const meter = new AnswerMeter('tokens');
  const stream = new EventStream({ model: null, streamEnd, hideUsage, secrets: [], meter });
  const bytes = Buffer.from(text);
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    stream.push(bytes.subarray(from, at));
    from = at;
  }
  stream.end();
  return meter.total(ASKED);
}

describe('what a stream used', () => {
  const reported: readonly (readonly [name: string, text: string])[] = [
    [
      'a record of its own',
      chunk({ content: 'Hello' }) + STOP + record({ choices: [], usage: USAGE }) + DONE,
    ],
    [
      'on the last content',
      chunk({ content: 'Hello' }) + chunk({ content: '!' }, { usage: USAGE }) + STOP + DONE,
    ],
    [
      'null before the end',
      chunk({ content: 'a' }, { usage: null }).repeat(9) + record({ choices: [], usage: USAGE }) + DONE,
    ],
    [
      'growing with every record',
      [1, 2, 34].map((n) => chunk({ content: 'a' }, { usage: { ...USAGE, completion_tokens: n } })).join('') +
        DONE,
    ],
    ['of Groq', chunk({ content: 'a' }) + record({ choices: [], x_groq: { usage: USAGE } }) + DONE],
    ['in a record of 200 KB', chunk({ content: 'x'.repeat(200_000) }, { usage: USAGE }) + STOP + DONE],
  ];
  for (const [name, text] of reported) {
    it(`${name}, wherever it is cut`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (cuts, hideUsage) => {
          const { promptTokens, completionTokens, isEstimated } = countStream(text, { cuts, hideUsage });
          assert.deepEqual([promptTokens, completionTokens, isEstimated], [12, 34, false]);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('of the Responses API, also where its last event is long', () => {
    for (const output of ['short', 'x'.repeat(300_000)]) {
      const response = {
        output,
        usage: { input_tokens: 12, output_tokens: 34 },
        tools: [{ usage: { type: 'x' } }],
      };
      const text =
        `event: response.output_text.delta\n${record({ type: 'response.output_text.delta', delta: 'Hello' })}` +
        `event: response.completed\n${record({ type: 'response.completed', response })}`;
      for (const cuts of [[], [100], [5, 70_000, 140_000, 299_000]]) {
        const { promptTokens, completionTokens, isEstimated } = countStream(text, {
          cuts,
          streamEnd: 'responses',
        });
        assert.deepEqual([promptTokens, completionTokens, isEstimated], [12, 34, false]);
      }
    }
  });

  const unreported: readonly (readonly [name: string, bytes: number, text: string])[] = [
    ['content', 10, chunk({ role: 'assistant', content: '' }) + chunk({ content: 'Hello' }).repeat(2)],
    ['escapes count as what they stand for', 10, chunk({ content: '\n"\\ü😀' })],
    ['a quote and a backslash at the end', 4, chunk({ content: 'a"\\\\' })],
    ['reasoning and content', 8, chunk({ reasoning_content: 'four' }) + chunk({ content: 'four' })],
    ['both in one record', 8, chunk({ reasoning: 'four', content: 'four' })],
    [
      'the name and arguments of a tool',
      11,
      chunk({
        tool_calls: [
          { index: 0, id: 'call_1', type: 'function', function: { name: 'get', arguments: '{"a": 1}' } },
        ],
      }),
    ],
    ['a text completion', 8, record({ choices: [{ index: 0, text: 'four' }] }).repeat(2)],
    ['with spaces', 4, 'data: {"choices": [{"delta": {"content": "four"}}]}\n\n'],
    ['text that looks like a delta', 20, chunk({ content: '"delta":{"content":1}'.slice(0, 20) })],
  ];
  for (const [name, bytes, text] of unreported) {
    it(`is estimated from the text where nothing is reported: ${name}`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
          const { promptTokens, completionTokens, isEstimated } = countStream(text + DONE, { cuts });
          assert.deepEqual([promptTokens, completionTokens, isEstimated], [40, Math.ceil(bytes / 4), true]);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('is estimated from thousands of records', () => {
    const { completionTokens } = countStream(chunk({ content: 'four' }).repeat(5_000));
    assert.equal(completionTokens, 5_000);
  });
});

describe('what a whole answer used', () => {
  const total = (
    kind: ConstructorParameters<typeof AnswerMeter>[0],
    answer: unknown,
    asked = ASKED,
  ): Usage => {
    const meter = new AnswerMeter(kind);
    meter.lookAtAnswer(Buffer.from(JSON.stringify(answer)));
    return meter.total(asked);
  };

  it('is estimated where nothing is reported', () => {
    const choices = [
      { message: { role: 'assistant', content: 'twelve bytes', reasoning: 'four' }, finish_reason: 'stop' },
    ];
    const usage = total('tokens', { choices });
    assert.deepEqual([usage.promptTokens, usage.completionTokens, usage.isEstimated], [40, 4, true]);
  });

  it('has no answer to count for embeddings', () => {
    const usage = total('input', { data: [], usage: { prompt_tokens: 5, total_tokens: 5 } });
    assert.deepEqual([usage.promptTokens, usage.completionTokens, usage.isEstimated], [5, 0, false]);
  });

  it('is the length of the audio: as reported, as the transcript says, as the file is long', () => {
    const asked = { ...ASKED, audioSeconds: 60 };
    assert.equal(
      total('audio', { text: 'a', usage: { type: 'duration', seconds: 7 } }, asked).audioSeconds,
      7,
    );
    assert.equal(total('audio', { text: 'a', duration: 8.5 }, asked).audioSeconds, 8.5);
    const guessed = total('audio', { text: 'a' }, asked);
    assert.deepEqual([guessed.audioSeconds, guessed.promptTokens, guessed.isEstimated], [60, null, true]);
  });

  it('is the number of pictures', () => {
    assert.equal(
      total('images', { data: [{ url: 'a' }, { b64_json: 'b' }] }, { ...ASKED, images: 4 }).images,
      2,
    );
  });
});

describe('what an answer used that passes without being held', () => {
  const pass = (
    kind: ConstructorParameters<typeof AnswerMeter>[0],
    answer: unknown,
    pieceBytes: number,
  ): Usage => {
    const meter = new AnswerMeter(kind);
    const bytes = Buffer.from(JSON.stringify(answer));
    for (let at = 0; at < bytes.length; at += pieceBytes)
      meter.lookAtBytes(bytes.subarray(at, at + pieceBytes));
    meter.end();
    return meter.total({ ...ASKED, images: 9 });
  };
  const vectors = Array.from({ length: 300 }, (_, index) => ({ index, embedding: 'A'.repeat(5_000) }));

  for (const pieceBytes of [7_777, 65_536, 10_000_000]) {
    it(`is found at its end and at its beginning, in pieces of ${pieceBytes}`, () => {
      assert.equal(
        pass('input', { data: vectors, usage: { prompt_tokens: 77 } }, pieceBytes).promptTokens,
        77,
      );
      assert.equal(
        pass('input', { usage: { prompt_tokens: 77 }, data: vectors }, pieceBytes).promptTokens,
        77,
      );
      assert.equal(pass('input', { data: vectors }, pieceBytes).promptTokens, 40);
    });
    it(`counts pictures, in pieces of ${pieceBytes}`, () => {
      const data = ['x', 'y', 'z'].map((letter) => ({ b64_json: letter.repeat(400_000) }));
      assert.equal(pass('images', { created: 1, data }, pieceBytes).images, 3);
    });
  }
});
