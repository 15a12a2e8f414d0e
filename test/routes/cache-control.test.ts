import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, jsonRequest, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';

const CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n';

/** An upstream's answer with its own idea of caching. */
const cached =
  (type: string, body: string | Buffer, cacheControl = 'public, max-age=600'): Answer =>
  (_req, res) => {
    res.writeHead(200, { 'content-type': type, 'cache-control': cacheControl });
    res.end(body);
  };

async function cachingOf(answer: Promise<Response>): Promise<readonly [number, string | null]> {
  const response = await answer;
  await response.arrayBuffer();
  // fetch() joins what stands there twice.
  return [response.status, response.headers.get('cache-control')];
}

async function start(t: Parameters<typeof startApp>[0], answer: Answer): Promise<AppUnderTest> {
  const upstream = await startUpstream(t, answer);
  const app = await startApp(t);
  await app.addProvider({ id: 'p', baseUrl: upstream.origin }, [
    { id: 'm' },
    { id: 'alias', upstreamModel: 'x' },
  ]);
  return app;
}

describe('cache-control', { timeout: 30_000 }, () => {
  test('B10: every answer of /api is no-store, with a session or without', async (t) => {
    const app = await start(t, json(CHAT_ANSWER));
    const token = `Bearer ${await signIn(app.origin)}`;
    const rows: readonly (readonly [string, string, unknown, number])[] = [
      ['GET', '/api/me', undefined, 200],
      ['GET', '/api/admin/me', undefined, 200],
      ['GET', '/api/admin/providers', undefined, 200],
      ['POST', '/api/admin/providers', { id: 'q', name: 'q', baseUrl: 'https://q.example' }, 201],
      ['PUT', '/api/admin/providers/q', { name: 'Q' }, 200],
      ['DELETE', '/api/admin/providers/q', undefined, 204],
      ['GET', '/api/admin/backup?secrets=omit', undefined, 200],
      ['GET', '/api/admin/nothing', undefined, 404],
      ['PATCH', '/api/admin/providers', {}, 405],
      ['POST', '/api/admin/users', '{', 400],
      ['POST', '/api/login', { username: 'boss', password: 'wrong' }, 401],
      ['POST', '/api/admin/logout', undefined, 204],
      ['GET', '/api/admin/providers', undefined, 401],
    ];
    for (const [method, path, body, status] of rows) {
      const caching = await cachingOf(fetch(`${app.origin}${path}`, jsonRequest(method, token, body)));
      assert.deepEqual(caching, [status, 'no-store'], `${method} ${path}`);
    }
  });

  test('B10: JSON of /v1 is no-store, once, whatever the provider says', async (t) => {
    const app = await start(t, cached('application/json', JSON.stringify(CHAT_ANSWER)));
    const headers = { authorization: `Bearer ${MASTER_KEY}` };
    assert.deepEqual(await cachingOf(fetch(`${app.origin}/v1/models`, { headers })), [200, 'no-store']);
    assert.deepEqual(await cachingOf(fetch(`${app.origin}/v1/models`)), [401, 'no-store']);
    assert.deepEqual(await cachingOf(app.v1('chat/completions', '{')), [400, 'no-store']);
    for (const model of ['m', 'alias']) {
      const chat = app.v1('chat/completions', { model, messages: [] });
      assert.deepEqual(await cachingOf(chat), [200, 'no-store'], model);
    }
    const vectors = { data: [{ embedding: Array.from({ length: 400_000 }, () => 0.25) }], model: 'm' };
    const large = await start(t, cached('application/json', JSON.stringify(vectors)));
    for (const encoding_format of ['float', 'base64']) {
      const embeddings = large.v1('embeddings', { model: 'm', input: 'x', encoding_format });
      assert.deepEqual(await cachingOf(embeddings), [200, 'no-store'], encoding_format);
    }
    const failing = await start(t, (_req, res) => {
      res.writeHead(429, { 'content-type': 'application/json', 'cache-control': 'max-age=9' }).end('{}');
    });
    assert.deepEqual(await cachingOf(failing.v1('chat/completions', { model: 'm' })), [429, 'no-store']);
    const broken = rawClient(t, app.port);
    broken.write('NONSENSE\r\n\r\n');
    const [refused] = await broken.answers(1);
    assert.deepEqual([refused?.status, refused?.headers.get('cache-control')], [400, 'no-store']);
  });

  test('B10: event streams stay no-cache, once, whatever the provider says', async (t) => {
    const sse = `${CHUNK}data: [DONE]\n\n`;
    for (const own of ['public, max-age=600', 'no-cache', 'no-store']) {
      const app = await start(t, cached('text/event-stream', sse, own));
      for (const model of ['m', 'alias']) {
        const chat = app.v1('chat/completions', { model, messages: [], stream: true });
        assert.deepEqual(await cachingOf(chat), [200, 'no-cache'], own);
      }
    }
    const whole = await start(t, cached('application/json', JSON.stringify(CHAT_ANSWER)));
    const made = whole.v1('chat/completions', { model: 'm', messages: [], stream: true });
    assert.deepEqual(await cachingOf(made), [200, 'no-cache'], 'made of a whole answer');
  });

  test('B10: a header of the provider takes no-store away from nothing', async (t) => {
    const app = await start(t, json(CHAT_ANSWER, 200, { 'content-language': 'cache-control' }));
    assert.deepEqual(await cachingOf(app.v1('chat/completions', { model: 'm' })), [200, 'no-store']);
    const speech = await start(t, cached('audio/mpeg', Buffer.alloc(200_000)));
    const audio = speech.v1('audio/speech', { model: 'm', input: 'x', voice: 'v' });
    assert.deepEqual(await cachingOf(audio), [200, 'no-store']);
  });

  test('pages, /health and /metrics keep their own', async (t) => {
    const app = await start(t, json(CHAT_ANSWER));
    const headers = { authorization: `Bearer ${MASTER_KEY}` };
    for (const [path, expected] of [
      ['/', 'no-cache'],
      ['/app.css', 'no-cache'],
      ['/health', 'no-store'],
      ['/metrics', 'no-store'],
    ] as const)
      assert.deepEqual(await cachingOf(fetch(`${app.origin}${path}`, { headers })), [200, expected], path);
  });
});
