import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { doAtOnce } from '../helpers/steps.ts';
import { chatMessages, PLAIN, parse, toChat } from './messages-setup.ts';

const USER = { role: 'user', content: 'Hi' } as const;
const TOOL = { name: 'run', description: 'Runs', input_schema: { type: 'object', properties: { a: {} } } };
const FUNCTION = {
  type: 'function',
  function: { name: 'run', description: 'Runs', parameters: { type: 'object', properties: { a: {} } } },
};
const PNG = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
const PDF = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' };
const IMAGE_URL = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };

type Json = Record<string, unknown>;

describe('fields of a Messages request', () => {
  const rows: readonly (readonly [name: string, fields: Json, chat: Json])[] = [
    ['the smallest request', {}, { messages: [USER], max_tokens: 100 }],
    [
      'a system prompt as text',
      { system: 'Be brief.' },
      { messages: [{ role: 'system', content: 'Be brief.' }, USER], max_tokens: 100 },
    ],
    [
      'a system prompt in blocks, without the billing line',
      {
        system: [
          { type: 'text', text: 'x-anthropic-billing-header: cc_version=2; x' },
          { type: 'text', text: 'One', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: ' ' },
          { type: 'text', text: 'Two', citations: null },
        ],
      },
      { messages: [{ role: 'system', content: 'One\n\nTwo' }, USER], max_tokens: 100 },
    ],
    [
      'sampling',
      { temperature: 0.5, top_p: 0.9, top_k: 5 },
      { messages: [USER], max_tokens: 100, temperature: 0.5, top_p: 0.9 },
    ],
    [
      'stop sequences, of which OpenAI takes four',
      { stop_sequences: ['a', '', 'b', 'c', 'd', 'e'] },
      { messages: [USER], max_tokens: 100, stop: ['a', 'b', 'c', 'd'] },
    ],
    ['no stop sequences', { stop_sequences: [] }, { messages: [USER], max_tokens: 100 }],
    [
      'fields without a counterpart, and unknown ones',
      {
        metadata: { user_id: 'x'.repeat(200) },
        context_management: { edits: [] },
        container: 'c',
        mcp_servers: [],
        service_tier: 'auto',
        inference_geo: 'eu',
        cache_control: {},
        speed: 'fast',
        user_profile_id: 'u',
        betas: ['x'],
        thread: { type: 'create' },
        thinking: { type: 'adaptive', display: 'omitted' },
        future: { a: 1 },
      },
      { messages: [USER], max_tokens: 100 },
    ],
    [
      'a JSON schema for the answer',
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      {
        messages: [USER],
        max_tokens: 100,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
        },
      },
    ],
    [
      'an effort for a model that takes none',
      { output_config: { effort: 'high' } },
      { messages: [USER], max_tokens: 100 },
    ],
    [
      'an empty list of tools',
      { tools: [], tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      { messages: [USER], max_tokens: 100 },
    ],
    [
      'a tool',
      {
        tools: [
          {
            ...TOOL,
            cache_control: {},
            eager_input_streaming: true,
            input_examples: [],
            allowed_callers: [],
            strict: true,
          },
        ],
      },
      { messages: [USER], max_tokens: 100, tools: [FUNCTION] },
    ],
    [
      'a tool of type custom, and one of the same name',
      {
        tools: [
          { type: 'custom', ...TOOL },
          { ...TOOL, description: 'Other' },
        ],
      },
      { messages: [USER], max_tokens: 100, tools: [FUNCTION] },
    ],
    [
      'tools whose schema lacks its properties',
      {
        tools: [
          { name: 'a', input_schema: { type: 'object' } },
          { name: 'b' },
          { name: 'c', input_schema: {} },
        ],
      },
      {
        messages: [USER],
        max_tokens: 100,
        tools: ['a', 'b', 'c'].map((name) => ({
          type: 'function',
          function: { name, parameters: { type: 'object', properties: {} } },
        })),
      },
    ],
    ...(
      [
        ['auto', 'auto'],
        ['any', 'required'],
        ['none', 'none'],
      ] as const
    ).map(([type, choice]) => {
      const chat = { messages: [USER], max_tokens: 100, tools: [FUNCTION], tool_choice: choice };
      return [`tool_choice ${type}`, { tools: [TOOL], tool_choice: { type } }, chat] as const;
    }),
    [
      'tool_choice of one tool, one call at a time',
      { tools: [TOOL], tool_choice: { type: 'tool', name: 'run', disable_parallel_tool_use: true } },
      {
        messages: [USER],
        max_tokens: 100,
        tools: [FUNCTION],
        tool_choice: { type: 'function', function: { name: 'run' } },
        parallel_tool_calls: false,
      },
    ],
    [
      'tools of the server beside one of the client',
      { tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 8 }, TOOL] },
      { messages: [USER], max_tokens: 100, tools: [FUNCTION] },
    ],
    [
      'tools of the server beside a deferred one',
      {
        tools: [
          { type: 'tool_search_tool_regex_20251119', name: 'search' },
          { ...TOOL, defer_loading: true },
        ],
      },
      { messages: [USER], max_tokens: 100 },
    ],
    [
      'a deferred tool that nothing names',
      { tools: [TOOL, { name: 'later', defer_loading: true }] },
      { messages: [USER], max_tokens: 100, tools: [FUNCTION] },
    ],
  ];
  for (const [name, fields, chat] of rows) test(name, () => assert.deepEqual(toChat(fields), chat));

  for (const [effort, sent] of [
    ['low', 'low'],
    ['medium', 'medium'],
    ['high', 'high'],
    ['xhigh', 'high'],
    ['max', 'high'],
    ['huge', undefined],
    ['constructor', undefined],
  ] as const) {
    test(`effort ${effort} for a model that takes one`, () => {
      const chat = toChat({ output_config: { effort } }, { reasoningEffort: true });
      assert.equal(chat['reasoning_effort'], sent);
    });
  }

  test('no effort beside thinking that is switched off', () => {
    const chat = toChat(
      { output_config: { effort: 'high' }, thinking: { type: 'disabled' } },
      { reasoningEffort: true },
    );
    assert.ok(!('reasoning_effort' in chat));
  });

  test('tools that the client runs and that are known by their type', () => {
    const types = ['bash_20250124', 'text_editor_20250728', 'memory_20250818', 'computer_20251124'];
    const { tools } = toChat({ tools: types.map((type, index) => ({ type, name: `t${index}` })) });
    const functions = (tools as { function: { name: string; parameters: { properties: object } } }[]).map(
      (tool) => tool.function,
    );
    assert.deepEqual(
      functions.map(({ name }) => name),
      ['t0', 't1', 't2', 't3'],
    );
    assert.ok(functions.every(({ parameters }) => Object.keys(parameters.properties).length > 1));
  });

  test('a name with characters that chat does not take is replaced', () => {
    const { tools } = toChat({ tools: [{ name: 'files.read' }] });
    const [{ function: called } = { function: { name: '' } }] = tools as { function: { name: string } }[];
    assert.match(called.name, /^files_read_[0-9a-f]{8}$/);
  });

  test('a long name of a tool is shortened everywhere, and told in full', () => {
    const long = `mcp__${'x'.repeat(80)}`;
    const request = parse({
      tools: [{ name: long }],
      tool_choice: { type: 'tool', name: long },
      messages: [
        USER,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: long, input: {} }] },
      ],
    });
    const chat = doAtOnce(request.toChat(PLAIN)) as {
      tools: { function: { name: string } }[];
      tool_choice: { function: { name: string } };
      messages: { tool_calls?: { function: { name: string } }[] }[];
    };
    const short = chat.tools[0]?.function.name ?? '';
    assert.match(short, /^mcp__x{50}_[0-9a-f]{8}$/);
    assert.equal(short.length, 64);
    assert.equal(chat.tool_choice.function.name, short);
    assert.equal(chat.messages[1]?.tool_calls?.[0]?.function.name, short);
    const call = { id: 'b', type: 'function', function: { name: short, arguments: '{}' } };
    const message = { role: 'assistant', content: null, tool_calls: [call] };
    const answer = request.renderAnswer(
      { choices: [{ message, finish_reason: 'tool_calls' }] },
      {
        requestId: 'r',
        promptTokens: 1,
        nowSeconds: () => 1,
        newId: () => 'n',
      },
    ) as { content: { name: string }[] };
    assert.equal(answer.content[0]?.name, long);
  });
});

describe('a Messages request that is refused', () => {
  const rows: readonly (readonly [
    name: string,
    fields: Json,
    status: number,
    param: string,
    message: RegExp,
  ])[] = [
    ['without max_tokens', { max_tokens: undefined }, 400, 'max_tokens', /^max_tokens: Field required$/],
    ['with max_tokens 0', { max_tokens: 0 }, 400, 'max_tokens', /whole number/],
    ['with max_tokens 1.5', { max_tokens: 1.5 }, 400, 'max_tokens', /whole number/],
    ['without messages', { messages: undefined }, 400, 'messages', /^messages: Field required$/],
    ['with messages that are no list', { messages: 'Hi' }, 400, 'messages', /list/],
    ['with no message', { messages: [] }, 400, 'messages', /at least one/],
    ['with a message that is no object', { messages: ['Hi'] }, 400, 'messages.0', /object/],
    [
      'with an unknown role',
      { messages: [{ role: 'tool', content: '' }] },
      400,
      'messages.0.role',
      /user, assistant or system/,
    ],
    ['with MCP servers', { mcp_servers: [{ url: 'x' }] }, 400, 'mcp_servers', /MCP/],
    [
      'that continues a stored thread',
      { thread: { type: 'continue', previous_message_id: 'msg_1' } },
      404,
      'thread',
      /not stored/,
    ],
    [
      'with tools of the server alone',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      400,
      'tools',
      /web_search/,
    ],
    [
      'with an unknown tool alone',
      { tools: [{ type: 'future_20300101', name: 'future' }] },
      400,
      'tools',
      /future/,
    ],
    [
      'with a tool without a name',
      { tools: [{ input_schema: {} }] },
      400,
      'tools',
      /tools\.0\.name: Field required/,
    ],
    ['with tools that are no list', { tools: {} }, 400, 'tools', /list/],
    [
      'that wants a tool that is not there',
      { tools: [TOOL], tool_choice: { type: 'tool', name: 'walk' } },
      400,
      'tool_choice',
      /walk/,
    ],
    [
      'that wants a tool that was dropped',
      {
        tools: [TOOL, { type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'tool', name: 'web_search' },
      },
      400,
      'tool_choice',
      /web_search/,
    ],
    [
      'with a file that is stored elsewhere',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
      400,
      'messages',
      /not stored/,
    ],
    [
      'with a document that is stored elsewhere',
      {
        messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }],
      },
      400,
      'messages',
      /not stored/,
    ],
  ];
  for (const [name, fields, status, param, message] of rows) {
    test(name, () => {
      assert.throws(
        () => toChat(fields),
        (error) => {
          assert.ok(error instanceof HttpError);
          assert.deepEqual([error.status, error.error.param], [status, param]);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

const call = (id: string, input: unknown = {}): Json => ({ type: 'tool_use', id, name: 'run', input });
const chatCall = (id: string, args = '{}'): Json => ({
  id,
  type: 'function',
  function: { name: 'run', arguments: args },
});
const result = (id: string, content: unknown, more: Json = {}): Json => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...more,
});
const assistant = (...content: Json[]): Json => ({ role: 'assistant', content });
const user = (...content: Json[]): Json => ({ role: 'user', content });
const system = (text: string): Json => ({ role: 'system', content: text });
const text = (value: string): Json => ({ type: 'text', text: value });
const tool = (id: string, content: string): Json => ({ role: 'tool', tool_call_id: id, content });
const calls = (...ids: string[]): Json => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => chatCall(id)),
});

describe('blocks of Messages', () => {
  const rows: readonly (readonly [name: string, messages: readonly unknown[], chat: readonly unknown[]])[] = [
    ['a lone text becomes a string', [user(text('Hi'))], [USER]],
    [
      'several texts stay parts; blank ones go',
      [user(text('a'), text(' \n'), text('b'))],
      [{ role: 'user', content: [text('a'), text('b')] }],
    ],
    [
      'an image as base64',
      [user(text('See'), { type: 'image', source: PNG })],
      [{ role: 'user', content: [text('See'), IMAGE_URL] }],
    ],
    [
      'an image behind an address',
      [user({ type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } })],
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/x.png' } }] }],
    ],
    ['an image without data', [user({ type: 'image', source: {} })], [{ role: 'user', content: '[image]' }]],
    [
      'a document as text',
      [
        user({
          type: 'document',
          title: 'T',
          source: { type: 'text', media_type: 'text/plain', data: 'Words' },
        }),
      ],
      [{ role: 'user', content: 'T\nWords' }],
    ],
    [
      'a document made of blocks',
      [
        user({
          type: 'document',
          source: { type: 'content', content: [text('Words'), { type: 'image', source: PNG }] },
        }),
      ],
      [{ role: 'user', content: [text('Words'), IMAGE_URL] }],
    ],
    [
      'a PDF for a model that reads none',
      [user({ type: 'document', title: 'a.pdf', source: PDF })],
      [
        {
          role: 'user',
          content: [text('[The document a.pdf is not shown: this model does not read PDF files.]')],
        },
      ],
    ],
    [
      'a document behind an address, with what is said about it',
      [
        user({
          type: 'document',
          title: 'T',
          context: 'From the archive',
          source: { type: 'url', url: 'https://a.example/a.pdf' },
        }),
      ],
      [{ role: 'user', content: 'T\nFrom the archive\n[Document at https://a.example/a.pdf]' }],
    ],
    [
      'a document of an unknown source',
      [user(text('Hi'), { type: 'document', source: { type: 'future' } }, { type: 'document' })],
      [USER],
    ],
    [
      'a result of a search',
      [user({ type: 'search_result', title: 'T', source: 'https://a.example', content: [text('Body')] })],
      [{ role: 'user', content: 'T\nhttps://a.example\nBody' }],
    ],
    ['an unknown block', [user(text('Hi'), { type: 'container_upload', file_id: 'f' })], [USER]],
    ['a turn of which nothing is left', [USER, user(), user({ type: 'future' })], [USER]],
    ['an empty turn of the model', [USER, assistant(), assistant(text(''))], [USER]],
    ['neighbours of the same role', [USER, USER], [USER, USER]],
    [
      'a first turn of the model',
      [assistant(text('Hello')), USER],
      [{ role: 'assistant', content: 'Hello' }, USER],
    ],
    [
      'a last turn of the model',
      [USER, assistant(text('It is'))],
      [USER, { role: 'assistant', content: 'It is' }],
    ],
    [
      'a call and its result',
      [USER, assistant(text('Wait'), call('a', { x: [1] })), user(result('a', 'done', { is_error: false }))],
      [
        USER,
        { role: 'assistant', content: 'Wait', tool_calls: [chatCall('a', '{"x":[1]}')] },
        tool('a', 'done'),
      ],
    ],
    [
      'results in another order than their calls',
      [USER, assistant(call('a'), call('b')), user(result('b', '2'), result('a', [text('1'), text('1b')]))],
      [USER, calls('a', 'b'), tool('a', '1\n1b'), tool('b', '2')],
    ],
    [
      'an empty result',
      [USER, assistant(call('a')), user(result('a', undefined))],
      [USER, calls('a'), tool('a', '')],
    ],
    [
      'an error as result',
      [USER, assistant(call('a')), user(result('a', 'no', { is_error: true }))],
      [USER, calls('a'), tool('a', 'Error: no')],
    ],
    [
      'an error that says so itself',
      [USER, assistant(call('a')), user(result('a', '<error>no</error>', { is_error: true }))],
      [USER, calls('a'), tool('a', '<error>no</error>')],
    ],
    [
      'pictures in results follow all results',
      [
        USER,
        assistant(call('a'), call('b')),
        user(result('a', [text('x'), { type: 'image', source: PNG }]), result('b', 'y'), text('Look')),
      ],
      [
        USER,
        calls('a', 'b'),
        tool('a', 'x\n[image]'),
        tool('b', 'y'),
        { role: 'user', content: [IMAGE_URL, text('Look')] },
      ],
    ],
    [
      'a result of a picture alone',
      [USER, assistant(call('a')), user(result('a', [{ type: 'image', source: PNG }]))],
      [USER, calls('a'), tool('a', '[image]'), { role: 'user', content: [IMAGE_URL] }],
    ],
    [
      'a document in a result, for a model that reads no PDF',
      [USER, assistant(call('a')), user(result('a', [text('x'), { type: 'document', source: PDF }]))],
      [
        USER,
        calls('a'),
        tool('a', 'x\n[document]'),
        {
          role: 'user',
          content: [text('[The document document.pdf is not shown: this model does not read PDF files.]')],
        },
      ],
    ],
    [
      'a result of a search within a result',
      [
        USER,
        assistant(call('a')),
        user(result('a', [{ type: 'search_result', title: 'T', source: 's', content: [text('Body')] }])),
      ],
      [USER, calls('a'), tool('a', 'T\ns\nBody')],
    ],
    [
      'text beside results, also before them',
      [USER, assistant(call('a')), user(text('Before'), result('a', '1'), text('After'))],
      [USER, calls('a'), tool('a', '1'), { role: 'user', content: [text('Before'), text('After')] }],
    ],
    [
      'a call without a result',
      [USER, assistant(call('a')), USER],
      [USER, calls('a'), tool('a', 'aborted'), USER],
    ],
    [
      'a result without a call',
      [user(result('x', 'lost'))],
      [{ role: 'user', content: '[Result of a tool] lost' }],
    ],
    [
      'an id that is used again',
      [USER, assistant(call('a')), user(result('a', '1')), assistant(call('a')), user(result('a', '2'))],
      [USER, calls('a'), tool('a', '1'), calls('a'), tool('a', '2')],
    ],
    [
      'an id that is used twice in one turn',
      [USER, assistant(call('a'), call('a')), user(result('a', '1'), result('a', '2'))],
      [USER, calls('a', 'a'), tool('a', '1'), tool('a', '2')],
    ],
    [
      'thinking, for a model that wants none back',
      [
        USER,
        assistant(
          { type: 'thinking', thinking: 'Hm', signature: 's' },
          { type: 'redacted_thinking', data: 'x' },
          text('Yes'),
        ),
      ],
      [USER, { role: 'assistant', content: 'Yes' }],
    ],
    [
      'what servers of others ran, and what is unknown',
      [
        USER,
        assistant(
          { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
          { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
          { type: 'compaction', content: 'So far' },
          { type: 'fallback' },
          { type: 'future' },
        ),
      ],
      [USER, { role: 'assistant', content: 'So far' }],
    ],
    [
      'system turns at the beginning',
      [system('A'), system('B'), USER],
      [{ role: 'system', content: 'A\n\nB' }, USER],
    ],
    [
      'a system turn after a text',
      [USER, system('Note')],
      [{ role: 'user', content: [text('Hi'), text('Note')] }],
    ],
    [
      'a system turn after results alone',
      [USER, assistant(call('a')), user(result('a', '1')), system('Note')],
      [USER, calls('a'), tool('a', '1\n\nNote')],
    ],
    [
      'a system turn after results and text',
      [USER, assistant(call('a')), user(result('a', '1'), text('And')), system('Note')],
      [USER, calls('a'), tool('a', '1'), { role: 'user', content: [text('And'), text('Note')] }],
    ],
    [
      'a system turn after the model, before a text',
      [USER, assistant(text('Yes')), system('Note'), user(text('Go on'))],
      [USER, { role: 'assistant', content: 'Yes' }, { role: 'user', content: [text('Note'), text('Go on')] }],
    ],
    [
      'a system turn between a call and its result alone',
      [USER, assistant(call('a')), system('Note'), user(result('a', '1'))],
      [USER, calls('a'), tool('a', '1'), { role: 'user', content: 'Note' }],
    ],
    [
      'a system turn at the end, after the model',
      [USER, assistant(text('Yes')), system('Note')],
      [USER, { role: 'assistant', content: 'Yes' }, { role: 'user', content: 'Note' }],
    ],
    [
      'a system turn with its own effort',
      [USER, { ...system('N'), output_config: { effort: 'low' } }],
      [{ role: 'user', content: [text('Hi'), text('N')] }],
    ],
  ];
  for (const [name, messages, chat] of rows) test(name, () => assert.deepEqual(chatMessages(messages), chat));

  test('a PDF for a model that reads them', () => {
    const content = [
      { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
    ];
    const pdf = { type: 'document', source: PDF };
    assert.deepEqual(chatMessages([user(pdf)], { pdf: true }), [{ role: 'user', content }]);
    assert.deepEqual(
      chatMessages([USER, assistant(call('a')), user(result('a', 'Read.'), pdf)], { pdf: true }),
      [USER, calls('a'), tool('a', 'Read.'), { role: 'user', content }],
    );
    assert.deepEqual(chatMessages([user({ ...pdf, context: 'Old' })], { pdf: true }), [
      { role: 'user', content: [text('Old'), ...content] },
    ]);
  });

  for (const reasoningField of ['reasoning_content', 'reasoning'] as const) {
    test(`thinking, for a model that wants it back as ${reasoningField}`, () => {
      const thinking = { type: 'thinking', thinking: 'Hm', signature: '' };
      assert.deepEqual(
        chatMessages([USER, assistant(thinking, call('a')), user(result('a', '1'))], { reasoningField }),
        [
          USER,
          { role: 'assistant', content: null, [reasoningField]: 'Hm', tool_calls: [chatCall('a')] },
          tool('a', '1'),
        ],
      );
    });
  }

  describe('tools that a conversation changes', () => {
    const offered = (fields: Json): string[] => {
      const { tools = [] } = toChat(fields);
      return (tools as { function: { name: string } }[]).map((one) => one.function.name);
    };
    const LATER = { name: 'later', input_schema: { type: 'object', properties: {} }, defer_loading: true };
    const changing = (...content: Json[]): Json => ({
      messages: [USER, { role: 'system', content }],
      tools: [TOOL, LATER],
    });

    test('a result that names a deferred tool makes it usable, and says so', () => {
      const fields = {
        tools: [TOOL, LATER],
        messages: [
          USER,
          assistant(call('a')),
          user(result('a', [{ type: 'tool_reference', tool_name: 'later' }])),
        ],
      };
      assert.deepEqual(offered(fields), ['run', 'later']);
      assert.deepEqual(chatMessages(fields.messages), [
        USER,
        calls('a'),
        tool('a', 'Tool later is now available'),
      ]);
    });

    test('a system turn enables, removes and adds tools', () => {
      assert.deepEqual(
        offered(changing({ type: 'tool_addition', tool: { type: 'tool_reference', name: 'later' } })),
        ['run', 'later'],
      );
      assert.deepEqual(
        offered(changing({ type: 'tool_removal', tool: { type: 'tool_reference', name: 'run' } })),
        [],
      );
      const definition = { name: 'new', input_schema: { type: 'object', properties: {} } };
      assert.deepEqual(
        offered(changing({ type: 'tool_addition', tool: { type: 'tool_definition', definition } })),
        ['run', 'new'],
      );
      assert.deepEqual(offered(changing({ type: 'tool_addition', tool: null }, { type: 'tool_removal' })), [
        'run',
      ]);
    });
  });
});
