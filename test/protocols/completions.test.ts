import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completionToEvents } from '../../src/protocols/completions.ts';

function records(answer: unknown, includeUsage = false): unknown[] {
  const events = completionToEvents(answer, includeUsage);
  assert.ok(events !== null);
  return events
    .toString()
    .split('\n\n')
    .filter(Boolean)
    .map((record) => (record === 'data: [DONE]' ? 'done' : JSON.parse(record.replace(/^data: /, ''))));
}

describe('completionToEvents()', () => {
  const usage = { total_tokens: 3 };
  const chat = {
    id: 'x',
    object: 'chat.completion',
    model: 'm',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'a\nb' }, finish_reason: 'stop' },
      {
        index: 1,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 't', type: 'function' }, { id: 'u' }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage,
  };
  const head = { id: 'x', object: 'chat.completion.chunk', model: 'm' };

  test('makes one chunk per choice, usage only on request, and [DONE]', () => {
    const chunks = [
      {
        ...head,
        choices: [{ index: 0, delta: { role: 'assistant', content: 'a\nb' }, finish_reason: 'stop' }],
      },
      {
        ...head,
        choices: [
          {
            index: 1,
            delta: {
              role: 'assistant',
              content: null,
              tool_calls: [
                { index: 0, id: 't', type: 'function' },
                { index: 1, id: 'u' },
              ],
            },
            finish_reason: 'tool_calls',
          },
        ],
      },
    ];
    assert.deepEqual(records(chat), [...chunks, 'done']);
    assert.deepEqual(records(chat, true), [...chunks, { ...head, choices: [], usage }, 'done']);
    assert.deepEqual(records({ ...chat, usage: undefined }, true), [...chunks, 'done']);
  });

  test('keeps the format of text completions', () => {
    assert.deepEqual(
      records({ object: 'text_completion', choices: [{ text: 'hi', index: 0, finish_reason: 'stop' }] }),
      [{ object: 'text_completion', choices: [{ text: 'hi', index: 0, finish_reason: 'stop' }] }, 'done'],
    );
  });

  test('knows a text completion that does not say what it is', () => {
    const [first] = records({ choices: [{ text: 'hi', index: 0, finish_reason: 'stop' }] });
    assert.deepEqual(first, {
      object: 'text_completion',
      choices: [{ text: 'hi', index: 0, finish_reason: 'stop' }],
    });
  });

  test('keeps reasoning, refusals, function calls, log probabilities and further members', () => {
    const message = {
      role: 'assistant',
      content: null,
      reasoning_content: 'r',
      refusal: 'no',
      function_call: {},
    };
    const rest = { index: 0, finish_reason: 'stop', logprobs: { content: [] } };
    const [first] = records({ ...chat, service_tier: 'x', choices: [{ ...rest, message }] });
    assert.deepEqual(first, { ...head, service_tier: 'x', choices: [{ ...rest, delta: message }] });
  });

  test('returns null for anything but a completion', () => {
    for (const answer of [null, undefined, 5, 'x', [], {}, { choices: {} }, { data: [] }])
      assert.equal(completionToEvents(answer, true), null);
    assert.deepEqual(records({ choices: [null, 5, 'x'] }), ['done']);
  });
});
