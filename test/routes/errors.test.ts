import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { ERRORS, type ErrorName, HttpError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

interface Row extends Call {
  readonly name: ErrorName;
  /** What the caller did wrong, where one error has several causes. */
  readonly when?: string;
  readonly param?: string | null;
  /** What the message must say: the thing that is wrong, or what to do. */
  readonly message: RegExp;
  readonly answerHeaders?: Record<string, RegExp | null>;
}

const CHAT = '/v1/chat/completions';
const JSON_TYPE = { 'content-type': 'application/json' };
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}`, ...JSON_TYPE });
const MASTER = bearer(MASTER_KEY);
/** Replaced by the admin's and the keys of the fixture. */
const ADMIN_TOKEN = { authorization: 'ADMIN', ...JSON_TYPE };
const NARROW_KEY = { authorization: 'NARROW', ...JSON_TYPE };
const USER_TOKEN = { authorization: 'USER', ...JSON_TYPE };
const RETRY_AFTER = { 'retry-after': /^[1-9]\d*$/ };
const NO_RETRY = { 'x-should-retry': /^false$/ };
const image = (url: string): unknown => ({
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
});

const ROWS: readonly Row[] = [
  {
    name: 'missing_api_key',
    path: CHAT,
    headers: JSON_TYPE,
    message: /Authorization: Bearer/,
    answerHeaders: { 'www-authenticate': /^Bearer/ },
  },
  {
    name: 'missing_api_key',
    when: 'for the list',
    method: 'GET',
    path: '/v1/models',
    message: /Authorization: Bearer/,
  },
  {
    name: 'invalid_api_key',
    path: CHAT,
    headers: bearer('sk-unknown'),
    message: /unknown, disabled or expired/,
    answerHeaders: { 'www-authenticate': /^Bearer/ },
  },
  {
    name: 'invalid_api_key',
    when: 'disabled',
    path: CHAT,
    headers: { ...JSON_TYPE, authorization: 'DISABLED' },
    message: /Ask the owner/,
  },
  {
    name: 'invalid_api_key',
    when: 'expired',
    path: CHAT,
    headers: { ...JSON_TYPE, authorization: 'EXPIRED' },
    message: /Ask the owner/,
  },
  {
    name: 'invalid_api_key',
    when: 'two keys',
    path: CHAT,
    headers: { ...MASTER, 'x-api-key': 'sk-other' },
    message: /two different/,
  },
  {
    name: 'invalid_api_key',
    when: 'in the query',
    path: `${CHAT}?api_key=${MASTER_KEY}`,
    headers: JSON_TYPE,
    message: /URL/,
  },
  {
    name: 'invalid_api_key',
    when: 'another scheme',
    path: CHAT,
    headers: { ...JSON_TYPE, authorization: 'Token x' },
    message: /Bearer/,
  },
  {
    name: 'invalid_api_key',
    when: 'an empty one',
    path: CHAT,
    headers: { ...JSON_TYPE, authorization: 'Bearer ' },
    message: /empty/,
  },
  { name: 'not_signed_in', method: 'GET', path: '/api/admin/providers', message: /Sign in/ },
  {
    name: 'not_signed_in',
    when: 'a key is no session',
    method: 'GET',
    path: '/api/admin/providers',
    headers: MASTER,
    message: /Sign in/,
  },
  {
    name: 'invalid_credentials',
    path: '/api/login',
    headers: JSON_TYPE,
    body: { username: ADMIN.username, password: 'wrong password' },
    message: /username or password/,
  },
  { name: 'forbidden', method: 'GET', path: '/api/admin/providers', headers: USER_TOKEN, message: /admin/ },
  {
    name: 'forbidden',
    when: 'the admin is no user',
    method: 'GET',
    path: '/api/user/me',
    headers: ADMIN_TOKEN,
    message: /user/,
  },
  {
    name: 'cross_origin_refused',
    path: '/api/login',
    headers: { ...JSON_TYPE, origin: 'https://evil.example' },
    body: ADMIN,
    message: /other sites/,
  },
  {
    name: 'cross_origin_refused',
    when: 'by fetch metadata',
    path: '/api/login',
    headers: { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' },
    body: ADMIN,
    message: /other sites/,
  },
  {
    name: 'model_not_allowed',
    path: CHAT,
    headers: NARROW_KEY,
    body: { model: 'm' },
    param: 'model',
    message: /`m`.*\/v1\/models/,
  },
  {
    name: 'model_not_found',
    path: CHAT,
    headers: MASTER,
    body: { model: 'nope' },
    param: 'model',
    message: /`nope`.*\/v1\/models/,
  },
  {
    name: 'model_not_found',
    when: 'disabled',
    path: CHAT,
    headers: MASTER,
    body: { model: 'off' },
    param: 'model',
    message: /disabled/,
  },
  {
    name: 'model_not_found',
    when: 'retrieved',
    method: 'GET',
    path: '/v1/models/nope',
    headers: MASTER,
    param: 'model',
    message: /`nope`/,
  },
  {
    name: 'model_not_found',
    when: 'retrieved without the right',
    method: 'GET',
    path: '/v1/models/m',
    headers: NARROW_KEY,
    param: 'model',
    message: /not yours/,
  },
  {
    name: 'provider_not_configured',
    when: 'disabled',
    path: CHAT,
    headers: MASTER,
    body: { model: 'closed' },
    message: /Enable it/,
    answerHeaders: NO_RETRY,
  },
  {
    name: 'provider_not_configured',
    when: 'missing',
    path: CHAT,
    headers: MASTER,
    body: { model: 'orphan' },
    message: /missing/,
    answerHeaders: NO_RETRY,
  },
  {
    name: 'provider_not_configured',
    when: 'with a key that cannot be read',
    path: CHAT,
    headers: MASTER,
    body: { model: 'locked' },
    message: /ENCRYPTION_KEY/,
    answerHeaders: NO_RETRY,
  },
  { name: 'invalid_request_target', method: 'GET', path: '/v1/%zz', headers: MASTER, message: /malformed/ },
  {
    name: 'invalid_json',
    path: CHAT,
    headers: MASTER,
    body: '{"model":',
    message: /not valid JSON \(at byte 9\)/,
  },
  { name: 'invalid_json', when: 'empty', path: CHAT, headers: MASTER, body: '', message: /not valid JSON/ },
  {
    name: 'invalid_json',
    when: 'no UTF-8',
    path: CHAT,
    headers: MASTER,
    body: Buffer.from('{"model":"\xff"}', 'latin1'),
    message: /not valid JSON/,
  },
  {
    name: 'invalid_json',
    when: 'on /api',
    path: '/api/admin/users',
    headers: ADMIN_TOKEN,
    body: '{',
    message: /not valid JSON/,
  },
  { name: 'invalid_body', when: 'an array', path: CHAT, headers: MASTER, body: '[]', message: /JSON object/ },
  {
    name: 'invalid_body',
    when: 'too deep',
    path: CHAT,
    headers: MASTER,
    body: `{"model":"m","x":${'['.repeat(200)}${']'.repeat(200)}}`,
    message: /deep/,
  },
  {
    name: 'invalid_body',
    when: 'model twice',
    path: CHAT,
    headers: MASTER,
    body: '{"model":"m","model":"m"}',
    param: 'model',
    message: /more than once/,
  },
  {
    name: 'invalid_body',
    when: 'model in another letter case',
    path: CHAT,
    headers: MASTER,
    body: '{"model":"m","MODEL":"x"}',
    param: 'model',
    message: /more than once/,
  },
  {
    name: 'invalid_body',
    when: 'fallbacks of a restricted key',
    path: CHAT,
    headers: NARROW_KEY,
    body: { model: 'other', fallbacks: ['m'] },
    param: 'fallbacks',
    message: /fallbacks/,
  },
  {
    name: 'missing_required_parameter',
    path: CHAT,
    headers: MASTER,
    body: {},
    param: 'model',
    message: /`model`/,
  },
  {
    name: 'missing_required_parameter',
    when: 'null',
    path: CHAT,
    headers: MASTER,
    body: { model: null },
    param: 'model',
    message: /`model`/,
  },
  {
    name: 'missing_required_parameter',
    when: 'on /api',
    path: '/api/admin/users',
    headers: ADMIN_TOKEN,
    body: {},
    param: 'username',
    message: /`username`/,
  },
  {
    name: 'invalid_value',
    when: 'model is a number',
    path: CHAT,
    headers: MASTER,
    body: { model: 5 },
    param: 'model',
    message: /string/,
  },
  {
    name: 'invalid_value',
    when: 'stream',
    path: CHAT,
    headers: MASTER,
    body: { model: 'm', stream: 'yes' },
    param: 'stream',
    message: /true or false/,
  },
  {
    name: 'invalid_value',
    when: 'include_usage',
    path: CHAT,
    headers: MASTER,
    body: { model: 'm', stream_options: { include_usage: 1 } },
    param: 'stream_options.include_usage',
    message: /true or false/,
  },
  {
    name: 'invalid_value',
    when: 'encoding_format',
    path: '/v1/embeddings',
    headers: MASTER,
    body: { model: 'm', encoding_format: 'hex' },
    param: 'encoding_format',
    message: /float or base64/,
  },
  {
    name: 'unsupported_parameter',
    path: '/api/admin/apikeys',
    headers: ADMIN_TOKEN,
    body: { name: 'x', limits: { rpm: 5 } },
    param: 'limits',
    message: /`limits`/,
  },
  {
    name: 'loop_detected',
    path: CHAT,
    headers: { ...MASTER, 'x-ipin-hops': '3' },
    body: { model: 'm' },
    message: /base URL/,
  },
  {
    name: 'not_found',
    method: 'GET',
    path: '/api/admin/providers/nope',
    headers: ADMIN_TOKEN,
    message: /no such provider/,
  },
  {
    name: 'already_exists',
    path: '/api/admin/providers',
    headers: ADMIN_TOKEN,
    body: { id: 'up', name: 'x', baseUrl: 'https://x.example' },
    param: 'id',
    message: /up/,
  },
  {
    name: 'provider_in_use',
    method: 'DELETE',
    path: '/api/admin/providers/up',
    headers: ADMIN_TOKEN,
    message: /cascade=true/,
  },
  {
    name: 'api_key_required',
    method: 'PUT',
    path: '/api/admin/providers/up',
    headers: ADMIN_TOKEN,
    body: { baseUrl: 'https://other.example' },
    param: 'apiKey',
    message: /API key/,
  },
  {
    name: 'master_key_protected',
    method: 'DELETE',
    path: '/api/admin/apikeys/master',
    headers: ADMIN_TOKEN,
    message: /MASTER_API_KEY/,
  },
  {
    name: 'unsupported_content_type',
    path: CHAT,
    headers: { ...MASTER, 'content-type': 'text/plain' },
    body: '{"model":"m"}',
    message: /application\/json/,
  },
  {
    name: 'unsupported_content_type',
    when: 'none',
    path: CHAT,
    headers: { authorization: `Bearer ${MASTER_KEY}` },
    body: Buffer.from('{}'),
    message: /application\/json/,
  },
  {
    name: 'unsupported_content_type',
    when: 'compressed',
    path: CHAT,
    headers: { ...MASTER, 'content-encoding': 'gzip' },
    body: '{}',
    message: /uncompressed/,
  },
  {
    name: 'unsupported_content_type',
    when: 'on /api',
    path: '/api/admin/users',
    headers: { ...ADMIN_TOKEN, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'a=b',
    message: /application\/json/,
  },
  {
    name: 'request_too_large',
    path: CHAT,
    headers: MASTER,
    body: `{"model":"m","x":"${'x'.repeat(1024 * 1024)}"}`,
    message: /1 MB.*MAX_BODY_MB/,
  },
  {
    name: 'request_too_large',
    when: 'on /api',
    path: '/api/login',
    headers: JSON_TYPE,
    body: { username: 'x'.repeat(20_000), password: 'x' },
    message: /larger/,
  },
  {
    name: 'image_validation_failed',
    path: CHAT,
    headers: MASTER,
    body: image('data:image/png;base64,AAAA'),
    param: 'messages',
    message: /PNG/,
  },
  {
    name: 'image_validation_failed',
    when: 'not a data URL',
    path: CHAT,
    headers: MASTER,
    body: image('file:///etc/passwd'),
    param: 'messages',
    message: /https/,
  },
  {
    name: 'upstream_unreachable',
    path: CHAT,
    headers: MASTER,
    body: { model: 'nowhere' },
    message: /cannot be reached/,
  },
  { name: 'upstream_timeout', path: CHAT, headers: MASTER, body: { model: 'slow' }, message: /in time/ },
  {
    name: 'upstream_auth_failed',
    path: CHAT,
    headers: MASTER,
    body: { model: 'refused' },
    message: /key/,
    answerHeaders: NO_RETRY,
  },
  {
    name: 'upstream_invalid_response',
    path: CHAT,
    headers: MASTER,
    body: { model: 'nonsense' },
    message: /JSON/,
  },
  { name: 'unknown_url', path: '/v1/nothing', headers: MASTER, message: /\/v1\/nothing/ },
  { name: 'unknown_url', when: 'outside /v1', method: 'GET', path: '/nothing', message: /\/nothing/ },
  {
    name: 'method_not_supported',
    method: 'GET',
    path: CHAT,
    headers: MASTER,
    message: /Use POST/,
    answerHeaders: { allow: /^POST$/ },
  },
  {
    name: 'method_not_supported',
    when: 'on /api',
    method: 'DELETE',
    path: '/api/admin/models',
    headers: ADMIN_TOKEN,
    message: /Use GET/,
    answerHeaders: { allow: /^GET, HEAD, POST$/ },
  },
];

/** Where the errors are tested that no single request to a sound server brings about. */
const ELSEWHERE: Partial<Record<ErrorName, string>> = {
  default_password_refused: 'below',
  too_many_attempts: 'below',
  storage_unavailable: 'below',
  internal_error: 'below',
  starting: 'below',
  draining: 'below',
  server_overloaded: 'test/http/body.test.ts',
  request_timeout: 'test/http/body.test.ts',
  file_too_large: 'with the forms',
  passphrase_required: 'with the backup',
  invalid_passphrase: 'with the backup',
};

interface Fixture {
  readonly app: AppUnderTest;
  readonly upstream: FakeUpstream;
  readonly call: (call: Call) => Promise<Response>;
}

async function start(t: TestContext): Promise<Fixture> {
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
  await app.addProvider(
    { id: 'up', baseUrl: upstream.origin, apiKey: 'provider-secret', options: { headersTimeoutMs: 100 } },
    [
      { id: 'm' },
      { id: 'other' },
      { id: 'off', enabled: false },
      { id: 'slow' },
      { id: 'refused' },
      { id: 'nonsense' },
      { id: 'orphan', providerId: 'gone' },
    ],
  );
  await app.addProvider({ id: 'closed', baseUrl: upstream.origin, enabled: false }, [{ id: 'closed' }]);
  await app.addProvider({ id: 'locked', baseUrl: upstream.origin, unreadableApiKey: 'v1:x' }, [
    { id: 'locked' },
  ]);
  await app.addProvider({ id: 'nowhere', baseUrl: 'http://127.0.0.1:1' }, [{ id: 'nowhere' }]);
  const credentials = { username: 'anna', password: 'a long password' };
  await app.admin('POST', '/api/admin/users', credentials);
  const login = async (body: object): Promise<string> => {
    const response = await fetch(`${app.origin}/api/login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
    return ((await response.json()) as { token: string }).token;
  };
  const tokens: Record<string, string> = {
    ADMIN: await login(ADMIN),
    USER: await login(credentials),
    NARROW: await app.addKey({ models: ['other'] }),
    DISABLED: await app.addKey({ enabled: false }),
    EXPIRED: await app.addKey({ expiresAt: '2001-01-01T00:00:00Z' }),
  };
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
  const { call, upstream } = await start(t);
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
    const store: Store = {
      ...inner,
      config: {
        snapshot: inner.config.snapshot,
        update: (change) =>
          isFailing
            ? Promise.reject(
                new HttpError('storage_unavailable', 'The change could not be saved. Try again.', {
                  headers: { 'retry-after': '5' },
                }),
              )
            : inner.config.update(change),
      },
    };
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
    const store: Store = {
      ...inner,
      config: {
        update: inner.config.update,
        snapshot: () => {
          if (isBroken) throw new TypeError('secret detail of the inside');
          return inner.config.snapshot();
        },
      },
    };
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
