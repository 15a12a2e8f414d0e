import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../../src/errors.ts';
import { call, completion, type Json, responseOf, streamed, whole } from './rendering.ts';

const TOOLS = [
  { type: 'function', name: 'f', description: 'd', parameters: {}, strict: null },
  { type: 'custom', name: 'patch', format: { type: 'text' } },
  { type: 'tool_search', execution: 'client' },
  { type: 'namespace', name: 'ns', tools: [{ type: 'function', name: 'h' }] },
  { type: 'web_search' },
];

describe('a whole response', () => {
  test('has every member, with the defaults of the API', () => {
    assert.deepEqual(whole(completion({ content: 'Hi' })), {
      id: 'resp_1',
      object: 'response',
      created_at: 1_700_000_000,
      completed_at: 1_700_000_000,
      status: 'completed',
      incomplete_details: null,
      error: null,
      output: [
        {
          type: 'message',
          id: 'msg_2',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hi', annotations: [], logprobs: [] }],
        },
      ],
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 7,
      },
      model: 'm',
      previous_response_id: null,
      instructions: null,
      tools: [],
      tool_choice: 'auto',
      truncation: 'disabled',
      parallel_tool_calls: true,
      text: { format: { type: 'text' } },
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_logprobs: 0,
      temperature: 1,
      reasoning: { effort: null, summary: null },
      max_output_tokens: null,
      max_tool_calls: null,
      store: false,
      background: false,
      service_tier: 'default',
      metadata: {},
      safety_identifier: null,
      prompt_cache_key: null,
    });
  });

  test('repeats what the client sent, streamed and whole', () => {
    const echoed = {
      instructions: 'be brief',
      tools: TOOLS,
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: false,
      text: { format: { type: 'json_object' }, verbosity: 'low' },
      top_p: 0.5,
      presence_penalty: 1,
      frequency_penalty: -1,
      top_logprobs: 2,
      temperature: 0,
      reasoning: { effort: 'low', summary: 'auto' },
      max_output_tokens: 7,
      max_tool_calls: 3,
      metadata: { a: 'b' },
      safety_identifier: 's',
      prompt_cache_key: 'k',
    };
    const body = { ...echoed, store: true, truncation: 'auto', service_tier: 'flex', background: false };
    const fixed = { store: false, truncation: 'disabled', service_tier: 'default', background: false };
    const events = streamed([completion({ content: 'Hi' })], { body });
    for (const response of [
      whole(completion({ content: 'Hi' }), { body }),
      ...[0, 1, -1].map((at) => responseOf(events.at(at))),
    ]) {
      for (const [name, value] of Object.entries({ ...echoed, ...fixed }))
        assert.deepEqual(response[name], value, name);
    }
  });

  test('has reasoning, text and calls in this order', () => {
    const message = {
      tool_calls: [
        call(0, 'c1', 'h', '{"a":1}'),
        call(1, 'c2', 'patch', '{"input":"*** Begin"}'),
        call(2, 'c3', 'tool_search', '{"query":"q"}'),
        call(3, 'c1', 'f', ''),
      ],
      content: 'I look.',
      reasoning_content: 'hm',
    };
    const { output } = whole(completion(message, 'tool_calls'), { body: { tools: TOOLS } });
    assert.deepEqual(output, [
      { type: 'reasoning', id: 'rs_2', summary: [{ type: 'summary_text', text: 'hm' }] },
      {
        type: 'message',
        id: 'msg_3',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'I look.', annotations: [], logprobs: [] }],
      },
      {
        type: 'function_call',
        id: 'fc_4',
        call_id: 'c1',
        name: 'h',
        namespace: 'ns',
        arguments: '{"a":1}',
        status: 'completed',
      },
      {
        type: 'custom_tool_call',
        id: 'ctc_5',
        call_id: 'c2',
        name: 'patch',
        input: '*** Begin',
        status: 'completed',
      },
      {
        type: 'tool_search_call',
        id: 'tsc_6',
        call_id: 'c3',
        execution: 'client',
        arguments: { query: 'q' },
        status: 'completed',
      },
      {
        type: 'function_call',
        id: 'fc_8',
        call_id: 'call_7',
        name: 'f',
        arguments: '{}',
        status: 'completed',
      },
    ]);
  });

  for (const [name, text, input] of [
    ['the member `input`', '{"input":"a\\nb"}', 'a\nb'],
    ['the member `patch`', '{"patch":"a"}', 'a'],
    ['the member `content`', '{"content":"a"}', 'a'],
    ['a single member of another name', '{"code":"a"}', 'a'],
    ['a JSON string', '"a"', 'a'],
    ['bare text', '*** Begin Patch', '*** Begin Patch'],
    ['a fence', '{"input":"```diff\\na\\nb\\n```"}', 'a\nb'],
    ['fences within', '{"input":"a\\n```\\nb\\n```"}', 'a\n```\nb\n```'],
    ['several members', '{"a":"1","b":"2"}', '{"a":"1","b":"2"}'],
  ] as const) {
    test(`takes the input of a freeform tool from ${name}`, () => {
      const { output } = whole(completion({ tool_calls: [call(0, 'c', 'patch', text)] }), {
        body: { tools: TOOLS },
      });
      assert.equal((output as Json[])[0]?.['input'], input);
    });
  }

  test('leaves out a call that the limit of tokens cut off', () => {
    const calls = [call(0, 'c1', 'f', '{"a":1}'), call(1, 'c2', 'f', '{"a')];
    const {
      status,
      incomplete_details: details,
      output,
    } = whole(completion({ content: 'Hi', tool_calls: calls }, 'length'), { body: { tools: TOOLS } });
    assert.deepEqual([status, details], ['incomplete', { reason: 'max_output_tokens' }]);
    assert.deepEqual(
      (output as Json[]).map(({ type, arguments: text }) => [type, text]),
      [
        ['message', undefined],
        ['function_call', '{"a":1}'],
      ],
    );
  });

  test('has a refusal; for Codex as text', () => {
    const part = ({ output }: Json): unknown =>
      (output as { content: Json[] }[]).flatMap(({ content }) => content)[0]?.['type'];
    assert.equal(part(whole(completion({ refusal: 'No.' }))), 'refusal');
    assert.equal(
      part(whole(completion({ refusal: 'No.' }), { headers: { originator: 'codex_cli_rs' } })),
      'output_text',
    );
  });

  test('of a content filter fails for Codex and is incomplete for others', () => {
    const filtered = completion({ content: '' }, 'content_filter');
    const { status, incomplete_details: details, error } = whole(filtered);
    assert.deepEqual([status, details, error], ['incomplete', { reason: 'content_filter' }, null]);
    const failed = whole(filtered, { headers: { originator: 'codex_exec' } });
    assert.deepEqual([failed['status'], (failed['error'] as Json)['code']], ['failed', 'invalid_prompt']);
  });

  for (const answer of [null, [], {}, { choices: 'x' }, 'text']) {
    test(`is an error of the provider without choices: ${JSON.stringify(answer)}`, () => {
      assert.throws(
        () => whole(answer),
        (error) => error instanceof HttpError && error.error.code === 'upstream_invalid_response',
      );
    });
  }
});
