import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CHAT_ANSWER, type FakeUpstream, startUpstream } from '../helpers/fake-upstream.ts';
import { type RawAnswer, type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';
import { until } from '../helpers/until.ts';

const KEEP_ALIVE = ': keep-alive\n\n';
const DONE = 'data: [DONE]\n\n';
const STREAM = { 'content-type': 'text/event-stream' };

function chunk(content: string, finish: string | null = null, model = 'real'): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model, choices })}\n\n`;
}

interface Started {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly client: RawClient;
  /** The provider's response to the waiting request. */
  readonly response: ServerResponse;
}

interface StartOptions {
  readonly path?: string;
  readonly keepAliveMs?: string;
}

/** Asks for a stream, and returns once the client has its headers and the provider has the request. */
async function start(
  t: TestContext,
  { path = 'chat/completions', keepAliveMs = '20' }: StartOptions = {},
): Promise<Started> {
  const responses: ServerResponse[] = [];
  const upstream = await startUpstream(t, (_req, res) => void responses.push(res));
  const app = await startApp(t, { env: { EARLY_STREAM_MS: '20', SSE_KEEPALIVE_MS: keepAliveMs } });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret-key' }, [
    { id: 'alias', upstreamModel: 'real' },
  ]);
  const client = rawClient(t, app.port);
  const body = '{"model":"alias","stream":true}';
  client.write(
    `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await client.until(keepAliveMs === '0' ? '\r\n\r\n' : KEEP_ALIVE);
  await until(() => responses.length === 1, 'the provider is asked');
  const [response] = responses;
  assert.ok(response);
  return { app, upstream, client, response };
}

/** The answer, and its text without keep-alives. */
async function answerOf({ client }: Started): Promise<{ answer: RawAnswer; text: string }> {
  const [answer] = await client.answers(1);
  assert.ok(answer);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  return { answer, text: answer.body.toString().replaceAll(KEEP_ALIVE, '') };
}

interface Line {
  readonly status: number;
  readonly outcome: string;
  readonly code?: string;
}

async function lineOf({ logs }: AppUnderTest): Promise<Line> {
  const find = (): string | undefined => logs.find((line) => line.includes('"path":"/v1/'));
  await until(() => find() !== undefined, 'the request is logged');
  const { status, outcome, code } = JSON.parse(find() ?? '') as Line;
  return { status, outcome, ...(code === undefined ? {} : { code }) };
}

describe('a stream that begins before its provider answers', { timeout: 30_000 }, () => {
  test('goes on with the stream of the provider', async (t) => {
    const started = await start(t);
    started.response.writeHead(200, { ...STREAM, 'x-request-id': 'req_up' });
    started.response.end(chunk('Hi') + chunk('x'.repeat(100_000)) + chunk('', 'stop') + DONE);
    const { answer, text } = await answerOf(started);
    const alias = (content: string, finish: string | null = null): string => chunk(content, finish, 'alias');
    assert.equal(text, alias('Hi') + alias('x'.repeat(100_000)) + alias('', 'stop') + DONE);
    assert.ok(answer.body.toString().startsWith(KEEP_ALIVE));
    for (const name of ['x-ipin-provider', 'x-ipin-attempts', 'x-ipin-upstream-request-id'])
      assert.equal(answer.headers.get(name), undefined);
    assert.equal(answer.headers.get('x-accel-buffering'), 'no');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.match(answer.headers.get('x-request-id') ?? '', /^req_/);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    assert.deepEqual(await lineOf(started.app), { status: 200, outcome: 'ok' });
  });

  test('gets keep-alives before the answer and within it', async (t) => {
    const started = await start(t);
    started.response.writeHead(200, STREAM).write(chunk('Hi'));
    await started.client.until(`${chunk('Hi', null, 'alias')}\r\n`);
    await until(() => {
      const text = started.client.received().toString();
      return text.slice(text.indexOf('"Hi"')).includes(KEEP_ALIVE);
    }, 'a keep-alive comes after the content');
    started.response.end(DONE);
    assert.equal((await answerOf(started)).text, chunk('Hi', null, 'alias') + DONE);
  });

  test('gets none if they are turned off', async (t) => {
    const started = await start(t, { keepAliveMs: '0' });
    started.response.writeHead(200, STREAM).end(chunk('', 'stop') + DONE);
    const { answer } = await answerOf(started);
    assert.equal(answer.body.toString(), chunk('', 'stop', 'alias') + DONE);
  });

  test('gets JSON as events', async (t) => {
    const started = await start(t);
    started.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(CHAT_ANSWER));
    const { text } = await answerOf(started);
    assert.match(text, /^data: \{.*"model":"alias".*"content":"Hi".*\}\n\ndata: \[DONE\]\n\n$/);
    assert.deepEqual(await lineOf(started.app), { status: 200, outcome: 'ok' });
  });

  const failures: readonly (readonly [
    what: string,
    answer: (res: ServerResponse) => void,
    code: string | null,
    message: RegExp,
  ])[] = [
    [
      'an error of the provider',
      (res) =>
        res
          .writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' })
          .end(
            '{"error":{"message":"slow provider-secret-key","type":"tokens","code":"rate_limit_exceeded"}}',
          ),
      'rate_limit_exceeded',
      /^slow \[redacted\]$/,
    ],
    [
      'a refused key',
      (res) => res.writeHead(401, { 'content-type': 'application/json' }).end('{}'),
      'upstream_auth_failed',
      /refuses its API key/,
    ],
    ['a broken connection', (res) => res.destroy(), null, /./],
    [
      'an error before any content',
      (res) => res.writeHead(200, STREAM).end('data: {"error":{"message":"m","code":"x"}}\n\n'),
      'x',
      /^m$/,
    ],
    [
      'a stream without content',
      (res) => res.writeHead(200, STREAM).end(': hi\n\n'),
      'upstream_invalid_response',
      /ended its stream/,
    ],
    [
      'a page',
      (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'upstream_invalid_response',
      /not JSON/,
    ],
  ];
  for (const [what, answer, code, message] of failures) {
    test(`ends with an error, and its connection serves the next request: ${what}`, async (t) => {
      const started = await start(t);
      answer(started.response);
      const { text } = await answerOf(started);
      const record = /^data: (\{"error":.*\})\n\n$/.exec(text)?.[1];
      assert.ok(record, text);
      const { error } = JSON.parse(record);
      assert.deepEqual(Object.keys(error).slice(-4).sort(), ['code', 'message', 'param', 'type']);
      assert.match(error.message, message);
      if (code !== null) assert.equal(error.code, code);
      assert.deepEqual(await lineOf(started.app), { status: 200, outcome: 'error', code: error.code });
      started.client.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.equal((await started.client.answers(2))[1]?.status, 200);
    });
  }

  test('ends with an error if the answer is compressed', async (t) => {
    const responses: ServerResponse[] = [];
    const upstream = await startUpstream(t, (_req, res) => void responses.push(res));
    const app = await startApp(t, { env: { EARLY_STREAM_MS: '1' } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'real' }]);
    const answer = await app.v1('chat/completions', { model: 'real', stream: true });
    await until(() => responses.length === 1, 'the provider is asked');
    responses[0]?.writeHead(200, { ...STREAM, 'content-encoding': 'gzip' }).write(gzipSync(chunk('a')));
    assert.match(await answer.text(), /^data: \{"error":\{"message":"The provider did not stream/);
    await expectNothingHeld(app.services);
    assert.deepEqual(await lineOf(app), { status: 200, outcome: 'error', code: 'upstream_invalid_response' });
  });

  test('ends with the events of the Responses API', async (t) => {
    const started = await start(t, { path: 'responses' });
    started.response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    const { text } = await answerOf(started);
    const events = text.split('\n\n').filter(Boolean);
    assert.deepEqual(
      events.map((event) => event.split('\n', 1)[0]),
      ['event: error', 'event: response.failed'],
    );
  });

  test('ends the request to the provider when the client leaves', async (t) => {
    const { app, upstream, client } = await start(t);
    client.socket.destroy();
    await until(() => upstream.sockets.size === 0, 'the provider is left');
    const gone = { status: 499, outcome: 'cancelled', code: 'client_closed_request' };
    assert.deepEqual(await lineOf(app), gone);
    await expectNothingHeld(app.services);
  });

  test('ends with an error when the server is shut down', async (t) => {
    const started = await start(t);
    await started.app.shutDown(0);
    const text = (await started.client.closed).toString();
    assert.match(text, /data: \{"error":\{.*"code":"draining".*\}\}\n\n/);
    assert.deepEqual(await lineOf(started.app), { status: 200, outcome: 'cut', code: 'draining' });
  });
});

describe('an answer that is not begun early', { timeout: 30_000 }, () => {
  for (const [what, path, body] of [
    ['no stream was asked for', 'chat/completions', { model: 'm' }],
    ['no stream of a known kind', 'images/generations', { model: 'm', stream: true }],
  ] as const) {
    test(`keeps its status: ${what}`, async (t) => {
      const upstream = await startUpstream(t, (_req, res) => {
        // Much later than the client of a stream would get its headers.
        setTimeout(() => res.writeHead(418, { 'content-type': 'application/json' }).end('{}'), 60);
      });
      const app = await startApp(t, { env: { EARLY_STREAM_MS: '1', SSE_KEEPALIVE_MS: '1' } });
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const answer = await app.v1(path, body);
      assert.deepEqual([answer.status, answer.headers.get('x-ipin-attempts')], [418, '1']);
    });
  }

  test('keeps its status and headers if the provider is quick, or the setting is 0', async (t) => {
    for (const early of ['60000', '0']) {
      const upstream = await startUpstream(t, (_req, res) =>
        res.writeHead(429, { 'content-type': 'application/json' }).end('{"error":{"message":"slow"}}'),
      );
      const app = await startApp(t, { env: { EARLY_STREAM_MS: early } });
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
      const answer = await app.v1('chat/completions', { model: 'm', stream: true });
      assert.deepEqual([answer.status, answer.headers.get('x-ipin-provider')], [429, 'up']);
    }
  });

  test('refuses a wrong request with its status', async (t) => {
    const app = await startApp(t, { env: { EARLY_STREAM_MS: '1' } });
    await app.addProvider({ id: 'up', baseUrl: 'http://127.0.0.1:1' }, [{ id: 'm' }]);
    assert.equal((await app.v1('chat/completions', { model: 'none', stream: true })).status, 404);
    assert.equal((await app.v1('chat/completions', '{"model":"m","stream":1}')).status, 400);
  });
});
