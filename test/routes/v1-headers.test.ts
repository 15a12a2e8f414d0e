import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { KEYS, startTwoProviders as start } from './two-providers.ts';

describe('headers', { timeout: 30_000 }, () => {
  test('B4: to the upstream are an allow-list, and a JSON body is plain JSON', async (t) => {
    const { app, one } = await start(t);
    const client = rawClient(t, app.port);
    const body = '{"model":"model-1"}';
    client.write(
      [
        'POST /v1/chat/completions?beta=true HTTP/1.1',
        'Host: proxy.example',
        `Authorization: Bearer ${MASTER_KEY}`,
        'Cookie: session=secret',
        'Content-Type: application/json; charset=utf-8',
        'Accept: text/event-stream',
        'Accept-Encoding: gzip, br',
        'User-Agent: OpenAI/JS 6',
        'OpenAI-Organization: org-x',
        'OpenAI-Project: proj',
        'OpenAI-Beta: assistants=v2',
        'Idempotency-Key: idem-1',
        'X-Forwarded-For: 10.0.0.1',
        'X-Forwarded-Host: evil',
        'Forwarded: for=1',
        'Via: 1.1 x',
        'X-Real-IP: 1.1.1.1',
        'Proxy-Authorization: Basic x',
        'Proxy-Connection: keep-alive',
        'X-Stainless-Lang: js',
        'Origin: https://app.example',
        'Referer: https://app.example/x',
        'X-Custom: 1',
        'TE: trailers',
        'Connection: keep-alive, Idempotency-Key',
        'X-Api-Key: '.concat(MASTER_KEY),
        '__proto__: x',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    );
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
    const request = one.received[0];
    assert.equal(request?.url, '/v1/chat/completions?beta=true');
    const { connection: _connection, ...headers } = request?.headers ?? {};
    assert.deepEqual(
      { ...headers },
      {
        host: new URL(one.origin).host,
        accept: 'text/event-stream',
        'content-type': 'application/json',
        'openai-beta': 'assistants=v2',
        authorization: `Bearer ${KEYS.one}`,
        'accept-encoding': 'identity',
        'user-agent': 'ipin-proxy',
        'x-ipin-hops': '1',
        'content-length': String(body.length),
      },
    );
  });

  test('to a provider without a key hold no Authorization', async (t) => {
    const { app, one } = await start(t);
    await app.addProvider({ id: 'ollama', baseUrl: one.origin }, [{ id: 'local' }]);
    await app.v1('chat/completions', { model: 'local' });
    assert.equal(one.received[0]?.headers.authorization, undefined);
  });

  test('hold ids and keys from files in a form that HTTP can carry', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const app = await startApp(t);
    const ids = ['\u6211\u7684', 'a b', 'caf\u00e9', '\ud800', 'line\r\nend'];
    for (const [index, id] of ids.entries())
      await app.addProvider({ id, baseUrl: upstream.origin }, [{ id: `m${index}` }]);
    for (const [index, label] of [
      '%E6%88%91%E7%9A%84',
      'a%20b',
      'caf%C3%A9',
      '%EF%BF%BD',
      'line%0D%0Aend',
    ].entries()) {
      for (const status of [200, 429]) {
        upstream.answer = json(status === 200 ? CHAT_ANSWER : { error: { message: 'slow down' } }, status);
        const answer = await app.v1('chat/completions', { model: `m${index}` });
        assert.deepEqual([answer.status, answer.headers.get('x-ipin-provider')], [status, label]);
      }
    }
    upstream.received.length = 0;
    for (const [index, apiKey] of ['sk-\u6211', 'sk-a\nb', 'sk-\u00e9'].entries()) {
      await app.addProvider({ id: `p${index}`, baseUrl: upstream.origin, apiKey }, [{ id: `k${index}` }]);
      const answer = await app.v1('chat/completions', { model: `k${index}` });
      const { error } = (await answer.json()) as { error: { code: string; message: string } };
      assert.deepEqual([answer.status, error.code], [503, 'provider_not_configured']);
      assert.ok(!error.message.includes(apiKey));
    }
    assert.equal(upstream.received.length, 0);
  });

  test('to the client are an allow-list', async (t) => {
    const { app, one } = await start(t);
    one.answer = json(CHAT_ANSWER, 200, {
      'x-request-id': 'req_upstream',
      'openai-processing-ms': '7',
      'openai-version': '2020-10-01',
      'openai-organization': 'owner-org',
      'openai-project': 'proj',
      'openai-model': 'x',
      'x-ratelimit-remaining-requests': '5',
      'x-ratelimit-reset-tokens': '6m0s',
      'set-cookie': 'a=b',
      server: 'nginx',
      via: '1.1 up',
      'alt-svc': 'h3',
      'strict-transport-security': 'x',
      'cf-ray': 'x',
      'access-control-allow-origin': 'https://up.example',
      'access-control-allow-credentials': 'true',
      'content-security-policy': 'default-src *',
      'x-powered-by': 'x',
      'x-ipin-provider': 'fake',
      'x-ipin-attempts': '99',
      'www-authenticate': 'Basic',
      'clear-site-data': '*',
      refresh: '0;url=x',
      location: 'https://evil.example',
      link: '</x>',
      'cache-control': 'no-store',
      'content-language': 'en',
      connection: 'keep-alive, x-ratelimit-reset-tokens',
      'keep-alive': 'timeout=500',
      trailer: 'x',
      warning: 'x',
      'content-disposition': 'inline',
    });
    for (const model of ['model-1', 'alias']) {
      const answer = await app.v1('chat/completions', { model });
      const allowed: Record<string, string> = Object.fromEntries(answer.headers);
      for (const name of [
        'date',
        'connection',
        'keep-alive',
        'content-length',
        'content-security-policy',
        'x-content-type-options',
        'referrer-policy',
        'cross-origin-opener-policy',
        'access-control-expose-headers',
      ])
        delete allowed[name];
      const id = allowed['x-request-id'] ?? '';
      assert.match(id, /^req_[\da-f]{32}$/);
      assert.deepEqual(allowed, {
        'x-request-id': id,
        'x-ipin-upstream-request-id': 'req_upstream',
        'x-ipin-provider': 'one',
        'x-ipin-attempts': '1',
        'access-control-allow-origin': '*',
        'cache-control': 'no-store',
        'content-disposition': 'inline',
        'content-language': 'en',
        'content-type': 'application/json',
        'openai-processing-ms': '7',
        'openai-version': '2020-10-01',
        'x-ratelimit-remaining-requests': '5',
      });
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    }
  });

  test('of each request name it anew', async (t) => {
    const { app } = await start(t);
    const ids = new Set<string | null>();
    for (let count = 0; count < 5; count += 1) {
      const answer = await fetch(`${app.origin}/v1/models`, {
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'x-request-id': 'mine' },
      });
      ids.add(answer.headers.get('x-request-id'));
    }
    assert.equal(ids.size, 5);
    assert.ok(!ids.has('mine'));
  });
});

describe('browsers of other origins', { timeout: 30_000 }, () => {
  const preflight = (app: AppUnderTest, path: string, origin = 'https://app.example'): Promise<Response> =>
    fetch(`${app.origin}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, x-stainless-os',
      },
    });

  test('may ask /v1: preflight and answers say so, without credentials', async (t) => {
    const { app } = await start(t);
    for (const path of ['/v1/chat/completions', '/v1/models', '/chat/completions', '//v1/embeddings']) {
      const answer = await preflight(app, path);
      assert.equal(answer.status, 204, path);
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', /GET.*POST/);
      assert.equal(
        answer.headers.get('access-control-allow-headers'),
        'authorization, content-type, x-stainless-os',
      );
      assert.equal(answer.headers.get('access-control-max-age'), '86400');
      assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    }
    for (const key of [MASTER_KEY, 'sk-wrong']) {
      const answer = await fetch(`${app.origin}/v1/models`, {
        headers: { authorization: `Bearer ${key}`, origin: 'https://app.example' },
      });
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      assert.match(answer.headers.get('access-control-expose-headers') ?? '', /x-request-id.*retry-after/);
    }
  });

  test('of a list only, where there is one', async (t) => {
    const app = await startApp(t, { env: { CORS_ORIGINS: 'https://app.example, https://two.example' } });
    const allowed = await preflight(app, '/v1/models', 'https://two.example');
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://two.example');
    assert.equal(allowed.headers.get('vary'), 'origin');
    const refused = await preflight(app, '/v1/models', 'https://app.example.evil.example');
    assert.equal(refused.headers.get('access-control-allow-origin'), null);
    assert.equal(refused.headers.get('vary'), 'origin');
  });

  test('get nothing of /api', async (t) => {
    const { app } = await start(t);
    for (const path of ['/api/login', '/api/admin/providers', '/api/nothing', '/health', '/']) {
      const answer = await preflight(app, path);
      assert.ok(answer.status === 404 || answer.status === 405, path);
      for (const name of answer.headers.keys()) assert.doesNotMatch(name, /^access-control/, path);
    }
  });

  test('a header that asks for line ends gets none', async (t) => {
    const { app } = await start(t);
    const client = rawClient(t, app.port);
    client.write(
      'OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: x\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: a\x80b"<>\r\n\r\n',
    );
    const [answer] = await client.answers(1);
    assert.equal(answer?.headers.get('access-control-allow-headers'), 'authorization, content-type');
  });
});

test('HEAD is answered as GET, without a body', { timeout: 20_000 }, async (t) => {
  const { app } = await start(t);
  for (const path of ['/v1/models', '/v1/models/model-1', '/health']) {
    const init = { headers: { authorization: `Bearer ${MASTER_KEY}` } };
    const get = await fetch(`${app.origin}${path}`, init);
    const head = await fetch(`${app.origin}${path}`, { ...init, method: 'HEAD' });
    assert.equal(head.status, 200, path);
    assert.equal(head.headers.get('content-length'), get.headers.get('content-length'), path);
    assert.equal(await head.text(), '');
  }
});

test('the keys of providers stand in no answer and no log line', { timeout: 20_000 }, async (t) => {
  const { app, one, two } = await start(t);
  const answers: string[] = [];
  const collect = async (response: Promise<Response>): Promise<void> => {
    const answer = await response;
    answers.push(JSON.stringify([...answer.headers]), await answer.text());
  };
  for (const status of [200, 400, 401, 403, 404, 429, 500, 503]) {
    for (const upstream of [one, two])
      upstream.answer = (req, res, request) =>
        json({ error: { message: `you sent ${request.headers.authorization}`, status } }, status, {
          'x-echo': KEYS.one,
        })(req, res, request);
    for (const model of ['model-1', 'alias', 'model-2'])
      for (const stream of [false, true]) await collect(app.v1('chat/completions', { model, stream }));
  }
  for (const path of [
    '/api/admin/providers',
    '/api/admin/providers/one',
    '/api/admin/status',
    '/api/admin/models',
    '/v1/models',
    '/api/admin/providers/one/upstream-models',
  ])
    await collect(app.admin('GET', path));
  await collect(app.admin('POST', '/api/admin/providers/one/test'));
  await collect(app.admin('PUT', '/api/admin/providers/one', { apiKey: 'another-provider-key-here' }));
  await collect(app.admin('PUT', '/api/admin/providers/one', { apiKey: { a: KEYS.one } }));
  const everything = [...answers, ...app.logs].join('\n');
  for (const secret of [KEYS.one, KEYS.two, 'another-provider-key-here', MASTER_KEY])
    assert.ok(!everything.includes(secret), secret);
});
