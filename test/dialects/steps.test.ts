import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Dialect } from '../../src/dialects/dialect.ts';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { RESPONSES } from '../../src/dialects/responses/responses-dialect.ts';
import { doInTurns, Pace, type Steps } from '../../src/turns.ts';
import { PLAIN } from './messages-setup.ts';

type Json = Record<string, unknown>;

const COUNT = 2_000;
const many = (make: (index: number) => Json): Json[] => Array.from({ length: COUNT }, (_, at) => make(at));

const text = { type: 'text', text: 'x' };
const user = { role: 'user', content: 'Hi' };
const messagesWith = (fields: Json): Json => ({ model: 'm', max_tokens: 5, messages: [user], ...fields });
const responsesWith = (input: unknown, fields: Json = {}): Json => ({ model: 'm', input, ...fields });

const CASES: readonly (readonly [string, Dialect, Json])[] = [
  ['messages', MESSAGES, messagesWith({ messages: many(() => user) })],
  ['blocks of a user', MESSAGES, messagesWith({ messages: [{ role: 'user', content: many(() => text) }] })],
  [
    'calls of a turn',
    MESSAGES,
    messagesWith({
      messages: [
        {
          role: 'assistant',
          content: many((at) => ({ type: 'tool_use', id: `c${at}`, name: 'f', input: {} })),
        },
      ],
    }),
  ],
  ['blocks of the system prompt', MESSAGES, messagesWith({ system: many(() => text) })],
  [
    'tools of Messages',
    MESSAGES,
    messagesWith({ tools: many((at) => ({ name: `f${at}`, input_schema: {} })) }),
  ],
  ['items', RESPONSES, responsesWith(many(() => user))],
  [
    'tools of Responses',
    RESPONSES,
    responsesWith('Hi', { tools: many((at) => ({ type: 'function', name: `f${at}` })) }),
  ],
  [
    'tools of a namespace',
    RESPONSES,
    responsesWith('Hi', {
      tools: [{ type: 'namespace', name: 'n', tools: many((at) => ({ type: 'function', name: `f${at}` })) }],
    }),
  ],
];

/** The result of some work, and how many steps it had. */
function counted<Result>(work: Steps<Result>): { readonly result: Result; readonly steps: number } {
  for (let steps = 0; ; steps += 1) {
    const { done, value } = work.next();
    if (done === true) return { result: value, steps };
  }
}

describe('the translation of a large request has small steps', () => {
  for (const [name, dialect, body] of CASES) {
    test(name, () => {
      const read = counted(dialect.parse(body, { modelId: 'm', headers: {} }));
      assert.ok(read.steps >= COUNT, `${read.steps} steps to read it`);
      counted(read.result.toChat(PLAIN));
    });
  }

  test('also to write the messages of the chat request', () => {
    const { result } = counted(
      MESSAGES.parse(messagesWith({ messages: many(() => user) }), { modelId: 'm', headers: {} }),
    );
    assert.ok(counted(result.toChat(PLAIN)).steps >= COUNT);
  });

  test('and others have their turn between them', async () => {
    function* work(): Steps<string> {
      for (let step = 0; step < 10; step += 1) yield;
      return 'done';
    }
    let turns = 0;
    const giveTurn = async (): Promise<void> => {
      turns += 1;
    };
    assert.deepEqual([await doInTurns(work(), new Pace(3, giveTurn)), turns], ['done', 3]);
  });
});
