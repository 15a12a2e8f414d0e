import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Dialect } from '../../src/dialects/dialect.ts';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { RESPONSES } from '../../src/dialects/responses/responses-dialect.ts';
import { startWorkCounter, type WorkCounter } from '../public/count-work.ts';
import { about, PLAIN } from './messages-setup.ts';

type Json = Record<string, unknown>;

const CLIENT = { modelId: 'm', headers: {} };
const DIALECTS: readonly (readonly [Dialect, Json])[] = [
  [MESSAGES, { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }],
  [RESPONSES, { model: 'm', input: 'Hi' }],
];

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function delta(fields: Json): Json {
  return { choices: [{ index: 0, delta: fields, finish_reason: null }] };
}

function call(index: number, id: string | null, text: string): Json {
  return { index, ...(id === null ? {} : { id }), function: { name: 'f', arguments: text } };
}

describe('the work for odd histories and answers grows with their size alone', { timeout: 60_000 }, () => {
  let counter: WorkCounter;
  before(async () => {
    counter = await startWorkCounter('/src/dialects/');
  });
  after(() => counter.stop());

  /** Twice as much takes about twice as long, not four times. */
  async function expectLinear(work: (size: number) => void): Promise<void> {
    const [small, large] = [await counter.count(() => work(500)), await counter.count(() => work(1_000))];
    assert.ok(large < 3 * small, `${small} steps, then ${large}`);
  }

  for (const [name, idOf] of [
    ['one id', () => 'x'],
    ['ids of their own', (index: number) => `x${index}`],
  ] as const) {
    test(`many calls of one turn with ${name}, and their results`, async () => {
      await expectLinear((size) => {
        const calls = times(size, (index) => ({ type: 'tool_use', id: idOf(index), name: 'f', input: {} }));
        const results = times(size, (index) => ({
          type: 'tool_result',
          tool_use_id: idOf(index),
          content: `r${index}`,
        }));
        const messages = [
          { role: 'assistant', content: calls },
          { role: 'user', content: results },
        ];
        const chat = MESSAGES.parse({ model: 'm', max_tokens: 5, messages }, CLIENT).toChat(PLAIN);
        const sent = chat['messages'] as Json[];
        assert.deepEqual(
          sent.slice(1).map(({ content }) => content),
          times(size, (index) => `r${index}`),
        );
      });
    });
  }

  for (const [dialect, request] of DIALECTS) {
    test(`${dialect.name}: pieces of the first of many calls`, async () => {
      await expectLinear((size) => {
        const renderer = dialect.parse(request, CLIENT).openStream(about());
        renderer.push(delta({ tool_calls: times(size, (index) => call(index, `c${index}`, '{')) }));
        renderer.push(delta({ tool_calls: times(size, () => call(0, null, ' ')) }));
        renderer.push(delta({ tool_calls: times(size, () => call(0, 'c0', ' ')) }));
      });
    });
  }
});

describe('what waits in an answer is counted', () => {
  for (const [dialect, request] of DIALECTS) {
    test(`${dialect.name}: arguments, and parts behind an unfinished call, of which there is a limit`, () => {
      const renderer = dialect.parse(request, CLIENT).openStream(about());
      const heldAtFirst = renderer.heldBytes;
      renderer.push(delta({ tool_calls: [call(0, 'c', `{"a":"${'x'.repeat(10_000)}`)] }));
      assert.ok(renderer.heldBytes >= heldAtFirst + 10_000);
      const parts = times(10_000, () => [
        { type: 'text', text: 'a' },
        { type: 'thinking', thinking: 'b' },
      ]).flat();
      const push = (): string => renderer.push(delta({ content: parts }));
      push();
      assert.ok(renderer.heldBytes >= heldAtFirst + 10_000 + parts.length * 64);
      assert.throws(() => {
        for (let count = 0; count < 100; count++) push();
      }, /too large/);
    });
  }
});
