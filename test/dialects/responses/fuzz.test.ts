import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../../src/errors.ts';
import { doAtOnce } from '../../helpers/steps.ts';
import { followEvents, textsOf } from './follow-events.ts';
import { about, completion, eventsIn, type Json, PLAIN, parse } from './rendering.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 20_000 : 500;

const TOOLS = [
  { type: 'function', name: 'f' },
  { type: 'custom', name: 'patch' },
  { type: 'tool_search', execution: 'client' },
  {
    type: 'namespace',
    name: 'ns',
    tools: [
      { type: 'function', name: 'g' },
      { type: 'custom', name: 'exec' },
    ],
  },
];

/** Text with what must be escaped, and with pieces of the marks that are looked for. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('<think>', '</think>', '\n', '"', '```', '{"', '\u2028', 'data: x\n\n'),
);
const name = fc.constantFrom('f', 'g', 'patch', 'tool_search', 'exec', 'ns__g', 'other');
const args = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.constant(''),
  text,
  text.map((input) => JSON.stringify({ input })),
);

interface Answer {
  readonly reasoning: string;
  readonly content: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: string }[];
}

/** An answer of a model that makes no mistakes. */
const answer: fc.Arbitrary<Answer> = fc.record({
  reasoning: fc.array(text, { maxLength: 4 }).map((texts) => texts.join('')),
  content: fc.array(text, { maxLength: 4 }).map((texts) => texts.join('')),
  calls: fc.array(fc.record({ id: fc.constantFrom('', 'a', 'b', 'old'), name, args }), { maxLength: 4 }),
});

function messageOf({ reasoning, content, calls }: Answer): Json {
  return {
    reasoning_content: reasoning,
    content,
    tool_calls: calls.map((call, index) => ({
      index,
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.args },
    })),
  };
}

/** The same answer in chunks: every text is cut at places given by `cuts`. */
function chunksOf({ reasoning, content, calls }: Answer, cuts: readonly number[]): Json[] {
  let next = 0;
  const pieces = (whole: string): string[] => {
    const characters = [...whole];
    const found: string[] = [];
    for (let at = 0; at < characters.length; ) {
      const size = 1 + ((cuts[next++ % cuts.length] ?? 0) % 7);
      found.push(characters.slice(at, at + size).join(''));
      at += size;
    }
    return found;
  };
  const deltas: Json[] = [
    ...pieces(reasoning).map((piece) => ({ reasoning_content: piece })),
    ...pieces(content).map((piece) => ({ content: piece })),
  ];
  for (const [index, call] of calls.entries()) {
    const head = { index, id: call.id, function: { name: call.name, arguments: '' } };
    deltas.push({ tool_calls: [head] });
    for (const piece of pieces(call.args))
      deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  const finish = {
    choices: [{ index: 0, delta: {}, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
  };
  const usage = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } };
  return [...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })), finish, usage];
}

const HISTORY = [
  { role: 'user', content: 'Hi' },
  { type: 'function_call', call_id: 'old', name: 'f', arguments: '{}' },
];

describe('any answer', () => {
  test('is the same streamed and whole, and loses nothing', () => {
    fc.assert(
      fc.property(answer, fc.array(fc.nat(), { minLength: 1, maxLength: 9 }), (given, cuts) => {
        const body = { tools: TOOLS, input: HISTORY };
        const renderer = parse(body).openStream(about());
        const sent =
          chunksOf(given, cuts)
            .map((chunk) => renderer.push(chunk))
            .join('') + renderer.end();
        const { items, end } = followEvents(eventsIn(sent));
        const finish = given.calls.length > 0 ? 'tool_calls' : 'stop';
        const whole = parse(body).renderAnswer(completion(messageOf(given), finish), about()) as Json;
        assert.deepEqual(whole['output'], items);
        assert.deepEqual(whole, end['response']);
        const told = textsOf(items);
        assert.equal(told.calls.length, given.calls.length);
        if (!/^\s*<think>/.test(given.content)) {
          assert.equal(told.text, given.content);
          assert.equal(told.reasoning, given.reasoning);
        }
        for (const [index, call] of told.calls.entries()) {
          const { args: sentArgs = '' } = given.calls[index] ?? {};
          if (call['type'] === 'function_call')
            assert.equal(call['arguments'], sentArgs.trim() === '' ? `${sentArgs}{}` : sentArgs);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** A chunk of a provider that does what it likes. */
const piece = fc.record(
  {
    index: fc.oneof(fc.nat(3), fc.constantFrom(null, -1, 'x')),
    id: fc.constantFrom('a', 'b', 'c', '', null, 7),
    function: fc.oneof(
      fc.record({ name: fc.oneof(name, fc.constantFrom('', null)), arguments: args }, { requiredKeys: [] }),
      fc.constant(null),
    ),
  },
  { requiredKeys: [] },
);
const wildDelta = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.oneof(
      text,
      fc.constant(null),
      fc.array(fc.record({ type: fc.constant('text'), text }), { maxLength: 2 }),
    ),
    reasoning_content: fc.oneof(text, fc.constant(null)),
    reasoning: fc.oneof(text, fc.jsonValue({ maxDepth: 1 })),
    reasoning_details: fc.array(fc.record({ text }), { maxLength: 2 }),
    refusal: fc.oneof(text, fc.constant(null)),
    tool_calls: fc.oneof(fc.array(piece, { maxLength: 3 }), fc.jsonValue({ maxDepth: 1 })),
    function_call: fc.record({ name, arguments: args }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const wildChunk = fc.oneof(
  { weight: 8, arbitrary: wildDelta.map((delta): Json => ({ choices: [{ index: 0, delta }] })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('stop', 'length', 'content_filter', 'tool_calls', '', null)
      .map((finish): Json => ({ choices: [{ delta: {}, finish_reason: finish }] })),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((choices): Json => ({ choices })) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((usage): Json => ({ choices: [], usage })) },
);
const step = fc.oneof(
  { weight: 9, arbitrary: wildChunk },
  { weight: 1, arbitrary: fc.constant('keepAlive' as const) },
);

test('any stream of a provider becomes a stream that clients can follow', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.boolean(),
      fc.constantFrom('', 'codex_exec'),
      (steps, isBroken, originator) => {
        const renderer = parse({ tools: TOOLS }, { originator }).openStream(about());
        let sent = '';
        let keepAlives = 0;
        for (const one of steps) {
          if (one === 'keepAlive') keepAlives += 1;
          sent += one === 'keepAlive' ? renderer.keepAlive() : renderer.push(one);
        }
        sent += isBroken ? renderer.fail(new HttpError('upstream_timeout', 'm')) : renderer.end();
        const told = followEvents(eventsIn(sent));
        assert.equal(told.keepAlives, keepAlives);
        assert.equal(told.error !== null, isBroken);
      },
    ),
    { numRuns: RUNS },
  );
});

/** Requests as clients send them, parts of which are replaced by anything. */
const SEED = {
  instructions: 'Be brief.',
  input: [
    { role: 'developer', content: [{ type: 'input_text', text: 'x' }] },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Hi' },
        { type: 'input_image', image_url: 'https://a/b.png' },
      ],
    },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], content: null },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
    { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' },
    { type: 'custom_tool_call', call_id: '2', name: 'patch', input: 'x' },
    {
      type: 'custom_tool_call_output',
      call_id: '2',
      output: [{ type: 'input_image', image_url: 'https://a/b.png' }],
    },
    { type: 'function_call_output', call_id: '1', output: 'ok' },
    { type: 'tool_search_call', call_id: '3', execution: 'client', arguments: {} },
    { type: 'tool_search_output', call_id: '3', tools: [{ type: 'function', name: 'late' }] },
    { type: 'additional_tools', tools: [{ type: 'custom', name: 'more' }] },
    { type: 'agent_message', content: [{ type: 'encrypted_content', encrypted_content: 'x' }] },
    { role: 'system', content: 'note' },
  ],
  tools: TOOLS,
  tool_choice: { type: 'function', name: 'f' },
  parallel_tool_calls: true,
  text: { format: { type: 'json_schema', name: 'n', schema: {} } },
  reasoning: { effort: 'high', summary: 'auto' },
  max_output_tokens: 10,
};

/** Replaces, removes or repeats the value at a path through a copy of a value. */
function mutate(value: unknown, path: readonly number[], replacement: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined || value === null || typeof value !== 'object') return replacement;
  if (Array.isArray(value)) {
    if (value.length === 0) return [replacement];
    const at = first % value.length;
    const changed = value.map((one, index) => (index === at ? mutate(one, rest, replacement) : one));
    return first % 5 === 0 ? [...changed, value[at]] : changed;
  }
  const names = Object.keys(value);
  const chosen = names[first % Math.max(1, names.length)] ?? 'added';
  const { [chosen]: old, ...others } = value as Json;
  return first % 7 === 0 ? others : { ...others, [chosen]: mutate(old, rest, replacement) };
}

test('any request becomes a chat request that providers accept, or is refused', () => {
  const mutation = fc.tuple(
    fc.array(fc.nat(60), { maxLength: 6 }),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), text),
  );
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 4 }), (mutations) => {
      let body: unknown = SEED;
      for (const [path, replacement] of mutations) body = mutate(body, path, replacement);
      if (body === null || typeof body !== 'object' || Array.isArray(body)) return;
      try {
        const request = parse(body as Json);
        const traits = { ...PLAIN, reasoningField: 'reasoning_content', pdf: true } as const;
        expectChat(doAtOnce(request.toChat(traits)));
        request.renderAnswer(completion({ content: 'Hi' }), about());
      } catch (error) {
        assert.ok(error instanceof HttpError, String(error));
        assert.ok(error.status === 400 && error.error.param !== null);
      }
    }),
    { numRuns: RUNS },
  );
});

/** What strict providers ask of a conversation. */
function expectChat(chat: Json): void {
  const messages = chat['messages'] as Json[];
  const open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const { role, content, tool_calls: calls, tool_call_id: id } = message as Record<string, string> & Json;
    if (role === 'tool') assert.equal(open.shift(), id, 'results follow their calls in order');
    else assert.deepEqual(open, [], 'a call has no result');
    assert.ok(role !== 'system' || index === 0, 'one system message, the first');
    assert.ok(content !== '' || role === 'tool', 'no message is empty');
    if (calls !== undefined) open.push(...(calls as unknown as { id: string }[]).map((call) => call.id));
    for (const call of (calls ?? []) as unknown as { function: { name: string; arguments: string } }[]) {
      assert.match(call.function.name, /^[\w-]{1,64}$/);
      assert.equal(typeof JSON.parse(call.function.arguments), 'object');
    }
  }
  assert.deepEqual(open, []);
  const names = ((chat['tools'] ?? []) as { function: { name: string } }[]).map((tool) => tool.function.name);
  assert.equal(new Set(names).size, names.length, 'names of tools are unique');
  for (const one of names) assert.match(one, /^[\w-]{1,64}$/);
  if (names.length === 0) assert.equal(chat['tool_choice'], undefined);
}
