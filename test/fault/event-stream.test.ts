import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { type RawAnswer, type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n';
const DONE = 'data: [DONE]\n\n';

function chunk(content: string, finish: string | null = null, model = 'real'): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model, choices })}\n\n`;
}

async function appWith(t: TestContext, baseUrl: string): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl, apiKey: 'provider-secret-key' }, [
    { id: 'real' },
    { id: 'alias', upstreamModel: 'real' },
  ]);
  return app;
}

interface Streamed {
  readonly text: string;
  readonly answer: RawAnswer;
  readonly client: RawClient;
}

/** Requests a stream and returns its body; `write` is what the upstream does with its socket. */
async function streamed(
  t: TestContext,
  bytes: string | Buffer,
  path = 'chat/completions',
  model = 'real',
): Promise<Streamed> {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(HEAD);
    socket.end(bytes);
  });
  const app = await appWith(t, upstream.origin);
  return ask(t, app, path, model);
}

async function ask(
  t: TestContext,
  app: AppUnderTest,
  path = 'chat/completions',
  model = 'real',
  includeUsage = true,
): Promise<Streamed> {
  const client = rawClient(t, app.port);
  client.write(rawRequest(path, { model, stream: true, stream_options: { include_usage: includeUsage } }));
  const [answer] = await client.answers(1);
  assert.ok(answer !== undefined);
  return { answer, text: answer.body.toString(), client };
}

function rawRequest(path: string, value: unknown): string {
  const body = JSON.stringify(value);
  return `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The error at the end of a stream. */
function lastError(text: string): Record<string, unknown> {
  const record = /data: (\{"error":.*\})\n\n$/.exec(text)?.[1];
  assert.ok(record !== undefined, text);
  assert.doesNotMatch(text, /\[DONE\]/);
  const { error } = JSON.parse(record);
  assert.deepEqual(Object.keys(error).slice(-4).sort(), ['code', 'message', 'param', 'type']);
  return error;
}

const SOUND: readonly (readonly [string, string])[] = [
  ['plain records', chunk('Hé') + chunk('llo', 'stop') + DONE],
  ['CRLF', (chunk('Hé') + chunk('llo', 'stop') + DONE).replaceAll('\n', '\r\n')],
  ['CR alone', (chunk('Hé') + chunk('llo', 'stop') + DONE).replaceAll('\n', '\r')],
  ['comments', `: OPENROUTER PROCESSING\n\n${chunk('a')}: ping\n\n: ping\n\n${chunk('', 'stop')}${DONE}`],
  ['no space after the colon', (chunk('a') + chunk('', 'stop') + DONE).replaceAll('data: ', 'data:')],
  ['ids, retry, unknown fields', `retry: 3\nid: 1\nx-y: z\n${chunk('a')}${chunk('', 'stop')}${DONE}`],
  ['data over several lines', `data: {"choices":\ndata: [{"index":0,"finish_reason":"stop"}]}\n\n${DONE}`],
  ['a byte order mark', `\ufeff${chunk('a')}${chunk('', 'stop')}${DONE}`],
  ['empty lines in between', `\n\n\n${chunk('a')}\n\n${chunk('', 'stop')}\n${DONE}\n\n`],
  ['a line of a megabyte', chunk('x'.repeat(1024 * 1024)) + chunk('', 'stop') + DONE],
  ['astral characters', chunk('😀🇩🇪‍') + chunk('', 'stop') + DONE],
  ['[DONE] alone at the end', chunk('a') + DONE],
  ['a finish reason and no [DONE]', chunk('a') + chunk('', 'stop')],
  [
    'a finish reason, then usage, no [DONE]',
    `${chunk('', 'stop')}data: {"choices":[],"usage":{"total_tokens":1}}\n\n`,
  ],
  ['talk of errors in the content', chunk('{"error":{"message":"no"}}') + chunk('"error"', 'stop') + DONE],
  ['error: null in each chunk', `data: {"error":null,"choices":[{"finish_reason":"stop"}]}\n\n${DONE}`],
];

describe('a valid event stream', { timeout: 20_000 }, () => {
  for (const [name, text] of SOUND) {
    test(`passes byte for byte: ${name}`, async (t) => {
      const { answer } = await streamed(t, text);
      assert.equal(answer.headers.get('content-type'), 'text/event-stream');
      assert.equal(answer.headers.get('x-accel-buffering'), 'no');
      assert.equal(answer.body.toString(), text);
    });
  }

  test('passes byte for byte whatever the chunks, each record at once', async (t) => {
    const bytes = Buffer.from(
      `: hi\r\n\r\n${chunk('é😀')}${chunk('', 'stop').replaceAll('\n', '\r\n')}${DONE}`,
    );
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const next = (at: number): void => {
        if (at === bytes.length) return void res.end();
        res.write(bytes.subarray(at, at + 1), () => setImmediate(() => next(at + 1)));
      };
      next(0);
    });
    const app = await appWith(t, upstream.origin);
    assert.equal((await ask(t, app)).text, bytes.toString());
  });

  test('reaches the client while the upstream still sends: headers at once, records as they arrive', async (t) => {
    let go: () => void = () => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      const steps = [
        chunk('one'),
        'data: {"choices":[{"index":0,',
        `"delta":{"content":"two"}}]}\n\n`,
        chunk('', 'stop') + DONE,
      ];
      go = () => void res.write(steps.shift() ?? '');
    });
    const app = await appWith(t, upstream.origin);
    const client = rawClient(t, app.port);
    client.write(rawRequest('chat/completions', { model: 'real', stream: true }));
    await client.until('text/event-stream');
    go();
    await client.until('one');
    go();
    go();
    await client.until('"two"}}]}\n\n');
  });

  test('gets a missing empty line after its last record', async (t) => {
    for (const end of ['', '\n', '\r', '\r\n']) {
      const { text } = await streamed(t, `${chunk('a')}data: [DONE]${end}`);
      assert.match(text, /data: \[DONE\](\n\n|\r\n\n|\r\n\r\n)$/, JSON.stringify(end));
    }
  });

  test('names the requested model, and nothing else differs', async (t) => {
    const body =
      chunk('"model":"real"', null, 'real-2024') +
      chunk('', 'stop').replace('"model":', '"model" :  ') +
      DONE;
    const { text } = await streamed(t, body, 'chat/completions', 'alias');
    assert.equal(
      text,
      body.replace('"real-2024"', '"alias"').replace('"model" :  "real"', '"model" :  "alias"'),
    );
  });
});

describe('an error in the stream', { timeout: 20_000 }, () => {
  const openai = { message: 'Too much', type: 'server_error', param: null, code: 'overloaded' };
  const errors: readonly (readonly [string, string, Record<string, unknown>])[] = [
    ['OpenAI', `data: ${JSON.stringify({ error: openai })}\n\n`, openai],
    [
      'vLLM, flat',
      'data: {"object":"error","message":"boom","type":"E","param":null,"code":400}\n\n',
      { message: 'boom', code: '400' },
    ],
    ['Chutes, a bare line at the end', '{"error":"instance lost"}', { message: 'instance lost' }],
    ['Chutes, a bare line', '{"error":"instance lost"}\n\n', { message: 'instance lost' }],
    ['Ollama', 'data: {"error":"model crashed"}\n\n', { message: 'model crashed' }],
    [
      'OpenRouter',
      'data: {"id":"x","error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
      { message: 'gone', code: '502' },
    ],
    [
      'event: error, flat',
      'event: error\ndata: {"type":"server_error","code":"x","message":"flat"}\n\n',
      { message: 'flat', code: 'x' },
    ],
    ['event: error, OpenAI', 'event: error\ndata: {"error":{"message":"inside"}}\n\n', { message: 'inside' }],
    [
      'with our key in it',
      'data: {"error":{"message":"bad key provider-secret-key"}}\n\n',
      { message: 'bad key [redacted]' },
    ],
    ['with a bearer in it', 'data: {"error":{"message":"Bearer abc"}}\n\n', { message: '[redacted]' }],
  ];
  for (const [name, record, expected] of errors) {
    test(`becomes an error that SDKs see, and ends the stream: ${name}`, async (t) => {
      const rest = record.endsWith('\n') ? chunk('more') + DONE : '';
      const { text, answer, client } = await streamed(t, chunk('a') + record + rest);
      const error = lastError(text);
      for (const [member, value] of Object.entries(expected)) assert.equal(error[member], value, text);
      assert.ok(text.startsWith(chunk('a')));
      assert.doesNotMatch(text, /more|provider-secret-key/);
      assert.equal(answer.status, 200);
      // The connection stays open: the next answer arrives on it.
      client.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await client.answers(2))[1]?.status, 200);
    });
  }

  test('ends the answer although the upstream stays connected', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`${chunk('a')}data: {"error":{"message":"no"}}\n\n`);
    });
    const app = await appWith(t, upstream.origin);
    assert.equal(lastError((await ask(t, app)).text)['message'], 'no');
  });

  test('with endless nesting does no harm', async (t) => {
    const deep = `data: {"error":{"message":"m","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}}\n\n`;
    const { text } = await streamed(t, deep);
    assert.ok(text.includes('"error"') && !text.includes('[DONE]'));
  });
});

describe('a stream that stops before its end', { timeout: 20_000 }, () => {
  const cases: readonly (readonly [string, string])[] = [
    ['chunks without a finish reason', chunk('a') + chunk('b')],
    ['half a record', `${chunk('a')}data: {"choices":[{"ind`],
  ];
  for (const [name, text] of cases) {
    test(`gets an error record: ${name}`, async (t) => {
      const { text: got } = await streamed(t, text);
      assert.equal(lastError(got)['code'], 'upstream_invalid_response');
      for (const line of got.split('\n')) if (line.startsWith('data: ')) JSON.parse(line.slice(6));
    });
  }

  test('in the middle of a long record gets an error after it', async (t) => {
    const cut = chunk('x'.repeat(5 * 1024 * 1024)).slice(0, -10);
    for (const model of ['real', 'alias']) {
      const { text } = await streamed(t, chunk('a') + cut, 'chat/completions', model);
      assert.equal(lastError(text)['code'], 'upstream_invalid_response');
      assert.ok(text.includes(`${'x'.repeat(100)}\n\ndata: {"error"`) || text.includes('}}\n\n'));
    }
  });

  test('a JSON response becomes the requested stream', async (t) => {
    const answer = {
      id: 'x',
      object: 'chat.completion',
      model: 'real',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', tool_calls: [{ id: 't' }] },
          finish_reason: 'stop',
        },
      ],
      usage: { total_tokens: 3 },
    };
    const upstream = await startUpstream(t, (_req, res) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
    );
    const app = await appWith(t, upstream.origin);
    const { text, answer: raw } = await ask(t, app, 'chat/completions', 'alias', false);
    assert.equal(raw.headers.get('content-type'), 'text/event-stream');
    const records = text
      .split('\n\n')
      .filter(Boolean)
      .map((record) => record.replace('data: ', ''));
    assert.equal(records.at(-1), '[DONE]');
    const [first] = records.slice(0, -1).map((record) => JSON.parse(record));
    assert.equal(records.length, 2, 'no usage chunk unasked');
    assert.deepEqual(first, {
      id: 'x',
      object: 'chat.completion.chunk',
      model: 'alias',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          delta: { role: 'assistant', content: 'Hi', tool_calls: [{ index: 0, id: 't' }] },
        },
      ],
    });
  });
});

describe('a stream of /v1/responses', { timeout: 20_000 }, () => {
  const event = (type: string, more: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const created = event('response.created', {
    response: { model: 'real', status: 'in_progress', error: null },
  });
  const delta = event('response.output_text.delta', { delta: 'Hi' });
  const failed = event('response.failed', {
    response: { model: 'real', error: { code: 'server_error', message: 'x' } },
  });

  for (const [name, end] of [
    ['completed', event('response.completed', { response: { model: 'real' } })],
    ['failed', failed],
    ['incomplete', event('response.incomplete', { response: {} })],
    ['error', event('error', { code: 'x', message: 'y', param: null })],
  ] as const) {
    test(`passes unchanged: ${name}`, async (t) => {
      const text = created + delta + end;
      assert.equal((await streamed(t, text, 'responses')).text, text);
    });
  }

  test('names the requested model in `response.model`', async (t) => {
    const { text } = await streamed(t, created + delta + failed, 'responses', 'alias');
    assert.equal(text, (created + delta + failed).replaceAll('"real"', '"alias"'));
  });

  test('that stops midway gets an error', async (t) => {
    const begun = created + delta;
    const { text } = await streamed(t, begun, 'responses');
    assert.ok(text.startsWith(begun));
    const [error, failedEvent, ...rest] = text.slice(begun.length).split('\n\n');
    assert.deepEqual(rest, ['']);
    assert.match(
      error ?? '',
      /^event: error\ndata: \{"type":"error","code":"upstream_invalid_response","message":"/,
    );
    const { type, response } = JSON.parse(failedEvent?.replace('event: response.failed\ndata: ', '') ?? '');
    assert.equal(type, 'response.failed');
    assert.equal(response.model, 'real');
    assert.equal(response.status, 'failed');
    assert.equal(response.error.code, 'upstream_invalid_response');
  });
});
