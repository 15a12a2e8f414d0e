import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TranslatedStream } from '../../src/dialects/translated-stream.ts';
import { HttpError } from '../../src/errors.ts';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { doAtOnce } from '../helpers/steps.ts';
import { ASK, about, chunk, eventsOf, PLAIN, parse, whole } from './messages-setup.ts';

type Json = Record<string, unknown>;

const RUNS = { numRuns: process.env['IPIN_LONG'] === '1' ? 20_000 : 500 };

/** Checks the order of events as clients rely on it, and returns what they build from it. */
function built(events: readonly Json[]): {
  texts: Record<string, string>;
  calls: string[];
  isStopped: boolean;
} {
  const texts: Record<string, string> = { text: '', thinking: '' };
  const calls: string[] = [];
  let index = -1;
  let open: string | null = null;
  let state: 'before' | 'begun' | 'delta' | 'stopped' | 'failed' = 'before';
  for (const event of events) {
    const { type } = event;
    if (type === 'ping') continue;
    assert.ok(state !== 'stopped' && state !== 'failed', 'nothing follows the end');
    if (type === 'error') state = 'failed';
    else if (type === 'message_start') {
      assert.equal(state, 'before');
      state = 'begun';
    } else if (type === 'message_delta') {
      assert.ok(state === 'begun' && open === null);
      state = 'delta';
    } else if (type === 'message_stop') {
      assert.equal(state, 'delta');
      state = 'stopped';
    } else {
      assert.equal(state, 'begun');
      if (type === 'content_block_start') {
        assert.equal(open, null);
        index += 1;
        const { type: kind } = event['content_block'] as Json;
        open = String(kind);
        if (kind === 'tool_use') calls.push('');
      } else if (type === 'content_block_delta') {
        assert.ok(open !== null);
        const { text, thinking, partial_json: json } = event['delta'] as Json;
        if (open === 'tool_use') calls[calls.length - 1] += String(json);
        else texts[open] += String(text ?? thinking);
      } else {
        assert.equal(type, 'content_block_stop');
        assert.ok(open !== null);
        open = null;
      }
      assert.equal(event['index'], index);
    }
  }
  return { texts, calls, isStopped: state === 'stopped' };
}

const piecesOf = (text: string, size: number): string[] =>
  text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];

/** What a model says, and the chunks in which a provider tells it: calls may come by turns. */
const answers = fc
  .record({
    reasoning: fc.string({ unit: 'grapheme', maxLength: 30 }),
    text: fc.string({ unit: 'grapheme', maxLength: 30 }),
    calls: fc.array(
      fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 }),
      { maxLength: 4 },
    ),
    size: fc.integer({ min: 1, max: 9 }),
    turns: fc.array(fc.nat(), { maxLength: 60 }),
    hasIndex: fc.boolean(),
  })
  .filter(({ text }) => !'<think>'.startsWith(text.trimStart().slice(0, 7)));

function chunksOf({
  reasoning,
  text,
  calls,
  size,
  turns,
  hasIndex,
}: typeof answers extends fc.Arbitrary<infer T> ? T : never): Json[] {
  const said = [
    ...piecesOf(reasoning, size).map((piece) => chunk({ reasoning_content: piece })),
    ...piecesOf(text, size).map((piece) => chunk({ content: piece })),
  ];
  const queues = calls.map((input, index) => {
    const place = hasIndex ? { index } : {};
    const name = {
      tool_calls: [{ ...place, id: `call_${index}`, function: { name: 'run', arguments: '' } }],
    };
    const pieces = piecesOf(JSON.stringify(input), size).map((piece) => ({
      tool_calls: [{ ...place, function: { arguments: piece } }],
    }));
    return [name, ...pieces].map((delta) => chunk(delta));
  });
  const called: Json[] = [];
  // Without an index, a provider must send one call after the other.
  for (const turn of hasIndex ? turns : []) {
    const next = queues[turn % Math.max(1, queues.length)]?.shift();
    if (next !== undefined) called.push(next);
  }
  return [...said, ...called, ...queues.flat(), chunk({}, 'stop')];
}

describe('random answers', { timeout: 600_000 }, () => {
  test('no text and no argument is lost, whatever the order of the chunks', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const renderer = parse({}).openStream(about());
        const text =
          chunksOf(answer)
            .map((one) => renderer.push(one))
            .join('') + renderer.end();
        const { texts, calls, isStopped } = built(eventsOf(text));
        assert.ok(isStopped);
        assert.deepEqual(texts, { text: answer.text, thinking: answer.reasoning });
        const sent = calls.map((call) => call).sort();
        assert.deepEqual(sent, answer.calls.map((input) => JSON.stringify(input)).sort());
      }),
      RUNS,
    );
  });

  test('a whole answer says the same as a stream', () => {
    fc.assert(
      fc.property(answers, ({ reasoning, text, calls }) => {
        const tool_calls = calls.map((input, index) => ({
          id: `c${index}`,
          type: 'function',
          function: { name: 'run', arguments: JSON.stringify(input) },
        }));
        const { content } = whole({
          role: 'assistant',
          content: text,
          reasoning_content: reasoning,
          tool_calls,
        });
        const blocks = content as { type: string; text?: string; thinking?: string; input?: unknown }[];
        assert.equal(blocks.find(({ type }) => type === 'text')?.text ?? '', text);
        assert.equal(blocks.find(({ type }) => type === 'thinking')?.thinking ?? '', reasoning);
        const inputs = blocks
          .filter(({ type }) => type === 'tool_use')
          .map(({ input }) => JSON.stringify(input));
        assert.deepEqual(
          inputs,
          calls.map((input) => JSON.stringify(JSON.parse(JSON.stringify(input)))),
        );
      }),
      RUNS,
    );
  });
});

/** Values that a hostile or broken provider may put anywhere. */
const anything = fc.oneof(
  fc.constantFrom(
    null,
    '',
    0,
    -1,
    true,
    [],
    {},
    '{"a":',
    '}',
    '<think>',
    '</think>',
    'stop',
    'length',
    'run',
    'x',
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const calls = fc.array(
  fc.oneof(
    anything,
    fc.record(
      {
        index: fc.oneof(fc.nat(3), anything),
        id: anything,
        function: fc.oneof(
          anything,
          fc.record({ name: anything, arguments: anything }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    ),
  ),
  { maxLength: 3 },
);
const deltas = fc.record(
  {
    content: anything,
    reasoning_content: anything,
    reasoning: anything,
    reasoning_details: anything,
    refusal: anything,
    tool_calls: fc.oneof(calls, anything),
    function_call: anything,
  },
  { requiredKeys: [] },
);
const chunks = fc.record(
  {
    choices: fc.oneof(
      anything,
      fc.array(
        fc.record(
          {
            index: fc.constantFrom(0, 1, null),
            delta: fc.oneof(deltas, anything),
            finish_reason: anything,
            stop_reason: anything,
          },
          { requiredKeys: [] },
        ),
        { maxLength: 2 },
      ),
    ),
    usage: anything,
    error: fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: anything }),
  },
  { requiredKeys: [] },
);

test('a hostile stream, in pieces of any size, breaks no order of events', { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 8, arbitrary: chunks }, { weight: 1, arbitrary: anything }), {
        maxLength: 12,
      }),
      fc.integer({ min: 1, max: 200 }),
      fc.constantFrom('end', 'done', 'fail', 'cut'),
      (values, size, ending) => {
        const transform = new TranslatedStream({
          renderer: parse({}).openStream(about()),
          secrets: [],
          meter: new AnswerMeter('tokens'),
          mayHold: () => true,
        });
        let bytes = Buffer.from(values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join(''));
        if (ending === 'done') bytes = Buffer.concat([bytes, Buffer.from('data: [DONE]\n\n')]);
        if (ending === 'cut') bytes = bytes.subarray(0, bytes.length - 3);
        let out = '';
        for (let at = 0; at < bytes.length && transform.error === null; at += size) {
          out += transform.push(bytes.subarray(at, at + size));
          if (at % 7 === 0 && transform.error === null) out += transform.idle() ?? '';
        }
        if (transform.error === null) {
          out +=
            ending === 'fail'
              ? transform.fail(new HttpError('upstream_unreachable', 'Gone.'))
              : transform.end();
        }
        built(eventsOf(out));
      },
    ),
    RUNS,
  );
});

describe('random requests', { timeout: 600_000 }, () => {
  const blockTypes = fc.constantFrom(
    'text',
    'image',
    'document',
    'tool_use',
    'tool_result',
    'tool_reference',
    'thinking',
    'search_result',
    'tool_addition',
    'tool_removal',
    'compaction',
    'future',
  );
  const block = fc.record(
    {
      type: blockTypes,
      text: anything,
      id: anything,
      name: anything,
      input: anything,
      tool_use_id: anything,
      content: anything,
      source: anything,
      thinking: anything,
      tool: anything,
      tool_name: anything,
      title: anything,
    },
    { requiredKeys: ['type'] },
  );
  const message = fc.record({
    role: fc.constantFrom('user', 'assistant', 'system'),
    content: fc.oneof(anything, fc.array(block, { maxLength: 4 })),
  });
  const request = fc.record(
    {
      messages: fc.array(message, { minLength: 1, maxLength: 6 }),
      system: fc.oneof(anything, fc.array(block, { maxLength: 2 })),
      tools: fc.array(
        fc.record(
          {
            name: fc.constantFrom('a', 'b', 'c'.repeat(90)),
            input_schema: anything,
            defer_loading: anything,
            description: anything,
          },
          { requiredKeys: ['name'] },
        ),
        { maxLength: 3 },
      ),
      tool_choice: fc.oneof(
        anything,
        fc.record({ type: fc.constantFrom('auto', 'any', 'none', 'future'), name: anything }),
      ),
      stop_sequences: anything,
      output_config: anything,
      thinking: anything,
      temperature: anything,
      metadata: anything,
    },
    { requiredKeys: ['messages'] },
  );

  test('history and unknown fields are never refused, and the chat request is one that providers accept', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(null, 'reasoning_content' as const), (fields, reasoningField) => {
        const request = parse({ ...ASK, ...(fields as Json) });
        const chat = doAtOnce(request.toChat({ ...PLAIN, reasoningField }));
        const messages = chat['messages'] as {
          role: string;
          content: unknown;
          tool_calls?: { id: string }[];
          tool_call_id?: string;
        }[];
        let open: string[] = [];
        for (const [at, { role, content, tool_calls: called, tool_call_id: id }] of messages.entries()) {
          if (role === 'tool') assert.equal(open.shift(), id, 'results follow their calls in order');
          else assert.deepEqual(open, [], 'every call has its result');
          if (role === 'system') assert.equal(at, 0, 'one system message, the first');
          if (role === 'assistant') open = (called ?? []).map((one) => one.id);
          assert.ok(content !== '' || role === 'tool', 'nothing is empty');
          assert.ok(content !== null || role === 'assistant');
        }
        assert.deepEqual(open, []);
        JSON.stringify(chat);
      }),
      RUNS,
    );
  });

  test('mutated requests throw nothing but refusals', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'messages',
            'system',
            'tools',
            'tool_choice',
            'max_tokens',
            'thread',
            'output_config',
            'mcp_servers',
          ),
          anything,
        ),
        (fields) => {
          try {
            doAtOnce(parse(fields as Json).toChat(PLAIN));
          } catch (error) {
            assert.ok(error instanceof HttpError && error.status < 500, String(error));
          }
        },
      ),
      RUNS,
    );
  });
});
