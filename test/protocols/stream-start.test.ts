import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { StreamEnd } from '../../src/protocols/stream-end.ts';
import { type StreamFinding, StreamStart } from '../../src/protocols/stream-start.ts';

/** What is found in a stream that is cut at these offsets, and how many of its bytes were needed for it. */
function find(
  text: string,
  { streamEnd = 'chat' as StreamEnd, cuts = [] as readonly number[], ends = false } = {},
): StreamFinding {
  const bytes = Buffer.from(text);
  const start = new StreamStart(streamEnd);
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    const found = start.push(bytes.subarray(from, at));
    if (found.kind !== 'nothing') return found;
    from = at;
  }
  return ends ? start.end() : { kind: 'nothing' };
}

function choice(members: object): string {
  const choices = [{ index: 0, logprobs: null, finish_reason: null, ...members }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices })}\n\n`;
}

function delta(members: object): string {
  return choice({ delta: { role: 'assistant', content: '', ...members } });
}

function event(type: string, more: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

const NO_CONTENT: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['comments', ': OPENROUTER PROCESSING\n\n:\n\n'],
  ['a retry time', 'retry: 1000\n\n'],
  ['an event without data', 'event: ping\n\n'],
  ['empty data', 'data:\n\ndata: \n\n'],
  ['the role alone', choice({ delta: { role: 'assistant' } })],
  ['the role and empty content', delta({})],
  ['null content', delta({ content: null, refusal: null, tool_calls: null })],
  ['empty lists', delta({ content: [], tool_calls: [], reasoning_details: [], audio: {} })],
  ['an empty finish reason', choice({ delta: {}, finish_reason: '' })],
  ['an empty text', choice({ text: '' })],
  ['no delta', choice({})],
  ['a delta that is none', choice({ delta: 'x' })],
  ['no choices', 'data: {"id":"c","choices":[]}\n\n'],
  ['choices that are null', 'data: {"choices":null}\n\n'],
  ['filter results (Azure)', 'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n'],
  ['an object of something else', 'data: {"type":"ping"}\n\n'],
  ['error: null', 'data: {"error":null,"choices":[]}\n\n'],
  ['bare JSON that is no error', '{"id":"x","object":"chat.completion"}\n\n'],
];

const CONTENT: readonly (readonly [string, string])[] = [
  ['text', delta({ content: 'a' })],
  ['a space', delta({ content: ' ' })],
  ['parts', delta({ content: [{ type: 'text', text: '' }] })],
  ['reasoning (DeepSeek)', delta({ reasoning_content: 'a' })],
  ['reasoning (OpenRouter)', delta({ reasoning: 'a' })],
  ['a tool call', delta({ tool_calls: [{ index: 0 }] })],
  ['a function call', delta({ function_call: { name: 'f' } })],
  ['a refusal', delta({ refusal: 'no' })],
  ['audio', delta({ audio: { id: 'x' } })],
  ['a finish reason', choice({ delta: {}, finish_reason: 'stop' })],
  ['a text completion', choice({ text: 'a' })],
  ['a whole message', choice({ message: { role: 'assistant', content: 'a' } })],
  ['the second choice', 'data: {"choices":[{"delta":{}},{"delta":{"content":"a"}}]}\n\n'],
  ['[DONE]', 'data: [DONE]\n\n'],
  ['text that is no JSON', 'data: hello\n\n'],
  ['half an object', 'data: {"choices":[{"ind\n\n'],
  ['without a space', delta({ content: 'a' }).replace('data: ', 'data:')],
  ['CRLF', delta({ content: 'a' }).replaceAll('\n', '\r\n')],
  ['CR', delta({ content: 'a' }).replaceAll('\n', '\r')],
  ['data over several lines', 'data: {"choices":\ndata: [{"delta":{"content":"a"}}]}\n\n'],
  ['a byte order mark', `\ufeff${delta({ content: 'a' })}`],
  ['an id before it', `id: 1\n${delta({ content: 'a' })}`],
  ['the word error in it', delta({ content: '"error"' })],
];

const ERRORS: readonly (readonly [string, string, Record<string, unknown>])[] = [
  [
    'OpenAI',
    'data: {"error":{"message":"m","type":"server_error","code":"overloaded"}}\n\n',
    { message: 'm', type: 'server_error', code: 'overloaded' },
  ],
  [
    'OpenRouter',
    `data: {"error":{"code":502,"message":"m"},"choices":[{"finish_reason":"error"}]}\n\n`,
    { code: '502' },
  ],
  ['vLLM', 'data: {"object":"error","message":"m","type":"BadRequestError","code":400}\n\n', { code: '400' }],
  ['Ollama', 'data: {"error":"m"}\n\n', { message: 'm' }],
  ['an error event', 'event: error\ndata: {"message":"m","code":"x"}\n\n', { message: 'm', code: 'x' }],
  ['a bare line', '{"error":{"message":"m"}}\n\n', { message: 'm' }],
  ['bare JSON over several lines', '{\n  "error": {\n    "message": "m"\n  }\n}\n\n', { message: 'm' }],
];

describe('StreamStart', () => {
  for (const [name, record] of NO_CONTENT) {
    test(`finds nothing: ${name}`, () => {
      assert.equal(find(record, { ends: true }).kind, 'nothing');
      assert.equal(find(`${record}: comment\n\n${record}${delta({ content: 'a' })}`).kind, 'content');
    });
  }

  for (const [name, record] of CONTENT) {
    test(`finds content: ${name}`, () => {
      assert.equal(find(record).kind, 'content');
      assert.equal(find(`: comment\n\n${delta({})}${record}data: {"error":"late"}\n\n`).kind, 'content');
    });
  }

  for (const [name, record, expected] of ERRORS) {
    test(`finds an error: ${name}`, () => {
      for (const text of [record, `: comment\n\n${delta({})}${record}${delta({ content: 'a' })}`]) {
        const found = find(text);
        assert.ok(found.kind === 'error', text);
        assert.deepEqual({ ...found.error, ...expected }, found.error);
      }
      assert.equal(find(record.trimEnd(), { ends: true }).kind, 'error', 'without the last line end');
    });
  }

  test('takes a last record without its empty line as content, unless it was cut off', () => {
    const record = delta({ content: 'a' });
    for (const text of [record.trimEnd(), `${record.trimEnd()}\n`]) {
      assert.equal(find(text).kind, 'nothing');
      assert.equal(find(text, { ends: true }).kind, 'content');
    }
    assert.equal(find(record.slice(0, -6), { ends: true }).kind, 'nothing');
  });

  test('takes a stream of 64 KiB as begun', () => {
    const size = 64 * 1024;
    assert.equal(find(': x\n\n'.repeat(size / 5)).kind, 'nothing');
    assert.equal(find(': x\n\n'.repeat(size / 5 + 1)).kind, 'content');
    assert.equal(find(`data: "${'x'.repeat(size)}`).kind, 'content');
    assert.equal(find(delta({ content: 'x'.repeat(1024 * 1024) })).kind, 'content');
    const error = `data: {"error":{"message":"${'x'.repeat(60_000)}"}}\n\n`;
    assert.equal(find(error).kind, 'error');
  });

  test('knows the events of the Responses API', () => {
    const early = event('response.created') + event('response.queued') + event('response.in_progress');
    const responses = { streamEnd: 'responses' as const, ends: true };
    assert.equal(find(early + event('keepalive'), responses).kind, 'nothing');
    assert.equal(
      find(early.replaceAll(/event: .*\n/g, ''), responses).kind,
      'nothing',
      'named in the data only',
    );
    for (const type of ['response.output_item.added', 'response.completed', 'response.incomplete'])
      assert.equal(find(early + event(type), responses).kind, 'content', type);
    const failure = { code: 'server_error', message: 'm' };
    for (const [text, code] of [
      [event('error', failure), 'server_error'],
      [event('error', { error: { ...failure, type: 'x' } }), 'server_error'],
      [event('response.failed', { response: { error: failure } }), 'server_error'],
      ['data: {"error":{"message":"m","code":"x"}}\n\n', 'x'],
    ] as const) {
      const found = find(early + text, responses);
      assert.ok(found.kind === 'error', text);
      assert.equal(found.error.code, code);
    }
  });

  test('tells a wrong request from other failures of the Responses API, which have no type', () => {
    const typeOf = (code: string): string | null => {
      const found = find(event('response.failed', { response: { error: { code, message: 'm' } } }), {
        streamEnd: 'responses',
      });
      return found.kind === 'error' ? found.error.type : 'none';
    };
    for (const code of ['invalid_prompt', 'image_too_large', 'empty_image_file', 'context_length_exceeded'])
      assert.equal(typeOf(code), 'invalid_request_error', code);
    for (const code of ['server_error', 'rate_limit_exceeded', 'invalid_api_key', 'insufficient_quota'])
      assert.equal(typeOf(code), 'server_error', code);
  });

  test('takes any data as content where vendors differ', () => {
    const any = { streamEnd: null };
    assert.equal(find('data: {}\n\n', any).kind, 'content');
    assert.equal(find('event: x\ndata: {"type":"speech.audio.delta"}\n\n', any).kind, 'content');
    assert.equal(find(': comment\n\ndata:\n\n', any).kind, 'nothing');
    assert.equal(find('data: {"error":"m"}\n\n', any).kind, 'error');
  });

  test('finds the same whatever the chunks', () => {
    const record = fc.constantFrom(...[...NO_CONTENT, ...CONTENT, ...ERRORS].map(([, text]) => text));
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 5 }),
        lineEnd,
        cuts,
        fc.boolean(),
        (records, eol, places, ends) => {
          const text = records.join('').replaceAll(/\r\n|\r|\n/g, eol);
          assert.deepEqual(find(text, { cuts: places, ends }), find(text, { ends }));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('chat', 'responses', null),
        (bytes, streamEnd) => {
          const start = new StreamStart(streamEnd);
          if (start.push(Buffer.from(bytes)).kind === 'nothing') start.end();
        },
      ),
    );
  });
});
