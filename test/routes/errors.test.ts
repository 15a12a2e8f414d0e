import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { ERRORS, type ErrorName, HttpError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { makeCall } from '../helpers/limited-keys.ts';
import { type AppUnderTest, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';
import { type Call, CHAT, JSON_TYPE, MASTER, RETRY_AFTER, ROWS, type Row } from './error-rows.ts';

/** Where the errors are tested that no single request to a sound server brings about. */
const ELSEWHERE: Partial<Record<ErrorName, string>> = {
  default_password_refused: 'below',
  too_many_attempts: 'below',
  storage_unavailable: 'below',
  internal_error: 'below',
  upgrade_required: 'test/routes/upgrade.test.ts',
  starting: 'below',
  draining: 'below',
  server_overloaded: 'test/http/body.test.ts',
  request_timeout: 'test/http/body.test.ts',
  file_too_large: 'with the forms',
  unsupported_parameter: 'with the forms',
  model_not_priced: 'test/routes/unpriced-models.test.ts',
  passphrase_required: 'with the backup',
  invalid_passphrase: 'with the backup',
};

interface Fixture {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly call: (call: Call) => Promise<Response>;
}

async function start(t: TestContext, { sessions = true } = {}): Promise<Fixture> {
  const upstream = await startUpstream(t, (_req, res, { body }) => {
    const { model } = JSON.parse(body.toString());
    if (model === 'slow') return;
    if (model === 'refused')
      json({ error: { message: 'no' } }, 401)(_req, res, {
        method: '',
        url: '',
        headers: {},
        rawHeaders: [],
        body,
      });
    else if (model === 'nonsense') res.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(CHAT_ANSWER));
  });
  const app = await startApp(t, { env: { MAX_BODY_MB: '1' } });
  const up = { id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret' };
  await app.addProvider(up, [
    { id: 'm' },
    { id: 'other' },
    { id: 'off', enabled: false },
    { id: 'refused' },
    { id: 'nonsense' },
    { id: 'orphan', providerId: 'gone' },
  ]);
  await app.addProvider({ ...up, id: 'chat', options: { responses: 'translate' } }, [{ id: 'translated' }]);
  await app.addProvider({ ...up, id: 'silent', options: { headersTimeoutMs: 100 } }, [{ id: 'slow' }]);
  await app.addProvider({ id: 'closed', baseUrl: upstream.origin, enabled: false }, [{ id: 'closed' }]);
  await app.addProvider({ id: 'locked', baseUrl: upstream.origin, unreadable: 'v1:x' }, [{ id: 'locked' }]);
  await app.addProvider({ id: 'nowhere', baseUrl: 'http://127.0.0.1:1' }, [{ id: 'nowhere' }]);
  const credentials = { username: 'anna', password: 'a long password' };
  if (sessions) await app.admin('POST', '/api/admin/users', credentials);
  const tokens: Record<string, string> = {
    ...(sessions ? { ADMIN: await signIn(app.origin), USER: await signIn(app.origin, credentials) } : {}),
    NARROW: await app.addKey({ models: ['other'] }),
    DISABLED: await app.addKey({ enabled: false }),
    EXPIRED: await app.addKey({ expiresAt: '2001-01-01T00:00:00Z' }),
    ELSEWHERE: await app.addKey({ limits: { allowedIps: ['192.0.2.0/24'] } }),
    BUSY: await app.addKey({ limits: { rpm: 1 } }),
    SPENT: await app.addKey({ limits: { budgetUsd: 2 } }),
  };
  makeCall(app, tokens['BUSY'] ?? '', { tokens: 1, costNanoUsd: 1 });
  makeCall(app, tokens['SPENT'] ?? '', { tokens: 1, costNanoUsd: 2_500_000_000 });
  return {
    app,
    upstream,
    call({ method = 'POST', path, headers = {}, body }) {
      const named = tokens[headers['authorization'] ?? ''];
      const all = named === undefined ? headers : { ...headers, authorization: `Bearer ${named}` };
      const bytes =
        body === undefined || typeof body === 'string' || body instanceof Uint8Array
          ? body
          : JSON.stringify(body);
      return fetch(`${app.origin}${path}`, {
        method,
        headers: all,
        ...(bytes === undefined ? {} : { body: bytes }),
      });
    },
  };
}

async function check(
  answer: Response,
  { name, param = null, message, answerHeaders = {} }: Omit<Row, 'path'>,
  label: string,
): Promise<void> {
  const text = await answer.text();
  const { status, type, code } = ERRORS[name];
  assert.equal(answer.status, status, `${label}: ${text}`);
  assert.equal(answer.headers.get('content-type'), 'application/json', label);
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_[\da-f]{32}$/, label);
  assert.ok(answer.headers.has('content-security-policy'), label);
  const body = JSON.parse(text);
  assert.deepEqual(Object.keys(body), ['error'], label);
  assert.deepEqual(Object.keys(body.error), ['message', 'type', 'param', 'code'], label);
  assert.deepEqual({ ...body.error, message: '' }, { message: '', type, param, code }, label);
  assert.match(body.error.message, message, label);
  assert.doesNotMatch(text, /provider-secret|sk-master|at \w+ \(|\/src\/|node:/, label);
  for (const [header, pattern] of Object.entries(answerHeaders)) {
    if (pattern === null) assert.equal(answer.headers.get(header), null, label);
    else assert.match(answer.headers.get(header) ?? '', pattern, `${label}: ${header}`);
  }
}

describe('errors', { timeout: 60_000 }, () => {
  test('stand in one envelope with their status, type, code and param', async (t) => {
    const { call, app, upstream } = await start(t);
    for (const row of ROWS) {
      const label = `${row.name} ${row.when ?? ''}`;
      app.services.health.wakeProvider('up');
      await check(await call(row), row, label);
    }
    assert.ok(upstream.received.every(({ body }) => /slow|refused|nonsense/.test(body.toString())));
    assert.ok(!app.logs.some((line) => line.includes('internal error') || line.includes(MASTER_KEY)));
  });

  test('are all tested', () => {
    const tested = new Set<string>([...ROWS.map(({ name }) => name), ...Object.keys(ELSEWHERE)]);
    assert.deepEqual(
      Object.keys(ERRORS).filter((name) => !tested.has(name)),
      [],
    );
    for (const [name, { code }] of Object.entries(ERRORS)) assert.ok(code === null || code === name);
  });
});

interface Faults {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly fields?: Record<string, unknown>;
  readonly padding?: string;
  readonly tail?: string;
}

/** Each fault with what it takes; of two in one request the earlier in this list wins. */
const ORDER: readonly (readonly [name: ErrorName, faults: Faults])[] = [
  ['invalid_request_target', { path: '/v1/%zz' }],
  ['unknown_url', { path: '/v1/nothing' }],
  ['method_not_supported', { method: 'PUT' }],
  ['invalid_api_key', { headers: { authorization: 'Bearer sk-wrong' } }],
  ['unsupported_content_type', { headers: { 'content-type': 'text/plain' } }],
  ['request_too_large', { padding: 'x'.repeat(1024 * 1024) }],
  ['invalid_json', { tail: '}' }],
  ['missing_required_parameter', { fields: { model: undefined } }],
  ['model_not_found', { fields: { model: 'nope' } }],
  // This key may use none of these models but `other`.
  ['model_not_allowed', { headers: { authorization: 'NARROW' } }],
  ['invalid_value', { fields: { stream: 'yes' } }],
  ['provider_not_configured', { fields: { model: 'closed' } }],
];

test('of two faults in one request the earlier in the order of checks is told', {
  timeout: 60_000,
}, async (t) => {
  const { call, upstream } = await start(t, { sessions: false });
  for (const [index, [first, winning]] of ORDER.entries()) {
    for (const [second, losing] of ORDER.slice(index + 1)) {
      const { path = CHAT, method = 'POST', padding = '', tail = '' } = { ...losing, ...winning };
      const headers = { ...MASTER, ...losing.headers, ...winning.headers };
      const fields = { model: 'm', ...losing.fields, ...winning.fields, x: padding };
      const answer = await call({ path, method, headers, body: JSON.stringify(fields) + tail });
      const { error } = (await answer.json()) as { error: { code: string } };
      assert.equal(error.code, ERRORS[first].code, `${first} before ${second}`);
    }
  }
  assert.equal(upstream.received.length, 0);
});

describe('errors of a server in trouble', { timeout: 30_000 }, () => {
  test('the default password from the network', async (t) => {
    const app = await startApp(t, { env: { UI_USERNAME: 'admin', UI_PASSWORD: 'admin' } });
    const login = (headers: object): Promise<Response> =>
      fetch(`${app.origin}/api/login`, {
        method: 'POST',
        headers: { ...JSON_TYPE, ...headers },
        body: '{"username":"admin","password":"admin"}',
      });
    await check(
      await login({ 'x-forwarded-for': '10.0.0.1' }),
      { name: 'default_password_refused', message: /UI_PASSWORD/ },
      'forwarded',
    );
    assert.equal((await login({})).status, 200);
  });

  test('too many failed logins', async (t) => {
    const app = await startApp(t);
    const login = (): Promise<Response> =>
      fetch(`${app.origin}/api/login`, {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify({ username: 'nobody', password: 'wrong' }),
      });
    const answers = await Promise.all(Array.from({ length: 12 }, login));
    const last = answers.find(({ status }) => status === 429) ?? (await login());
    await check(last, { name: 'too_many_attempts', message: /./, answerHeaders: RETRY_AFTER }, 'login');
  });

  test('a database that cannot be written: the old state stays, /v1 goes on', async (t) => {
    const upstream = await startUpstream(t, json(CHAT_ANSWER));
    const inner = createMemoryStore({ now: Date.now, randomBytes });
    let isFailing = false;
    const { view, replace } = inner.config;
    const store: Store = Object.assign(inner, {
      config: {
        view,
        replace: (replacement: Parameters<typeof replace>[0]) =>
          isFailing
            ? Promise.reject(
                new HttpError('storage_unavailable', 'The change could not be saved. Try again.', {
                  headers: { 'retry-after': '5' },
                }),
              )
            : replace(replacement),
      },
    });
    const app = await startApp(t, { store });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    isFailing = true;
    const answer = await app.admin('PUT', '/api/admin/providers/up', { name: 'new' });
    await check(answer, { name: 'storage_unavailable', message: /saved/, answerHeaders: RETRY_AFTER }, 'PUT');
    const now = (await (await app.admin('GET', '/api/admin/providers/up')).json()) as { name: string };
    assert.equal(now.name, 'up');
    assert.equal((await app.v1('chat/completions', { model: 'm' })).status, 200);
  });

  test('an error that nobody foresaw: 500 without a stack, which is in the log', async (t) => {
    const inner = createMemoryStore({ now: Date.now, randomBytes });
    let isBroken = false;
    const { view, replace } = inner.config;
    const store: Store = Object.assign(inner, {
      config: {
        replace,
        view: () => {
          if (isBroken) throw new TypeError('secret detail of the inside');
          return view();
        },
      },
    });
    const app = await startApp(t, { store });
    isBroken = true;
    const answer = await app.v1('chat/completions', { model: 'm' });
    const id = answer.headers.get('x-request-id') ?? 'none';
    await check(answer.clone(), { name: 'internal_error', message: new RegExp(id) }, '500');
    assert.ok(!(await answer.text()).includes('secret detail'));
    isBroken = false;
    assert.equal((await fetch(`${app.origin}/health`)).status, 200);
    const logged = app.logs.map((line) => JSON.parse(line)).find(({ event }) => event === 'internal error');
    assert.equal(logged.requestId, id);
    assert.match(logged.stack, /secret detail[\s\S]*at /);
  });

  test('a server that drains: health says so, connections end', async (t) => {
    const app = await startApp(t);
    app.lifecycle.phase = 'draining';
    const health = await fetch(`${app.origin}/health`);
    assert.equal(health.status, 503);
    assert.equal(((await health.json()) as { status: string }).status, 'draining');
    assert.equal(health.headers.get('connection'), 'close');
  });
});
