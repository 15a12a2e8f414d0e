import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';
import { until } from '../helpers/until.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n';
const DONE = 'data: [DONE]\n\n';
const ROLE = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';

function chunk(content: string, finish: string | null = null): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'real', choices })}\n\n`;
}

async function appWith(t: TestContext, baseUrl: string): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl, apiKey: 'provider-secret-key' }, [{ id: 'real' }]);
  return app;
}

/** Asks for a stream of which the provider writes these bytes and then closes its connection, or breaks it. */
async function ask(
  t: TestContext,
  bytes: string,
  { path = 'chat/completions', breaks = false } = {},
): Promise<Response> {
  const upstream = await startRawUpstream(t, (socket) => {
    if (!breaks) return void socket.end(HEAD + bytes);
    const size = (bytes.length + 10).toString(16);
    socket.end(`${HEAD.replace('Connection: close', 'Transfer-Encoding: chunked')}${size}\r\n${bytes}`);
  });
  const app = await appWith(t, upstream.origin);
  const answer = await app.v1(path, { model: 'real', stream: true });
  await expectNothingHeld(app.services);
  return answer;
}

interface Shown {
  readonly error: { message: string; type: string | null; code: string | null; param: string | null };
}

describe('an error before the content of a stream', { timeout: 30_000 }, () => {
  const rows: readonly (readonly [what: string, record: string, status: number, error: object])[] = [
    [
      'OpenAI',
      'data: {"error":{"message":"Busy","type":"server_error","param":null,"code":"overloaded"}}\n\n',
      502,
      { message: 'Busy', type: 'server_error', code: 'overloaded' },
    ],
    [
      'a wrong request',
      'data: {"error":{"message":"no","type":"invalid_request_error","code":"x"}}\n\n',
      400,
      { type: 'invalid_request_error', code: 'x' },
    ],
    [
      'a numeric code (OpenRouter)',
      'data: {"id":"x","error":{"code":429,"message":"slow"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n',
      429,
      { message: 'slow', code: '429' },
    ],
    [
      'vLLM',
      'data: {"object":"error","message":"long","type":"BadRequestError","code":400}\n\n',
      400,
      { message: 'long', type: 'BadRequestError' },
    ],
    [
      'a key that is refused',
      'data: {"error":{"code":403,"message":"bad key provider-secret-key"}}\n\n',
      502,
      {
        code: 'upstream_auth_failed',
        message:
          'The provider up refuses its API key (403). The owner must check the key in the panel. It says: bad key [redacted]',
      },
    ],
    ['Chutes, a bare line', '{"error":"instance lost"}', 502, { message: 'instance lost' }],
    ['an error event', 'event: error\ndata: {"message":"flat","code":"x"}\n\n', 502, { message: 'flat' }],
  ];
  for (const [what, record, status, expected] of rows) {
    test(`is answered as an error: ${what}`, async (t) => {
      for (const before of ['', ': hi\n\n', `${ROLE}: hi\n\n`]) {
        const answer = await ask(t, before + record);
        assert.equal(answer.headers.get('content-type'), 'application/json');
        assert.equal(answer.headers.get('x-ipin-provider'), 'up');
        const { error } = (await answer.json()) as Shown;
        assert.equal(answer.status, status);
        assert.deepEqual({ ...error, ...expected }, error);
        assert.deepEqual(Object.keys(error).slice(-4).sort(), ['code', 'message', 'param', 'type']);
      }
    });
  }

  test('is answered as an error by the Responses API too', async (t) => {
    const created =
      'event: response.created\ndata: {"type":"response.created","response":{"error":null}}\n\n';
    for (const [code, status] of [
      ['server_error', 502],
      ['invalid_prompt', 400],
    ] as const) {
      const failure = { code, message: 'key provider-secret-key' };
      for (const event of [
        { type: 'error', ...failure },
        { type: 'response.failed', response: { error: failure } },
      ]) {
        const text = `${created}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
        const answer = await ask(t, text, { path: 'responses' });
        const { error } = (await answer.json()) as Shown;
        assert.deepEqual([answer.status, error.code, error.message], [status, code, 'key [redacted]']);
      }
    }
  });

  test('closes the connection to a provider that would continue', async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"error":{"message":"no"}}\n\n');
    });
    const app = await appWith(t, upstream.origin);
    assert.equal((await app.v1('chat/completions', { model: 'real', stream: true })).status, 502);
    await until(() => upstream.sockets.size === 0, 'the connection is closed');
  });
});

describe('a stream without content', { timeout: 30_000 }, () => {
  for (const [what, text] of [
    ['nothing', ''],
    ['comments', ': ping\n\n: ping\n\n'],
    ['the role alone', ROLE],
    ['usage alone', 'data: {"choices":[],"usage":{"total_tokens":1}}\n\n'],
    ['half a record', 'data: {"choices":[{"ind'],
    ['an object, no stream', '{"id":"x","object":"chat.completion"}'],
  ] as const) {
    test(`is an error, ended or broken off: ${what}`, async (t) => {
      for (const breaks of [false, true]) {
        const answer = await ask(t, text, { breaks });
        const { error } = (await answer.json()) as Shown;
        assert.deepEqual([answer.status, error.code], [502, 'upstream_invalid_response'], `${breaks}`);
      }
    });
  }

  test('is a stream if it ends with a finish reason or [DONE]', async (t) => {
    for (const text of [DONE, `${ROLE}${chunk('', 'stop')}`, `: ping\n\n${DONE}`]) {
      const answer = await ask(t, text);
      assert.deepEqual([answer.status, await answer.text()], [200, text]);
    }
  });
});

describe('the headers of a stream', { timeout: 30_000 }, () => {
  const request = (): string => {
    const body = '{"model":"real","stream":true}';
    return `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };

  test('leave with the first content, and with every byte before it', async (t) => {
    const steps = [': hi\n\n', ROLE, chunk('a').slice(0, 20), chunk('a').slice(20), chunk('', 'stop') + DONE];
    let next: () => void = () => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      next = () => void res.write(steps.shift() ?? '');
      next();
    });
    const app = await appWith(t, upstream.origin);
    const client = rawClient(t, app.port);
    client.write(request());
    await until(() => steps.length === 4, 'the provider is asked');
    while (steps.length > 2) {
      next();
      // Time for the record to arrive.
      for (let count = 0; count < 10; count += 1) await fetch(`${app.origin}/health`);
      assert.equal(client.received().length, 0);
    }
    next();
    await client.until('"content":"a"');
    next();
    const text = (await client.until('[DONE]\n\n')).toString().replaceAll(/\r\n[0-9a-f]+\r\n/g, '');
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(text.includes(`: hi\n\n${ROLE}${chunk('a')}${chunk('', 'stop')}${DONE}`), text);
  });

  test('leave after a second at the latest, and a later error stands in the stream', async (t) => {
    let fail: () => void = () => {};
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(ROLE);
      fail = () => void res.end('data: {"error":{"message":"late"}}\n\n');
    });
    const app = await appWith(t, upstream.origin);
    const client = rawClient(t, app.port);
    client.write(request());
    await client.until(ROLE);
    fail();
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
    assert.match(String(answer.body), /^data: \{"choices".*\n\ndata: \{"error":\{"message":"late"/);
  });
});

describe('a stream of any size', { timeout: 60_000 }, () => {
  for (const size of [10, 5_000, 65_536, 100_000, 3_000_000]) {
    for (const [what, text] of [
      ['in its first content', chunk('x'.repeat(size))],
      ['in comments before its content', `: ${'x'.repeat(40)}\n\n`.repeat(size / 44) + chunk('a')],
      ['in chunks without content', ROLE.repeat(size / ROLE.length) + chunk('a')],
      ['in records with content', chunk('token ').repeat(size / 120 + 1)],
    ] as const) {
      test(`passes byte for byte: ${size} bytes ${what}`, async (t) => {
        const all = text + chunk('', 'stop') + DONE;
        const upstream = await startRawUpstream(t, (socket) => void socket.end(HEAD + all));
        const app = await appWith(t, upstream.origin);
        const answer = await app.v1('chat/completions', { model: 'real', stream: true });
        const got = await answer.text();
        assert.equal(got.length, all.length);
        assert.ok(got === all);
      });
    }
  }
});
