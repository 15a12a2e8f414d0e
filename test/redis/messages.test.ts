import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Message, Messages } from '../../src/redis/messages.ts';

describe('messages to the engine', () => {
  test('one is sent again until it is acknowledged, and for five seconds after, in the order of their numbers', () => {
    let nowMs = 0;
    const messages = new Messages<string>(() => nowMs);
    const [a, b, c] = ['a', 'b', 'c'].map((content) => messages.add(content)) as [
      Message<string>,
      Message<string>,
      Message<string>,
    ];
    const numbers = (list: readonly Message<string>[]): number[] => list.map(({ number }) => number);
    messages.acknowledge(b);
    assert.deepEqual(numbers(messages.unacknowledged), [1, 3]);
    assert.deepEqual(numbers(messages.resendable), [1, 2, 3]);
    nowMs = 4_999;
    messages.acknowledge(a);
    assert.deepEqual(numbers(messages.resendable), [1, 2, 3]);
    nowMs = 5_000;
    messages.acknowledge(c);
    assert.deepEqual(numbers(messages.unacknowledged), []);
    assert.deepEqual(numbers(messages.resendable), [1, 3]);
    // Sent again and acknowledged again, it is kept once.
    messages.acknowledge(c);
    assert.deepEqual(numbers(messages.resendable), [1, 3]);
  });
});
