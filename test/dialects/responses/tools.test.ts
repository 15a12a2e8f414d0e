import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chatOf, type Json, refusalOf } from './rendering.ts';

const SCHEMA = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
const RAW = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The raw input of the tool, as plain text.' } },
  required: ['input'],
};
const fn = (name: string, more: Json = {}): Json => ({ type: 'function', name, parameters: SCHEMA, ...more });
const chatFn = (name: string, more: Json = {}): Json => ({
  type: 'function',
  function: { name, parameters: SCHEMA, ...more },
});

const ROWS: readonly (readonly [name: string, tools: readonly Json[], chat: readonly Json[] | undefined])[] =
  [
    ['none', [], undefined],
    [
      'a function',
      [fn('f', { description: 'd', strict: true })],
      [chatFn('f', { description: 'd', strict: true })],
    ],
    ['a function that is not strict', [fn('f', { description: null, strict: false })], [chatFn('f')]],
    [
      'functions without parameters',
      [
        fn('f', { parameters: null }),
        fn('g', { parameters: {} }),
        fn('h', { parameters: { type: 'object' } }),
      ],
      ['f', 'g', 'h'].map((name) => chatFn(name, { parameters: { type: 'object', properties: {} } })),
    ],
    [
      'a freeform tool',
      [{ type: 'custom', name: 'c', description: 'd' }],
      [chatFn('c', { description: 'd', parameters: RAW })],
    ],
    [
      'a freeform tool with a grammar',
      [
        {
          type: 'custom',
          name: 'c',
          description: 'd',
          format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
        },
      ],
      [
        chatFn('c', {
          description: 'd\n\nThe input must follow this lark grammar:\nstart: "x"',
          parameters: RAW,
        }),
      ],
    ],
    [
      'a namespace, also within another',
      [
        {
          type: 'namespace',
          name: 'ns',
          tools: [fn('f'), { type: 'namespace', name: 'inner', tools: [fn('g')] }],
        },
      ],
      [chatFn('f'), chatFn('g')],
    ],
    [
      'names that occur twice',
      [
        fn('f'),
        { type: 'namespace', name: 'a', tools: [fn('f')] },
        { type: 'namespace', name: 'b', tools: [fn('f')] },
      ],
      [chatFn('f'), chatFn('a__f'), chatFn('b__f')],
    ],
    [
      'a name that another tool gets by its namespace',
      [fn('f'), fn('a__f'), { type: 'namespace', name: 'a', tools: [fn('f')] }],
      [chatFn('f'), chatFn('a__f'), chatFn('a__f_a53628d4')],
    ],
    ['the same declaration twice', [fn('f'), fn('f', { description: 'later' })], [chatFn('f')]],
    [
      'names that chat does not take',
      [fn('a.b'), fn('x'.repeat(70))],
      [chatFn('a_b_2e7336dc'), chatFn(`${'x'.repeat(55)}_c71bd109`)],
    ],
    [
      'a search that the client runs',
      [{ type: 'tool_search', execution: 'client', description: 'd', parameters: SCHEMA }],
      [chatFn('tool_search', { description: 'd' })],
    ],
    [
      'tools that a server runs, and unknown ones',
      [
        { type: 'web_search' },
        { type: 'web_search_preview' },
        { type: 'file_search', vector_store_ids: [] },
        { type: 'code_interpreter', container: {} },
        { type: 'image_generation' },
        { type: 'computer_use_preview' },
        { type: 'mcp', server_label: 's' },
        { type: 'programmatic_tool_calling' },
        { type: 'tool_search' },
        { type: 'brand_new' },
      ],
      undefined,
    ],
    ['tools that a server runs beside others', [{ type: 'web_search' }, fn('f')], [chatFn('f')]],
  ];

describe('tools', () => {
  for (const [name, tools, chat] of ROWS) {
    test(name, () => {
      const {
        tools: sent,
        tool_choice: choice,
        parallel_tool_calls: parallel,
      } = chatOf({
        tools,
        tool_choice: 'auto',
        parallel_tool_calls: false,
      });
      assert.deepEqual(sent, chat);
      assert.deepEqual([choice, parallel], chat === undefined ? [undefined, undefined] : ['auto', false]);
    });
  }

  test('also stand in the input; the first declaration wins', () => {
    const input = [
      { type: 'additional_tools', role: 'developer', tools: [fn('f', { description: 'second' }), fn('g')] },
      { role: 'user', content: 'Hi' },
      {
        type: 'tool_search_output',
        call_id: '1',
        execution: 'client',
        tools: [fn('h', { defer_loading: true })],
      },
    ];
    const { tools } = chatOf({ input, tools: [fn('f', { description: 'first' })] });
    assert.deepEqual(tools, [chatFn('f', { description: 'first' }), chatFn('g'), chatFn('h')]);
  });

  for (const type of ['local_shell', 'shell', 'apply_patch']) {
    test(`of the type ${type} are refused`, () => {
      const { status, code, param } = refusalOf({ tools: [{ type }] });
      assert.deepEqual([status, code, param], [400, 'unsupported_parameter', 'tools']);
    });
  }

  for (const [name, tools] of [
    ['no list', {}],
    ['a text', ['f']],
    ['without a name', [{ type: 'function' }]],
    ['with an empty name', [{ type: 'custom', name: '' }]],
    ['a namespace whose tools are no list', [{ type: 'namespace', name: 'n', tools: 1 }]],
  ] as const) {
    test(`that are none are refused: ${name}`, () => {
      const { status, code, param } = refusalOf({ tools });
      assert.deepEqual([status, code, param], [400, 'invalid_value', 'tools']);
    });
  }
});

describe('the choice of a tool', () => {
  const tools = [
    fn('f'),
    { type: 'custom', name: 'c' },
    { type: 'namespace', name: 'ns', tools: [fn('f')] },
    { type: 'tool_search', execution: 'client' },
    { type: 'web_search' },
  ];
  const named = (name: string): Json => ({ type: 'function', function: { name } });
  for (const [choice, sent] of [
    [undefined, undefined],
    [null, undefined],
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [{ type: 'function', name: 'f' }, named('f')],
    [{ type: 'function', name: 'f', namespace: 'ns' }, named('ns__f')],
    [{ type: 'custom', name: 'c' }, named('c')],
    [{ type: 'tool_search' }, named('tool_search')],
  ] as const) {
    test(JSON.stringify(choice) ?? 'absent', () => {
      const chat = chatOf({ tools, tool_choice: choice });
      assert.deepEqual(chat['tool_choice'], sent);
      assert.equal((chat['tools'] as Json[]).length, 4);
    });
  }

  test('may be among some of them', () => {
    const allowed = [{ type: 'function', name: 'f' }, { type: 'web_search' }];
    for (const [mode, sent] of [
      ['auto', 'auto'],
      ['required', 'required'],
    ]) {
      const chat = chatOf({ tools, tool_choice: { type: 'allowed_tools', mode, tools: allowed } });
      assert.deepEqual([chat['tools'], chat['tool_choice']], [[chatFn('f')], sent]);
    }
  });

  for (const choice of [
    { type: 'web_search' },
    { type: 'function', name: 'other' },
    { type: 'custom' },
    { type: 'mcp', server_label: 's' },
    { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'web_search' }] },
    'any',
    7,
  ]) {
    test(`of what is not offered is refused: ${JSON.stringify(choice)}`, () => {
      const { status, code, param } = refusalOf({ tools, tool_choice: choice });
      assert.deepEqual([status, code, param], [400, 'invalid_value', 'tool_choice']);
    });
  }
});
