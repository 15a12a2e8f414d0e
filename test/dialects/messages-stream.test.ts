import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { about, chunk, eventsOf, parse, stream, whole } from './messages-setup.ts';

type Json = Record<string, unknown>;

const USAGE = {
  usage: {
    prompt_tokens: 50,
    completion_tokens: 9,
    prompt_tokens_details: { cached_tokens: 20 },
    completion_tokens_details: { reasoning_tokens: 4 },
  },
};
const CALL_A = { index: 0, id: 'call_a', type: 'function', function: { name: 'run', arguments: '' } };
const CALL_B = { index: 1, id: 'call_b', type: 'function', function: { name: 'walk', arguments: '' } };
const args = (index: number | undefined, text: string): Json => ({
  tool_calls: [{ ...(index === undefined ? {} : { index }), function: { arguments: text } }],
});

const block = (kind: string, deltas: readonly string[], start: Json = {}): Json => ({
  kind,
  deltas,
  ...start,
});

/** The blocks of a stream, each with its deltas. Checks their order: one open at a time, numbered without gaps. */
function blocksOf(events: readonly Json[]): Json[] {
  const blocks: (Json & { deltas: string[] })[] = [];
  let isOpen = false;
  for (const event of events) {
    if (event['type'] === 'content_block_start') {
      assert.ok(!isOpen && event['index'] === blocks.length, 'a block begins when the one before has ended');
      isOpen = true;
      const { type, id, name } = event['content_block'] as Json;
      blocks.push({ kind: String(type), ...(id === undefined ? {} : { id, name }), deltas: [] });
    } else if (event['type'] === 'content_block_delta') {
      assert.ok(isOpen && event['index'] === blocks.length - 1);
      const { text, thinking, partial_json: json } = event['delta'] as Json;
      blocks.at(-1)?.deltas.push(String(text ?? thinking ?? json));
    } else if (event['type'] === 'content_block_stop') {
      assert.ok(isOpen && event['index'] === blocks.length - 1);
      isOpen = false;
    }
  }
  assert.ok(!isOpen);
  return blocks;
}

function stopOf(events: readonly Json[]): unknown {
  const delta = events.find(({ type }) => type === 'message_delta')?.['delta'] as Json;
  return delta['stop_reason'];
}

describe('a Messages stream', () => {
  test('of a text, event by event', () => {
    const events = stream([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo "\n' }),
      chunk({}, 'stop'),
      { choices: [], ...USAGE },
    ]);
    assert.deepEqual(events, [
      {
        type: 'message_start',
        message: {
          id: 'msg_new0',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          container: null,
          stop_reason: null,
          stop_sequence: null,
          stop_details: null,
          usage: {
            input_tokens: 7,
            output_tokens: 0,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            output_tokens_details: null,
            server_tool_use: null,
            cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
            inference_geo: null,
            service_tier: 'standard',
          },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo "\n' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null, container: null },
        usage: {
          input_tokens: 30,
          output_tokens: 9,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 20,
          output_tokens_details: { thinking_tokens: 4 },
          server_tool_use: null,
        },
      },
      { type: 'message_stop' },
    ]);
  });

  test('of a call, event by event', () => {
    const events = stream([
      chunk({ tool_calls: [CALL_A] }),
      chunk(args(0, '{"a":')),
      chunk(args(0, '1}')),
      chunk({}, 'tool_calls'),
    ]);
    assert.deepEqual(events.slice(1, 5), [
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'call_a', name: 'run', input: {}, caller: { type: 'direct' } },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '1}' } },
      { type: 'content_block_stop', index: 0 },
    ]);
    assert.equal(stopOf(events), 'tool_use');
  });

  const rows: readonly (readonly [
    name: string,
    chunks: readonly Json[],
    blocks: readonly Json[],
    stop: string,
  ])[] = [
    [
      'reasoning, then text, also in one chunk',
      [
        chunk({ reasoning_content: 'H' }),
        chunk({ reasoning_content: 'm', content: 'Y' }),
        chunk({ content: 'es' }, 'stop'),
      ],
      [block('thinking', ['H', 'm']), block('text', ['Y', 'es'])],
      'end_turn',
    ],
    [
      'reasoning again after a text and after a call',
      [
        chunk({ reasoning: 'a' }),
        chunk({ content: 'b' }),
        chunk({ reasoning: 'c' }),
        chunk({ tool_calls: [CALL_A] }),
        chunk(args(0, '{}')),
        chunk({ reasoning: 'd' }),
        chunk({}, 'tool_calls'),
      ],
      [
        block('thinking', ['a']),
        block('text', ['b']),
        block('thinking', ['c']),
        block('tool_use', ['{}'], { id: 'call_a', name: 'run' }),
        block('thinking', ['d']),
      ],
      'tool_use',
    ],
    [
      'reasoning under two names is told once',
      [
        chunk({ reasoning: 'x', reasoning_details: [{ type: 'reasoning.text', text: 'x' }] }),
        chunk({ reasoning_details: [{ text: 'y' }] }, 'stop'),
      ],
      [block('thinking', ['x', 'y'])],
      'end_turn',
    ],
    [
      'reasoning within the text, its marks split',
      [
        chunk({ content: '\n<thi' }),
        chunk({ content: 'nk>\nHm <b>' }),
        chunk({ content: ' ok</th' }),
        chunk({ content: 'ink>\n' }),
        chunk({ content: '\nYes</think>' }, 'stop'),
      ],
      [block('thinking', ['Hm <b>', ' ok']), block('text', ['Yes</think>'])],
      'end_turn',
    ],
    [
      'text that only begins like a mark',
      [chunk({ content: '<thin' }), chunk({ content: 'g>' }, 'stop')],
      [block('text', ['<thing>'])],
      'end_turn',
    ],
    ['a mark that never comes', [chunk({ content: '<th' }, 'stop')], [block('text', ['<th'])], 'end_turn'],
    [
      'reasoning that never ends',
      [chunk({ content: '<think>Hm' }), chunk({ content: '</thi' }, 'length')],
      [block('thinking', ['Hm', '</thi'])],
      'max_tokens',
    ],
    [
      'parts of a content (Mistral)',
      [
        chunk(
          {
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
              { type: 'text', text: 'Yes' },
            ],
          },
          'stop',
        ),
      ],
      [block('thinking', ['Hm']), block('text', ['Yes'])],
      'end_turn',
    ],
    [
      'a call whose name comes later, and is repeated empty',
      [
        chunk({ tool_calls: [{ index: 0, id: 'call_a', function: { arguments: '{"a"' } }] }),
        chunk({ tool_calls: [{ index: 0, function: { name: 'run', arguments: ':1' } }] }),
        chunk({ tool_calls: [{ index: 0, id: null, function: { name: '', arguments: '}' } }] }),
        chunk({}, 'tool_calls'),
      ],
      [block('tool_use', ['{"a":1', '}'], { id: 'call_a', name: 'run' })],
      'tool_use',
    ],
    [
      'a call without arguments',
      [chunk({ tool_calls: [CALL_A] }), chunk({}, 'tool_calls')],
      [block('tool_use', [], { id: 'call_a', name: 'run' })],
      'tool_use',
    ],
    [
      'parallel calls',
      [
        chunk({ tool_calls: [CALL_A] }),
        chunk(args(0, '{"a":1}')),
        chunk({ tool_calls: [CALL_B] }),
        chunk(args(1, '{}')),
        chunk({}, 'tool_calls'),
      ],
      [
        block('tool_use', ['{"a":1}'], { id: 'call_a', name: 'run' }),
        block('tool_use', ['{}'], { id: 'call_b', name: 'walk' }),
      ],
      'tool_use',
    ],
    [
      'calls by turns: the second waits for the first',
      [
        chunk({ tool_calls: [CALL_A, CALL_B] }),
        chunk(args(1, '{"b":')),
        chunk(args(0, '{"a":')),
        chunk(args(1, '2}')),
        chunk(args(0, '1}')),
        chunk({}, 'tool_calls'),
      ],
      [
        block('tool_use', ['{"a":', '1}'], { id: 'call_a', name: 'run' }),
        block('tool_use', ['{"b":2}'], { id: 'call_b', name: 'walk' }),
      ],
      'tool_use',
    ],
    [
      'a text amid the arguments of a call waits for their end',
      [
        chunk({ tool_calls: [CALL_A] }),
        chunk(args(0, '{"a":')),
        chunk({ content: 'So' }),
        chunk(args(0, '1}')),
        chunk({ content: ' then' }, 'tool_calls'),
      ],
      [block('tool_use', ['{"a":', '1}'], { id: 'call_a', name: 'run' }), block('text', ['So', ' then'])],
      'tool_use',
    ],
    [
      'calls without an index',
      [
        chunk({ tool_calls: [{ id: 'call_a', function: { name: 'run', arguments: '{' } }] }),
        chunk(args(undefined, '}')),
        chunk({ tool_calls: [{ id: 'call_b', function: { name: 'walk', arguments: '{}' } }] }),
        chunk({}, 'tool_calls'),
      ],
      [
        block('tool_use', ['{', '}'], { id: 'call_a', name: 'run' }),
        block('tool_use', ['{}'], { id: 'call_b', name: 'walk' }),
      ],
      'tool_use',
    ],
    [
      'calls that all have index 0',
      [
        chunk({ tool_calls: [{ ...CALL_A, function: { name: 'run', arguments: '{}' } }] }),
        chunk({ tool_calls: [{ ...CALL_B, index: 0 }] }),
        chunk({}, 'stop'),
      ],
      [
        block('tool_use', ['{}'], { id: 'call_a', name: 'run' }),
        block('tool_use', [], { id: 'call_b', name: 'walk' }),
      ],
      'tool_use',
    ],
    [
      'calls without an index and without ids',
      [
        chunk(
          {
            tool_calls: [
              { function: { name: 'run', arguments: '{"a":1}' } },
              { function: { name: 'run', arguments: '{"a":2}' } },
            ],
          },
          'stop',
        ),
      ],
      [
        block('tool_use', ['{"a":1}'], { id: 'toolu_new1', name: 'run' }),
        block('tool_use', ['{"a":2}'], { id: 'toolu_new2', name: 'run' }),
      ],
      'tool_use',
    ],
    [
      'an id that is used twice in one answer',
      [
        chunk(
          {
            tool_calls: [
              { index: 0, id: 'x', function: { name: 'run', arguments: '{}' } },
              { index: 1, id: 'x', function: { name: 'run', arguments: '{}' } },
            ],
          },
          'tool_calls',
        ),
      ],
      [
        block('tool_use', ['{}'], { id: 'x', name: 'run' }),
        block('tool_use', ['{}'], { id: 'toolu_new1', name: 'run' }),
      ],
      'tool_use',
    ],
    [
      'a function_call of old servers',
      [
        chunk({ function_call: { name: 'run', arguments: '{' } }),
        chunk({ function_call: { arguments: '}' } }, 'function_call'),
      ],
      [block('tool_use', ['{', '}'], { id: 'toolu_new1', name: 'run' })],
      'tool_use',
    ],
    [
      'a call that was cut by length keeps its block',
      [chunk({ tool_calls: [CALL_A] }), chunk(args(0, '{"a":"x')), chunk({}, 'length')],
      [block('tool_use', ['{"a":"x'], { id: 'call_a', name: 'run' })],
      'max_tokens',
    ],
    [
      'broken arguments of a finished call pass as they came',
      [chunk({ tool_calls: [CALL_A] }), chunk(args(0, '{"a":x}')), chunk({}, 'tool_calls')],
      [block('tool_use', ['{"a":x}'], { id: 'call_a', name: 'run' })],
      'tool_use',
    ],
    ['a filter', [chunk({ content: 'So' }), chunk({}, 'content_filter')], [block('text', ['So'])], 'refusal'],
    [
      'a refusal',
      [chunk({ refusal: 'I ' }), chunk({ refusal: 'will not.' }, 'stop')],
      [block('text', ['I ', 'will not.'])],
      'refusal',
    ],
    [
      'the limit of tokens, as Mistral spells it',
      [chunk({ content: 'x' }, 'model_length')],
      [block('text', ['x'])],
      'max_tokens',
    ],
    ['an unknown reason', [chunk({ content: 'x' }, 'eos')], [block('text', ['x'])], 'end_turn'],
    ['nothing at all', [chunk({}, 'stop')], [], 'end_turn'],
    [
      'other choices are left out',
      [
        {
          choices: [
            { index: 1, delta: { content: 'no' } },
            { index: 0, delta: { content: 'yes' }, finish_reason: 'stop' },
          ],
        },
      ],
      [block('text', ['yes'])],
      'end_turn',
    ],
    [
      'chunks of no sense',
      [
        {},
        { choices: null },
        { choices: [null, 3] },
        chunk({ content: 5, tool_calls: [null, { function: 3 }] }),
        chunk({ content: 'x' }, 'stop'),
      ],
      [block('text', ['x'])],
      'end_turn',
    ],
  ];
  for (const [name, chunks, blocks, stop] of rows) {
    test(name, () => {
      const events = stream(chunks);
      assert.equal(events[0]?.['type'], 'message_start');
      assert.deepEqual(
        events.slice(-2).map(({ type }) => type),
        ['message_delta', 'message_stop'],
      );
      assert.deepEqual(blocksOf(events), blocks);
      assert.equal(stopOf(events), stop);
    });
  }

  test('an id that the conversation has used is replaced', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_a', name: 'run', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_a', content: '1' }] },
    ];
    const [first] = blocksOf(stream([chunk({ tool_calls: [CALL_A] }, 'tool_calls')], { messages }));
    assert.equal(first?.['id'], 'toolu_new1');
  });

  test('a stop sequence (vLLM)', () => {
    const choice = { index: 0, delta: { content: 'x' }, finish_reason: 'stop', stop_reason: 'END' };
    const events = stream([{ choices: [choice] }]);
    const { delta } = events.at(-2) ?? {};
    assert.deepEqual(delta, {
      stop_reason: 'stop_sequence',
      stop_sequence: 'END',
      stop_details: null,
      container: null,
    });
  });

  test('without usage, it is estimated', () => {
    const { usage } = stream([chunk({ content: 'x'.repeat(40) }, 'stop')]).at(-2) as { usage: Json };
    assert.deepEqual([usage['input_tokens'], usage['output_tokens']], [7, 10]);
  });

  test('usage of other vendors', () => {
    const usageOf = (more: Json): unknown[] => {
      const { usage } = stream([chunk({ content: 'x' }, 'stop'), more]).at(-2) as { usage: Json };
      return ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'].map(
        (name) => usage[name],
      );
    };
    assert.deepEqual(
      usageOf({ x_groq: { usage: { prompt_tokens: 3, completion_tokens: 2 } } }),
      [3, 2, 0, 0],
    );
    assert.deepEqual(
      usageOf({ usage: { prompt_tokens: 30, completion_tokens: 2, prompt_cache_hit_tokens: 10 } }),
      [20, 2, 10, 0],
    );
    const details = { cached_tokens: 10, cache_write_tokens: 5 };
    assert.deepEqual(
      usageOf({ usage: { prompt_tokens: 30, completion_tokens: 2, prompt_tokens_details: details } }),
      [15, 2, 10, 5],
    );
    assert.deepEqual(usageOf({ usage: null }), [7, 1, 0, 0]);
  });

  test('keep-alives are pings, after the beginning', () => {
    const renderer = parse({}).openStream(about());
    assert.deepEqual(
      eventsOf(renderer.keepAlive()).map(({ type }) => type),
      ['message_start', 'ping'],
    );
    assert.deepEqual(eventsOf(renderer.keepAlive()), [{ type: 'ping' }]);
    assert.deepEqual(
      eventsOf(renderer.push(chunk({ content: 'x' }))).map(({ type }) => type),
      ['content_block_start', 'content_block_delta'],
    );
  });

  test('an error ends it without message_stop', () => {
    const renderer = parse({}).openStream(about());
    renderer.push(chunk({ content: 'x' }));
    const error = new HttpError('upstream_invalid_response', 'Broken off.');
    assert.deepEqual(eventsOf(renderer.fail(error)), [
      { type: 'error', error: { type: 'api_error', message: 'Broken off.' }, request_id: 'req_1' },
    ]);
  });
});

describe('a whole message', () => {
  const A = { id: 'call_a', type: 'function', function: { name: 'run', arguments: '{"a":1}' } };
  const use = (id: string, input: object): Json => ({
    type: 'tool_use',
    id,
    name: 'run',
    input,
    caller: { type: 'direct' },
  });
  const said = (text: string): Json => ({ type: 'text', text, citations: null });
  const thought = (thinking: string): Json => ({ type: 'thinking', thinking, signature: '' });

  test('has every member', () => {
    assert.deepEqual(whole({ role: 'assistant', content: 'Hi' }, 'stop', USAGE), {
      id: 'msg_new0',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [said('Hi')],
      container: null,
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 30,
        output_tokens: 9,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 20,
        output_tokens_details: { thinking_tokens: 4 },
        server_tool_use: null,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        inference_geo: null,
        service_tier: 'standard',
      },
    });
  });

  const rows: readonly (readonly [
    name: string,
    message: Json,
    reason: string | null,
    content: readonly Json[],
    stop: string,
  ])[] = [
    ['an empty one', { content: null }, 'stop', [], 'end_turn'],
    [
      'thinking, text, calls, in this order',
      { tool_calls: [A], content: 'So', reasoning_content: 'Hm' },
      'tool_calls',
      [thought('Hm'), said('So'), use('call_a', { a: 1 })],
      'tool_use',
    ],
    [
      'a call with another reason',
      { content: '', tool_calls: [A] },
      'stop',
      [use('call_a', { a: 1 })],
      'tool_use',
    ],
    [
      'no arguments',
      { tool_calls: [{ id: 'x', function: { name: 'run', arguments: '' } }] },
      'tool_calls',
      [use('x', {})],
      'tool_use',
    ],
    [
      'arguments as an object',
      { tool_calls: [{ id: 'x', function: { name: 'run', arguments: { b: 2 } } }] },
      'tool_calls',
      [use('x', { b: 2 })],
      'tool_use',
    ],
    [
      'broken arguments',
      { tool_calls: [{ id: 'x', function: { name: 'run', arguments: '{"b"' } }] },
      'tool_calls',
      [use('x', {})],
      'max_tokens',
    ],
    [
      'arguments that are no object',
      { tool_calls: [{ id: 'x', function: { name: 'run', arguments: '[1]' } }] },
      'tool_calls',
      [use('x', {})],
      'max_tokens',
    ],
    [
      'a call that was cut by length is left out',
      { content: 'So', tool_calls: [A, { id: 'y', function: { name: 'run', arguments: '{"b":"' } }] },
      'length',
      [said('So'), use('call_a', { a: 1 })],
      'max_tokens',
    ],
    [
      'reasoning within the text',
      { content: '<think>Hm</think>\n\nYes' },
      'stop',
      [thought('Hm'), said('Yes')],
      'end_turn',
    ],
    ['a refusal', { content: null, refusal: 'No.' }, 'stop', [said('No.')], 'refusal'],
    ['a filter', { content: '' }, 'content_filter', [], 'refusal'],
    ['no reason', { content: 'x' }, null, [said('x')], 'end_turn'],
  ];
  for (const [name, message, reason, content, stop] of rows) {
    test(name, () => {
      const answer = whole(message, reason);
      assert.deepEqual(answer['content'], content);
      assert.equal(answer['stop_reason'], stop);
      const details = stop === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null;
      assert.deepEqual(answer['stop_details'], details);
    });
  }

  test('a response that is no completion is the provider’s fault', () => {
    for (const completion of [null, [], {}, { choices: 'x' }, 'x']) {
      assert.throws(() => parse({}).renderAnswer(completion, about()), { message: /not a chat completion/ });
    }
  });
});
