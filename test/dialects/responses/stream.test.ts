import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../../src/errors.ts';
import {
  about,
  call,
  delta,
  type Event,
  eventsIn,
  type Json,
  parse,
  responseOf,
  streamed,
  USAGE,
} from './rendering.ts';

const TOOLS = [
  { type: 'function', name: 'f' },
  { type: 'function', name: 'g' },
  { type: 'custom', name: 'patch' },
  { type: 'tool_search', execution: 'client' },
  { type: 'namespace', name: 'ns', tools: [{ type: 'function', name: 'h' }] },
];
const BODY = { tools: TOOLS };
const END = [delta({}, 'stop'), USAGE];

/** What lies between the beginning and the end of a stream, without the numbers. */
function middle(events: readonly Event[]): Json[] {
  return events.slice(2, -1).map(({ sequence_number: _, ...event }) => event);
}

/** The output of the last event. */
function outputOf(events: readonly Event[]): Json[] {
  return responseOf(events.at(-1))['output'] as Json[];
}

const added = (index: number, item: Json): Json => ({
  type: 'response.output_item.added',
  output_index: index,
  item,
});
const done = (index: number, item: Json): Json => ({
  type: 'response.output_item.done',
  output_index: index,
  item,
});
const event = (type: string, id: string, index: number, more: Json): Json => ({
  type: `response.${type}`,
  item_id: id,
  output_index: index,
  ...more,
});

const textPart = (text: string): Json => ({ type: 'output_text', text, annotations: [], logprobs: [] });
const message = (id: string, content: readonly Json[], status = 'completed'): Json => ({
  type: 'message',
  id,
  status,
  role: 'assistant',
  content,
});
/** The events of a message with one part of text, from its deltas. */
function textEvents(id: string, index: number, deltas: readonly string[], status = 'completed'): Json[] {
  const text = deltas.join('');
  const at = { content_index: 0 };
  return [
    added(index, message(id, [], 'in_progress')),
    event('content_part.added', id, index, { ...at, part: textPart('') }),
    ...deltas.map((one) => event('output_text.delta', id, index, { ...at, delta: one, logprobs: [] })),
    event('output_text.done', id, index, { ...at, text, logprobs: [] }),
    event('content_part.done', id, index, { ...at, part: textPart(text) }),
    done(index, message(id, [textPart(text)], status)),
  ];
}

const summary = (text: string): Json => ({ type: 'summary_text', text });
const reasoning = (id: string, parts: readonly Json[]): Json => ({ type: 'reasoning', id, summary: parts });
function reasoningEvents(id: string, index: number, deltas: readonly string[]): Json[] {
  const text = deltas.join('');
  const at = { summary_index: 0 };
  return [
    added(index, reasoning(id, [])),
    event('reasoning_summary_part.added', id, index, { ...at, part: summary('') }),
    ...deltas.map((one) => event('reasoning_summary_text.delta', id, index, { ...at, delta: one })),
    event('reasoning_summary_text.done', id, index, { ...at, text }),
    event('reasoning_summary_part.done', id, index, { ...at, part: summary(text) }),
    done(index, reasoning(id, [summary(text)])),
  ];
}

interface CallNames {
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  readonly namespace?: string;
  readonly status?: string;
}
function callEvents(
  { id, callId, name, namespace, status = 'completed' }: CallNames,
  index: number,
  deltas: readonly string[],
): Json[] {
  const text = deltas.join('');
  const item = (written: string, state: string): Json => ({
    type: 'function_call',
    id,
    call_id: callId,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    arguments: written,
    status: state,
  });
  return [
    added(index, item('', 'in_progress')),
    ...deltas.map((one) => event('function_call_arguments.delta', id, index, { delta: one })),
    event('function_call_arguments.done', id, index, { arguments: text, name }),
    done(index, item(text, status)),
  ];
}

const custom = (id: string, callId: string, input: string, status: string): Json => ({
  type: 'custom_tool_call',
  id,
  call_id: callId,
  name: 'patch',
  input,
  status,
});
function customEvents(id: string, callId: string, index: number, input: string): Json[] {
  return [
    added(index, custom(id, callId, '', 'in_progress')),
    event('custom_tool_call_input.delta', id, index, { delta: input }),
    event('custom_tool_call_input.done', id, index, { input }),
    done(index, custom(id, callId, input, 'completed')),
  ];
}

const search = (id: string, callId: string, args: Json, status: string): Json => ({
  type: 'tool_search_call',
  id,
  call_id: callId,
  execution: 'client',
  arguments: args,
  status,
});

/** A name, the chunks of a provider, and the events between the beginning and the end. Id 1 is the response's. */
const ROWS: readonly (readonly [name: string, chunks: readonly Json[], events: readonly Json[]])[] = [
  [
    'text',
    [delta({ role: 'assistant', content: '' }), delta({ content: 'Hel' }), delta({ content: 'lo' }), ...END],
    textEvents('msg_2', 0, ['Hel', 'lo']),
  ],
  ['nothing at all', END, []],
  [
    'reasoning, then text',
    [delta({ reasoning_content: 'h' }), delta({ reasoning_content: 'm' }), delta({ content: 'Hi' }), ...END],
    [...reasoningEvents('rs_2', 0, ['h', 'm']), ...textEvents('msg_3', 1, ['Hi'])],
  ],
  [
    'reasoning and text in one chunk',
    [delta({ content: 'Hi', reasoning: 'hm' }), ...END],
    [...reasoningEvents('rs_2', 0, ['hm']), ...textEvents('msg_3', 1, ['Hi'])],
  ],
  [
    'reasoning again after text',
    [delta({ content: 'a' }), delta({ reasoning: 'b' }), delta({ content: 'c' }), ...END],
    [
      ...textEvents('msg_2', 0, ['a']),
      ...reasoningEvents('rs_3', 1, ['b']),
      ...textEvents('msg_4', 2, ['c']),
    ],
  ],
  ['only reasoning', [delta({ reasoning: 'hm' }), ...END], reasoningEvents('rs_2', 0, ['hm'])],
  [
    'reasoning in tags',
    [delta({ content: '<thi' }), delta({ content: 'nk>hm</think>\n\nHi' }), ...END],
    [...reasoningEvents('rs_2', 0, ['hm']), ...textEvents('msg_3', 1, ['Hi'])],
  ],
  [
    'reasoning in tags, cut after the mark',
    [...['<think>', '\r', '\nhm', '</think>', '\n', 'Hi'].map((content) => delta({ content })), ...END],
    [...reasoningEvents('rs_2', 0, ['hm']), ...textEvents('msg_3', 1, ['Hi'])],
  ],
  [
    'a call, its arguments in pieces',
    [
      delta({ tool_calls: [call(0, 'c1', 'f', '')] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
      delta({ tool_calls: [{ index: 0, id: null, function: { name: '', arguments: ':1}' } }] }),
      delta({}, 'tool_calls'),
      USAGE,
    ],
    callEvents({ id: 'fc_2', callId: 'c1', name: 'f' }, 0, ['{"a"', ':1}']),
  ],
  [
    'a call without arguments',
    [delta({ tool_calls: [call(0, 'c1', 'f', '')] }), delta({}, 'tool_calls')],
    callEvents({ id: 'fc_2', callId: 'c1', name: 'f' }, 0, ['{}']),
  ],
  [
    'text, then two calls by turns: the second waits',
    [
      delta({ content: 'I look.' }),
      delta({ tool_calls: [call(0, 'c1', 'f', '{"a'), call(1, 'c2', 'g', '{"b')] }),
      delta({ tool_calls: [{ index: 1, function: { arguments: '":2}' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '":1}' } }] }),
      delta({}, 'tool_calls'),
    ],
    [
      ...textEvents('msg_2', 0, ['I look.']),
      ...callEvents({ id: 'fc_3', callId: 'c1', name: 'f' }, 1, ['{"a', '":1}']),
      ...callEvents({ id: 'fc_4', callId: 'c2', name: 'g' }, 2, ['{"b":2}']),
    ],
  ],
  [
    'text after an unfinished call waits',
    [
      delta({ tool_calls: [call(0, 'c1', 'f', '{"a')] }),
      delta({ content: 'later' }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '":1}' } }] }),
      ...END,
    ],
    [
      ...callEvents({ id: 'fc_2', callId: 'c1', name: 'f' }, 0, ['{"a', '":1}']),
      ...textEvents('msg_3', 1, ['later']),
    ],
  ],
  [
    'calls that all have the index 0',
    [
      delta({ tool_calls: [call(0, 'c1', 'f', '{}')] }),
      delta({ tool_calls: [call(0, 'c2', 'g', '{}')] }),
      ...END,
    ],
    [
      ...callEvents({ id: 'fc_2', callId: 'c1', name: 'f' }, 0, ['{}']),
      ...callEvents({ id: 'fc_3', callId: 'c2', name: 'g' }, 1, ['{}']),
    ],
  ],
  [
    'an id that was used before, and none',
    [
      delta({ tool_calls: [call(0, 'old', 'f', '{}')] }),
      delta({ tool_calls: [call(1, '', 'g', '{}')] }),
      ...END,
    ],
    [
      ...callEvents({ id: 'fc_3', callId: 'call_2', name: 'f' }, 0, ['{}']),
      ...callEvents({ id: 'fc_5', callId: 'call_4', name: 'g' }, 1, ['{}']),
    ],
  ],
  [
    'broken arguments of a finished call',
    [delta({ tool_calls: [call(0, 'c1', 'f', '{"a": oops')] }), delta({}, 'tool_calls')],
    callEvents({ id: 'fc_2', callId: 'c1', name: 'f' }, 0, ['{"a": oops']),
  ],
  [
    'a tool of a namespace, under each of its names',
    [
      delta({ tool_calls: [call(0, 'c1', 'h', '{}')] }),
      delta({ tool_calls: [call(1, 'c2', 'ns__h', '{}')] }),
      delta({ tool_calls: [call(2, 'c3', 'ns.h', '{}')] }),
      ...END,
    ],
    [
      ...callEvents({ id: 'fc_2', callId: 'c1', name: 'h', namespace: 'ns' }, 0, ['{}']),
      ...callEvents({ id: 'fc_3', callId: 'c2', name: 'h', namespace: 'ns' }, 1, ['{}']),
      ...callEvents({ id: 'fc_4', callId: 'c3', name: 'h', namespace: 'ns' }, 2, ['{}']),
    ],
  ],
  [
    'a tool that was not offered',
    [delta({ tool_calls: [call(0, 'c1', 'invented', '{}')] }), ...END],
    callEvents({ id: 'fc_2', callId: 'c1', name: 'invented' }, 0, ['{}']),
  ],
  [
    'a freeform call, in one piece when it is complete',
    [
      delta({ tool_calls: [call(0, 'c1', 'patch', '{"input":"*** Be')] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: 'gin"}' } }] }),
      delta({}, 'tool_calls'),
    ],
    customEvents('ctc_2', 'c1', 0, '*** Begin'),
  ],
  [
    'a search for tools',
    [delta({ tool_calls: [call(0, 'c1', 'tool_search', '{"query":"q"}')] }), delta({}, 'tool_calls')],
    [
      added(0, search('tsc_2', 'c1', { query: 'q' }, 'in_progress')),
      done(0, search('tsc_2', 'c1', { query: 'q' }, 'completed')),
    ],
  ],
  [
    'a refusal after text',
    [delta({ content: 'Well' }), delta({ refusal: 'N' }), delta({ refusal: 'o' }), ...END],
    [
      added(0, message('msg_2', [], 'in_progress')),
      event('content_part.added', 'msg_2', 0, { content_index: 0, part: textPart('') }),
      event('output_text.delta', 'msg_2', 0, { content_index: 0, delta: 'Well', logprobs: [] }),
      event('output_text.done', 'msg_2', 0, { content_index: 0, text: 'Well', logprobs: [] }),
      event('content_part.done', 'msg_2', 0, { content_index: 0, part: textPart('Well') }),
      event('content_part.added', 'msg_2', 0, { content_index: 1, part: { type: 'refusal', refusal: '' } }),
      event('refusal.delta', 'msg_2', 0, { content_index: 1, delta: 'N' }),
      event('refusal.delta', 'msg_2', 0, { content_index: 1, delta: 'o' }),
      event('refusal.done', 'msg_2', 0, { content_index: 1, refusal: 'No' }),
      event('content_part.done', 'msg_2', 0, { content_index: 1, part: { type: 'refusal', refusal: 'No' } }),
      done(0, message('msg_2', [textPart('Well'), { type: 'refusal', refusal: 'No' }])),
    ],
  ],
  [
    'text that the limit of tokens ends',
    [delta({ content: 'Hel' }), delta({}, 'length')],
    textEvents('msg_2', 0, ['Hel'], 'incomplete'),
  ],
  [
    'a call that the limit of tokens cuts off',
    [delta({ tool_calls: [call(0, 'c1', 'f', '{"a')] }), delta({}, 'length')],
    callEvents({ id: 'fc_2', callId: 'c1', name: 'f', status: 'incomplete' }, 0, ['{"a']),
  ],
  [
    'a freeform call that the limit of tokens cuts off: nothing of it was sent',
    [
      delta({ content: 'Hi' }),
      delta({ tool_calls: [call(0, 'c1', 'patch', '{"input":"*** Be')] }),
      delta({}, 'length'),
    ],
    textEvents('msg_2', 0, ['Hi']),
  ],
  [
    'a whole completion as one chunk',
    [{ choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] }],
    textEvents('msg_2', 0, ['Hi']),
  ],
];

const HISTORY = [
  { role: 'user', content: 'Hi' },
  { type: 'function_call', call_id: 'old', name: 'f', arguments: '{}' },
  { type: 'function_call_output', call_id: 'old', output: 'x' },
];

describe('a stream of chat chunks becomes a stream of responses', () => {
  for (const [name, chunks, events] of ROWS) {
    test(name, () => {
      const sent = streamed(chunks, { body: { ...BODY, input: HISTORY } });
      assert.deepEqual(
        sent.map(({ sequence_number: number }) => number),
        sent.map((_, index) => index),
      );
      assert.deepEqual(
        sent.slice(0, 2).map(({ type }) => type),
        ['response.created', 'response.in_progress'],
      );
      for (const first of sent.slice(0, 2)) {
        const { status, output, usage, id } = responseOf(first);
        assert.deepEqual([status, output, usage, id], ['in_progress', [], null, 'resp_1']);
      }
      assert.deepEqual(middle(sent), events);
      const items = events.filter(({ type }) => type === 'response.output_item.done');
      assert.deepEqual(
        outputOf(sent),
        items.map(({ item }) => item),
      );
    });
  }

  for (const [reason, type, status, details] of [
    ['stop', 'response.completed', 'completed', null],
    ['tool_calls', 'response.completed', 'completed', null],
    ['function_call', 'response.completed', 'completed', null],
    ['strange', 'response.completed', 'completed', null],
    ['length', 'response.incomplete', 'incomplete', { reason: 'max_output_tokens' }],
    ['model_length', 'response.incomplete', 'incomplete', { reason: 'max_output_tokens' }],
    ['content_filter', 'response.incomplete', 'incomplete', { reason: 'content_filter' }],
  ] as const) {
    test(`ends by the reason: ${reason}`, () => {
      const last = streamed([delta({ content: 'Hi' }), delta({}, reason), USAGE]).at(-1);
      assert.equal(last?.type, type);
      const response = responseOf(last);
      assert.deepEqual([response['status'], response['incomplete_details']], [status, details]);
      assert.equal(response['completed_at'], status === 'completed' ? 1_700_000_000 : null);
      assert.deepEqual(response['usage'], {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 7,
      });
    });
  }

  test('ends without a reason as completed', () => {
    assert.equal(streamed([delta({ content: 'Hi' })]).at(-1)?.type, 'response.completed');
  });

  test('estimates the usage that the provider does not report', () => {
    const last = streamed([delta({ content: 'x'.repeat(400) }, 'stop')]).at(-1);
    const usage = responseOf(last)['usage'] as Json;
    assert.deepEqual([usage['input_tokens'], usage['output_tokens'], usage['total_tokens']], [11, 100, 111]);
  });

  test('reports cached and reasoning tokens', () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 2 },
    };
    const last = streamed([delta({ content: 'Hi' }, 'stop'), { choices: [], usage }]).at(-1);
    assert.deepEqual(responseOf(last)['usage'], {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 8 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 15,
    });
  });

  test('passes log probabilities with their text', () => {
    const token = (text: string): Json => ({ token: text, logprob: -1, bytes: [1], top_logprobs: [] });
    const chunk = (text: string): Json => ({
      choices: [{ index: 0, delta: { content: text }, logprobs: { content: [token(text)] } }],
    });
    const events = streamed([chunk('a'), chunk('b'), ...END], { body: { top_logprobs: 1 } });
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    assert.deepEqual(
      deltas.map(({ logprobs }) => logprobs),
      [[token('a')], [token('b')]],
    );
    const [item] = outputOf(events) as { content: Json[] }[];
    assert.deepEqual(item?.content[0]?.['logprobs'], [token('a'), token('b')]);
  });
});

describe('for Codex', () => {
  const headers = { originator: 'codex_exec' };

  test('a refusal is text', () => {
    const events = streamed([delta({ refusal: 'No.' }), ...END], { headers });
    assert.deepEqual(middle(events), textEvents('msg_2', 0, ['No.']));
  });

  test('a content filter is a failure that it does not repeat', () => {
    const last = streamed([delta({ content: 'Hi' }), delta({}, 'content_filter')], { headers }).at(-1);
    const { status, error, output } = responseOf(last) as {
      status: string;
      error: Json;
      output: unknown[];
    };
    assert.deepEqual(
      [last?.type, status, error['code'], output.length],
      ['response.failed', 'failed', 'invalid_prompt', 1],
    );
    assert.match(String(error['message']), /content_filter/);
  });
});

describe('an error in a stream', () => {
  const upstream = (error: Json): HttpError =>
    HttpError.fromUpstream(502, { message: 'm', type: null, param: null, code: null, ...error });
  for (const [error, code] of [
    [new HttpError('upstream_invalid_response', 'It ended.'), 'server_error'],
    [new HttpError('upstream_timeout', 'It is silent.'), 'server_error'],
    [upstream({ code: 'overloaded' }), 'server_error'],
    [upstream({ code: 'context_length_exceeded' }), 'context_length_exceeded'],
    [upstream({ message: "This model's maximum context length is 8192 tokens." }), 'context_length_exceeded'],
    [upstream({ type: 'insufficient_quota' }), 'insufficient_quota'],
    [upstream({ code: 'rate_limit_exceeded', message: 'try again in 2 s' }), 'rate_limit_exceeded'],
    [upstream({ type: 'invalid_request_error' }), 'invalid_prompt'],
  ] as const) {
    test(`ends it: ${error.error.code ?? error.error.type ?? error.message} is ${code}`, () => {
      const renderer = parse(BODY).openStream(about());
      renderer.push(delta({ content: 'Hel' }));
      renderer.push(delta({ content: 'lo' }));
      const events = eventsIn(renderer.fail(error));
      const { message: text, param } = error.error;
      assert.deepEqual(events[0], {
        type: 'error',
        sequence_number: 6,
        code,
        message: text,
        param,
        error: { type: error.error.type ?? 'server_error', code, message: text, param },
      });
      assert.deepEqual(
        [events.length, events[1]?.type, events[1]?.sequence_number],
        [2, 'response.failed', 7],
      );
      const response = responseOf(events[1]);
      assert.deepEqual(response['error'], { code, message: text });
      assert.deepEqual(response['output'], [message('msg_2', [textPart('Hello')], 'incomplete')]);
      assert.equal((response['usage'] as Json)['output_tokens'], 2);
    });
  }

  test('comes after the beginning, even if nothing was sent', () => {
    const renderer = parse().openStream(about());
    const events = eventsIn(renderer.fail(new HttpError('upstream_timeout', 'm')));
    assert.deepEqual(
      events.map(({ type }) => type),
      ['response.created', 'response.in_progress', 'error', 'response.failed'],
    );
  });
});

test('keep-alives are records of their own after the beginning', () => {
  const renderer = parse().openStream(about());
  const events = eventsIn(
    renderer.keepAlive() + renderer.keepAlive() + renderer.push(delta({ content: 'Hi' })) + renderer.end(),
  );
  assert.deepEqual(
    events.slice(0, 5).map(({ type, sequence_number: number }) => [type, number]),
    [
      ['response.created', 0],
      ['response.in_progress', 1],
      ['keepalive', 2],
      ['keepalive', 3],
      ['response.output_item.added', 4],
    ],
  );
  assert.deepEqual(events[2], { type: 'keepalive', sequence_number: 2 });
});
