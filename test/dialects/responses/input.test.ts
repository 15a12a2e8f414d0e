import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chatOf, type Json } from './rendering.ts';

const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

const user = (content: unknown): Json => ({ role: 'user', content });
const said = (text: string): Json => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const called = (id: string, name = 'f', text = '{"a":1}'): Json => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: text,
  status: 'completed',
});
const output = (id: string, value: unknown = `out ${id}`): Json => ({
  type: 'function_call_output',
  id: `fco_${id}`,
  call_id: id,
  output: value,
});

const chatCall = (id: string, name = 'f', text = '{"a":1}'): Json => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});
const assistant = (calls: readonly Json[], content: string | null = null, more: Json = {}): Json => ({
  role: 'assistant',
  content,
  ...more,
  tool_calls: calls,
});
const tool = (id: string, content = `out ${id}`): Json => ({ role: 'tool', tool_call_id: id, content });

const ROWS: readonly (readonly [name: string, input: unknown, messages: readonly Json[]])[] = [
  ['a text', 'Hi', [user('Hi')]],
  ['a message without a type', [user('Hi')], [user('Hi')]],
  ['a message with one text part', [user([{ type: 'input_text', text: 'Hi' }])], [user('Hi')]],
  [
    'several parts',
    [
      user([
        { type: 'input_text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'input_text', text: ' ' },
        { type: 'input_image', image_url: PIXEL, detail: 'original' },
        { type: 'input_image', image_url: { url: PIXEL } },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
        { type: 'input_unknown', x: 1 },
      ]),
    ],
    [
      user([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'image_url', image_url: { url: PIXEL, detail: 'high' } },
        { type: 'image_url', image_url: { url: PIXEL } },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      ]),
    ],
  ],
  [
    'leading system and developer messages become one',
    [
      { role: 'developer', content: [{ type: 'input_text', text: 'one' }] },
      { role: 'system', content: 'two' },
      user('Hi'),
    ],
    [{ role: 'system', content: 'one\n\ntwo' }, user('Hi')],
  ],
  [
    'a later system message joins the user before it',
    [user('Hi'), { role: 'developer', content: 'more' }],
    [
      user([
        { type: 'text', text: 'Hi' },
        { type: 'text', text: 'more' },
      ]),
    ],
  ],
  [
    'a system message after the assistant comes before the next user text',
    [user('Hi'), said('Hello'), { role: 'system', content: 'note' }, user('And?')],
    [
      user('Hi'),
      { role: 'assistant', content: 'Hello' },
      user([
        { type: 'text', text: 'note' },
        { type: 'text', text: 'And?' },
      ]),
    ],
  ],
  [
    'a system message after the last turn of the assistant is a user message',
    [user('Hi'), said('Hello'), { role: 'system', content: 'note' }],
    [user('Hi'), { role: 'assistant', content: 'Hello' }, user('note')],
  ],
  [
    'a system message after an output joins the output',
    [user('Hi'), called('1'), output('1'), { role: 'developer', content: 'note' }],
    [user('Hi'), assistant([chatCall('1')]), tool('1', 'out 1\n\nnote')],
  ],
  [
    'an assistant message, a refusal in it, ids and phases',
    [
      user('Hi'),
      { ...said('No.'), phase: 'commentary' },
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'a' },
          { type: 'refusal', refusal: 'b' },
        ],
      },
    ],
    [user('Hi'), { role: 'assistant', content: 'No.' }, { role: 'assistant', content: 'a\nb' }],
  ],
  ['an empty assistant message', [user('Hi'), said(''), user('So?')], [user('Hi'), user('So?')]],
  [
    'parallel calls are one message, outputs in their order',
    [user('Hi'), called('1'), called('2'), output('2'), output('1')],
    [user('Hi'), assistant([chatCall('1'), chatCall('2')]), tool('1'), tool('2')],
  ],
  [
    'calls join the assistant message before them',
    [user('Hi'), said('I look.'), called('1'), called('2'), output('1'), output('2')],
    [user('Hi'), assistant([chatCall('1'), chatCall('2')], 'I look.'), tool('1'), tool('2')],
  ],
  [
    'a call after an output is a new message',
    [user('Hi'), called('1'), output('1'), called('2'), output('2')],
    [user('Hi'), assistant([chatCall('1')]), tool('1'), assistant([chatCall('2')]), tool('2')],
  ],
  [
    'a message between call and output comes after the output',
    [user('Hi'), called('1'), user('Wait'), output('1')],
    [user('Hi'), assistant([chatCall('1')]), tool('1'), user('Wait')],
  ],
  [
    'a call without an output gets one',
    [user('Hi'), called('1'), user('Go on')],
    [user('Hi'), assistant([chatCall('1')]), tool('1', 'aborted'), user('Go on')],
  ],
  [
    'an output without a call is text of the user',
    [user('Hi'), output('9')],
    [user('Hi'), user('[Result of a tool] out 9')],
  ],
  [
    'the same id again, as some providers make them',
    [user('Hi'), called('0'), output('0', 'a'), called('0'), output('0', 'b')],
    [user('Hi'), assistant([chatCall('0')]), tool('0', 'a'), assistant([chatCall('0')]), tool('0', 'b')],
  ],
  [
    'arguments that are none',
    [user('Hi'), called('1', 'f', ''), called('2', 'f', '{"a'), output('1', ''), output('2', null)],
    [
      user('Hi'),
      assistant([chatCall('1', 'f', '{}'), chatCall('2', 'f', '{"input":"{\\"a"}')]),
      tool('1', ''),
      tool('2', ''),
    ],
  ],
  [
    'a name that chat does not take',
    [user('Hi'), called('1', 'a.b'), output('1')],
    [user('Hi'), assistant([chatCall('1', 'a_b_2e7336dc')]), tool('1')],
  ],
  [
    'a freeform call',
    [
      user('Hi'),
      { type: 'custom_tool_call', call_id: '1', name: 'apply_patch', input: '*** Begin "x"' },
      { type: 'custom_tool_call_output', call_id: '1', output: [{ type: 'input_text', text: 'Done' }] },
    ],
    [
      user('Hi'),
      assistant([chatCall('1', 'apply_patch', '{"input":"*** Begin \\"x\\""}')]),
      tool('1', 'Done'),
    ],
  ],
  [
    'a shell call',
    [
      user('Hi'),
      { type: 'local_shell_call', id: 'lsh_1', call_id: '1', action: { type: 'exec', command: ['ls'] } },
      { type: 'local_shell_call_output', id: '1', output: 'a.txt' },
    ],
    [
      user('Hi'),
      assistant([chatCall('1', 'local_shell', '{"type":"exec","command":["ls"]}')]),
      tool('1', 'a.txt'),
    ],
  ],
  [
    'a search for tools',
    [
      user('Hi'),
      {
        type: 'tool_search_call',
        id: 'tsc_1',
        call_id: '1',
        execution: 'client',
        arguments: { query: 'q' },
      },
      {
        type: 'tool_search_output',
        call_id: '1',
        execution: 'client',
        tools: [
          { type: 'function', name: 'g', defer_loading: true },
          { type: 'namespace', name: 'ns', tools: [{ type: 'function', name: 'h' }] },
        ],
      },
    ],
    [
      user('Hi'),
      assistant([chatCall('1', 'tool_search', '{"query":"q"}')]),
      tool('1', 'These tools can be called now: g, h'),
    ],
  ],
  [
    'outputs of several parts, pictures after all outputs',
    [
      user('Hi'),
      called('1'),
      called('2'),
      output('1', [{ type: 'input_image', image_url: PIXEL }]),
      output('2', [
        { type: 'input_text', text: 'a' },
        { type: 'input_text', text: 'b' },
        { type: 'input_image', image_url: PIXEL },
      ]),
      user('What is it?'),
    ],
    [
      user('Hi'),
      assistant([chatCall('1'), chatCall('2')]),
      tool('1', '[image]'),
      tool('2', 'a\nb'),
      user([
        { type: 'image_url', image_url: { url: PIXEL } },
        { type: 'image_url', image_url: { url: PIXEL } },
        { type: 'text', text: 'What is it?' },
      ]),
    ],
  ],
  [
    'an output that is an object',
    [user('Hi'), called('1'), output('1', { ok: true })],
    [user('Hi'), assistant([chatCall('1')]), tool('1', '{"ok":true}')],
  ],
  [
    'a message from another agent',
    [
      {
        type: 'agent_message',
        author: 'a',
        recipient: 'b',
        content: [
          { type: 'input_text', text: 'one' },
          { type: 'encrypted_content', encrypted_content: 'two' },
        ],
      },
    ],
    [user('one\ntwo')],
  ],
  [
    'items of servers and unknown items are left out',
    [
      user('Hi'),
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'mcp_call', id: 'mcp_1' },
      { type: 'image_generation_call', id: 'ig_1', result: 'AAAA' },
      { type: 'compaction', encrypted_content: 'x' },
      { type: 'ghost_snapshot', ghost_commit: {} },
      { type: 'compaction_trigger' },
      { type: 'tool_search_call', call_id: null, execution: 'server', arguments: {} },
      { type: 'tool_search_output', call_id: null, execution: 'server', tools: [] },
      { type: 'brand_new' },
    ],
    [user('Hi')],
  ],
];

describe('input becomes messages', () => {
  for (const [name, input, messages] of ROWS) {
    test(name, () => assert.deepEqual(chatOf({ input })['messages'], messages));
  }

  test('instructions come first', () => {
    const input = [{ role: 'developer', content: 'two' }, user('Hi')];
    assert.deepEqual(chatOf({ instructions: 'one', input })['messages'], [
      { role: 'system', content: 'one\n\ntwo' },
      user('Hi'),
    ]);
  });
});

describe('very many parts and items', () => {
  /** More than a call can have arguments. */
  const MANY = 150_000;
  const FEWER = 20_000;
  const many = <T>(make: (index: number) => T, length = MANY): T[] =>
    Array.from({ length }, (_, index) => make(index));
  const picture = { type: 'input_image', image_url: 'https://a/b.png' };
  for (const [name, input, length] of [
    ['parts of a message', [user(many(() => ({ type: 'input_text', text: 'a' })))], 1],
    [
      'pictures in an output',
      [
        called('1'),
        output(
          '1',
          many(() => picture),
        ),
      ],
      3,
    ],
    [
      'pictures in an output without a call',
      [
        output(
          '1',
          many(() => picture),
        ),
      ],
      1,
    ],
    ['system messages', [user('Hi'), ...many(() => ({ role: 'system', content: 'a' }))], 1],
    [
      'parallel calls',
      [...many((index) => called(`${index}`), FEWER), ...many((index) => output(`${index}`), FEWER)],
      FEWER + 1,
    ],
    [
      'calls of a search',
      many((index) => ({ type: 'tool_search_call', call_id: `${index}`, arguments: {} }), FEWER),
      FEWER + 1,
    ],
  ] as const) {
    test(name, () => assert.equal((chatOf({ input })['messages'] as unknown[]).length, length));
  }

  test('tools of which many are allowed', () => {
    const tools = many((index) => ({ type: 'function', name: `f${index}` }), FEWER);
    const chat = chatOf({ tools, tool_choice: { type: 'allowed_tools', mode: 'auto', tools } });
    assert.equal((chat['tools'] as unknown[]).length, FEWER);
  });
});

describe('reasoning in the input', () => {
  const thought = (members: Json): Json => ({ type: 'reasoning', id: 'rs_1', ...members });
  const summary = [{ type: 'summary_text', text: 'hm' }];
  const input = [
    user('Hi'),
    thought({ summary, content: null }),
    called('1'),
    thought({ summary: [], content: [{ type: 'reasoning_text', text: 'aha' }] }),
    called('2'),
    output('1'),
    output('2'),
    thought({ summary: [], encrypted_content: 'foreign' }),
    said('Done.'),
    thought({ summary }),
    user('Thanks'),
  ];

  for (const field of ['reasoning_content', 'reasoning'] as const) {
    test(`goes along with the turn that follows it, as ${field}`, () => {
      assert.deepEqual(chatOf({ input }, { reasoningField: field })['messages'], [
        user('Hi'),
        assistant([chatCall('1'), chatCall('2')], null, { [field]: 'hm\n\naha' }),
        tool('1'),
        tool('2'),
        { role: 'assistant', content: 'Done.' },
        user('Thanks'),
      ]);
    });
  }

  test('that is missing before a call is replaced where models refuse a call without any', () => {
    const bare = [user('Hi'), said('Hello'), called('1'), output('1'), said('Done.')];
    const messages = (field: 'reasoning_content' | 'reasoning'): unknown =>
      chatOf({ input: bare }, { reasoningField: field })['messages'];
    const turns = (more: Json): Json[] => [
      user('Hi'),
      assistant([chatCall('1')], 'Hello', more),
      tool('1'),
      { role: 'assistant', content: 'Done.' },
    ];
    assert.deepEqual(messages('reasoning_content'), turns({ reasoning_content: '.' }));
    assert.deepEqual(messages('reasoning'), turns({}));
  });

  test('is left out where the model does not want it', () => {
    assert.doesNotMatch(JSON.stringify(chatOf({ input })), /hm|aha|reasoning/);
  });
});
