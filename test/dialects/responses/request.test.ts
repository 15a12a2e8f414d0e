import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ModelTraits } from '../../../src/dialects/model-traits.ts';
import { chatOf, type Json, refusalOf } from './rendering.ts';

const SCHEMA = { type: 'object', properties: {} };
const FILE = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' };

/** Fields of a request, what they become in chat beside the messages, and what the model takes. */
const ROWS: readonly (readonly [body: Json, chat: Json, traits?: Partial<ModelTraits>])[] = [
  [{}, {}],
  [{ max_output_tokens: 77 }, { max_tokens: 77 }],
  [
    { temperature: 0, top_p: 0.5, presence_penalty: 1, frequency_penalty: -1 },
    { temperature: 0, top_p: 0.5, presence_penalty: 1, frequency_penalty: -1 },
  ],
  [{ temperature: null, top_p: null, max_output_tokens: null }, {}],
  [{ top_logprobs: 3 }, { logprobs: true, top_logprobs: 3 }],
  [{ top_logprobs: 0 }, {}],
  [{ include: ['message.output_text.logprobs'] }, { logprobs: true }],
  [{ include: ['reasoning.encrypted_content', 'file_search_call.results'] }, {}],
  [{ text: { format: { type: 'text' } } }, {}],
  [{ text: { format: { type: 'json_object' } } }, { response_format: { type: 'json_object' } }],
  [
    { text: { format: { type: 'json_schema', name: 'n', schema: SCHEMA, strict: true, description: 'd' } } },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', description: 'd', schema: SCHEMA, strict: true },
      },
    },
  ],
  [{ text: { verbosity: 'low' } }, {}],
  [{ reasoning: { effort: 'low', summary: 'auto' } }, {}],
  ...['none', 'minimal', 'low', 'medium', 'high'].map((effort) => {
    return [{ reasoning: { effort } }, { reasoning_effort: effort }, { reasoningEffort: true }] as const;
  }),
  ...['xhigh', 'max'].map((effort) => {
    return [{ reasoning: { effort } }, { reasoning_effort: 'high' }, { reasoningEffort: true }] as const;
  }),
  [{ reasoning: { effort: 'strange' } }, {}, { reasoningEffort: true }],
  [
    {
      store: true,
      metadata: { a: 'b' },
      safety_identifier: 's',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      truncation: 'auto',
      max_tool_calls: 3,
      service_tier: 'flex',
      user: 'u',
      client_metadata: {},
      context_management: [],
      moderation: {},
      stream: true,
      stream_options: { include_obfuscation: false },
      background: false,
      conversation: null,
      prompt: null,
      previous_response_id: null,
      brand_new: 1,
    },
    {},
  ],
];

describe('fields of a request', () => {
  for (const [body, chat, traits] of ROWS) {
    test(JSON.stringify(body).slice(0, 120), () => {
      assert.deepEqual(chatOf(body, traits), { messages: [{ role: 'user', content: 'Hi' }], ...chat });
    });
  }

  test('files go to models that read them', () => {
    const input = [{ role: 'user', content: [FILE, { ...FILE, filename: null, file_data: 'JVBERi0=' }] }];
    const file = (filename: string): Json => ({
      type: 'file',
      file: { filename, file_data: FILE.file_data },
    });
    assert.deepEqual(chatOf({ input }, { pdf: true })['messages'], [
      { role: 'user', content: [file('a.pdf'), file('file.pdf')] },
    ]);
  });
});

describe('refused requests', () => {
  const part = (content: Json): Json => ({ input: [{ role: 'user', content: [content] }] });
  for (const [body, code, param] of [
    [{ previous_response_id: 'resp_1' }, 'previous_response_not_found', 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'unsupported_parameter', 'conversation'],
    [{ prompt: { id: 'p' } }, 'unsupported_parameter', 'prompt'],
    [{ background: true }, 'unsupported_parameter', 'background'],
    [{ input: undefined }, 'missing_required_parameter', 'input'],
    [{ input: undefined, instructions: 'x' }, 'missing_required_parameter', 'input'],
    [{ input: null }, 'missing_required_parameter', 'input'],
    [{ input: '' }, 'invalid_value', 'input'],
    [{ input: [] }, 'invalid_value', 'input'],
    [{ input: 7 }, 'invalid_value', 'input'],
    [{ input: [{ type: 'compaction_trigger' }, { role: 'user', content: ' ' }] }, 'invalid_value', 'input'],
    [{ input: ['a'] }, 'invalid_value', 'input'],
    [{ input: [{ role: 'tool', content: 'x' }] }, 'invalid_value', 'input'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'unsupported_parameter', 'input'],
    [part({ type: 'input_image', file_id: 'file_1' }), 'unsupported_parameter', 'input'],
    [part({ type: 'input_file', file_id: 'file_1' }), 'unsupported_parameter', 'input'],
    [part({ type: 'input_file', file_url: 'https://a/b.pdf' }), 'unsupported_parameter', 'input'],
    [part(FILE), 'unsupported_parameter', 'input'],
    [{ instructions: ['x'] }, 'invalid_value', 'instructions'],
    [{ temperature: '1' }, 'invalid_value', 'temperature'],
    [{ max_output_tokens: 'many' }, 'invalid_value', 'max_output_tokens'],
    [{ parallel_tool_calls: 1 }, 'invalid_value', 'parallel_tool_calls'],
    [{ text: { format: { type: 'xml' } } }, 'invalid_value', 'text.format'],
  ] as const) {
    test(JSON.stringify(body), () => {
      const refusal = refusalOf(body);
      assert.deepEqual(
        [refusal['status'], refusal['type'], refusal['code'], refusal['param']],
        [400, 'invalid_request_error', code, param],
      );
    });
  }
});
