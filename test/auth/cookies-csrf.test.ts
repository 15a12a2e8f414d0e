import assert from 'node:assert/strict';
import { type RequestOptions, request } from 'node:http';
import { test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { EXPECTED_ACCESS } from '../helpers/expected-access.ts';
import { ADMIN, type AppUnderTest, MASTER_KEY, signIn, startApp } from '../helpers/start-app.ts';
import { addUser, stateOf } from './quick-users.ts';

type Headers = Record<string, string>;

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** As it is: `fetch` would not send Origin, Host and Sec-Fetch-Site. */
function ask(
  { port }: AppUnderTest,
  call: { method: string; path: string; headers?: Headers; body?: string },
): Promise<Answered> {
  const { method, path, headers = {}, body } = call;
  const length: Headers = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options: RequestOptions = { host: '127.0.0.1', port, method, path, agent: false };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(named),
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const JSON_TYPE: Headers = { 'content-type': 'application/json' };
const SIMPLE_TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=b'];
const FOREIGN: readonly Headers[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://127.0.0.1:1' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': '' },
  // What the browser says of the request counts more than an Origin that fits.
  { 'sec-fetch-site': 'cross-site', origin: 'http://panel.example' },
];
/** Ways that our own pages, and scripts without a browser, go. */
const OWN: readonly Headers[] = [
  {},
  { origin: 'http://panel.example' },
  { 'sec-fetch-site': 'same-origin', origin: 'http://panel.example' },
];
/** Rows that read no body take any. */
const BODILESS = /^DELETE |\/logout$|\/test$|\/alert-test$|\/wake$|\/usage-reset$/;

const ROWS = Object.entries(EXPECTED_ACCESS).filter(([row]) => row.includes(' /api/'));
const CHANGES = ROWS.filter(([row]) => !row.startsWith('GET '));

interface Signed {
  readonly admin: string;
  readonly user: string;
}

async function start(app: AppUnderTest): Promise<Signed> {
  await app.addProvider({ id: 'up', baseUrl: 'http://127.0.0.1:9' }, [{ id: 'm' }]);
  await app.addKey({ userId: null });
  return { admin: await signIn(app.origin), user: await addUser(app, { id: 'anna' }) };
}

function cookieName(app: AppUnderTest, isSecure = false): string {
  return sessionCookieName(app.services.store.config.view().instanceId, isSecure);
}

function concrete(row: string): { method: string; path: string } {
  const [method = '', path = ''] = row.split(' ');
  const id = path.includes('/providers/') ? 'up' : path.includes('/models/') ? 'm' : 'nope';
  return { method, path: path.replace(':id', id) };
}

test('no other site changes anything by a visitor’s session', { timeout: 60_000 }, async (t) => {
  const app = await startApp(t);
  const { admin, user } = await start(app);
  const before = stateOf(app);
  for (const [row, access] of CHANGES) {
    const token = access === 'user' ? user : admin;
    const cookie = { host: 'panel.example', cookie: `${cookieName(app)}=${token}` };
    for (const type of ['application/json', ...SIMPLE_TYPES]) {
      for (const foreign of FOREIGN) {
        const headers = { ...cookie, 'content-type': type, ...foreign };
        const answer = await ask(app, { ...concrete(row), headers, body: '{"name":"changed"}' });
        requireRefused(answer, `${row} as ${type} with ${JSON.stringify(foreign)}`);
      }
    }
    const bearer = { authorization: `Bearer ${token}`, ...JSON_TYPE };
    const withToken = await ask(app, {
      ...concrete(row),
      headers: { ...bearer, origin: 'https://evil.example' },
      body: '{}',
    });
    requireRefused(withToken, `${row} with a token`);
  }
  assert.equal(stateOf(app), before);
  for (const [path, token] of [
    ['/api/admin/me', admin],
    ['/api/user/me', user],
  ] as const) {
    const alive = await ask(app, { method: 'GET', path, headers: { authorization: `Bearer ${token}` } });
    assert.equal(alive.status, 200, 'nobody was signed out');
  }
});

function requireRefused({ status, headers, body }: Answered, what: string): void {
  assert.equal(status, 403, `${what}: ${status} ${body}`);
  assert.match(body, /"cross_origin_refused"/, what);
  assert.deepEqual(corsHeaders(headers), [], what);
}

function corsHeaders(headers: Headers): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

test('forms of our own pages are refused where a body is read; JSON and a cookie go through', {
  timeout: 60_000,
}, async (t) => {
  const app = await startApp(t);
  const { user, admin } = await start(app);
  for (const [row, access] of CHANGES) {
    // These end the session or take a password's time.
    if (row.includes('/log') || row.endsWith('/password')) continue;
    const cookie = {
      host: 'panel.example',
      cookie: `${cookieName(app)}=${access === 'user' ? user : admin}`,
    };
    for (const own of OWN) {
      for (const type of BODILESS.test(row) ? [] : [...SIMPLE_TYPES, '']) {
        const typed = type === '' ? {} : { 'content-type': type };
        const answer = await ask(app, {
          ...concrete(row),
          headers: { ...cookie, ...own, ...typed },
          body: '{"name":7}',
        });
        assert.equal(answer.status, 415, `${row} as ${type}: ${answer.body}`);
        assert.match(answer.body, /"unsupported_content_type"/);
      }
      const headers = { ...cookie, ...own, ...JSON_TYPE };
      const answer = await ask(app, { ...concrete(row), headers, body: '{"name":7}' });
      assert.ok([200, 204, 400, 404, 409].includes(answer.status), `${row}: ${answer.status} ${answer.body}`);
      assert.deepEqual(corsHeaders(answer.headers), [], row);
    }
  }
});

test('/api and the pages never speak to other origins, not even to refuse', {
  timeout: 30_000,
}, async (t) => {
  const app = await startApp(t, { env: { CORS_ORIGINS: 'https://chat.example' } });
  const { user, admin } = await start(app);
  const paths = ROWS.map(([row]) => concrete(row).path);
  const before = stateOf(app);
  for (const path of new Set([...paths, '/', '/admin.html', '/health', '/metrics', '/api/nope', '/nope'])) {
    for (const origin of ['https://chat.example', 'https://evil.example', 'null']) {
      const token = path.startsWith('/api/user') ? user : admin;
      const headers = { host: 'panel.example', cookie: `${cookieName(app)}=${token}`, origin };
      const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x' };
      const asked = await ask(app, { method: 'OPTIONS', path, headers: { ...headers, ...preflight } });
      assert.ok([404, 405].includes(asked.status), `OPTIONS ${path}: ${asked.status}`);
      const got = await ask(app, { method: 'GET', path, headers });
      for (const answer of [asked, got])
        assert.deepEqual(corsHeaders(answer.headers), [], `${path} ${origin}`);
      // The cookie does not count, so that a page that reads by other means sees nothing.
      if (EXPECTED_ACCESS[`GET ${path}`] === 'admin' || EXPECTED_ACCESS[`GET ${path}`] === 'user')
        assert.equal(got.status, 401, path);
    }
  }
  assert.equal(stateOf(app), before);
});

test('/v1 follows CORS_ORIGINS, never with credentials, and no foreign page uses the session', {
  timeout: 30_000,
}, async (t) => {
  const chat = 'https://chat.example';
  type Row = readonly [configured: string, origin: string, allowed: string | undefined];
  const rows: readonly Row[] = [
    ['*', 'https://evil.example', '*'],
    ['*', 'null', '*'],
    [`${chat}, http://localhost:5173`, chat, chat],
    [`${chat}, http://localhost:5173`, 'http://localhost:5173', 'http://localhost:5173'],
    [chat, 'https://evil.example', undefined],
    [chat, 'https://chat.example.evil.example', undefined],
    [chat, 'http://chat.example', undefined],
    [chat, 'null', undefined],
  ];
  for (const [configured, origin, allowed] of rows) {
    const app = await startApp(t, { env: { CORS_ORIGINS: configured } });
    const user = await addUser(app, { id: 'anna' });
    const what = `${configured} for ${origin}`;
    const key = { authorization: `Bearer ${MASTER_KEY}` };
    const cookie = { host: 'panel.example', cookie: `${cookieName(app)}=${user}` };
    const preflight = { 'access-control-request-method': 'POST' };
    const calls: readonly (readonly [method: string, path: string, headers: Headers, status: number])[] = [
      ['GET', '/v1/models', key, 200],
      ['GET', '/v1/models', cookie, 401],
      ['POST', '/v1/chat/completions', { ...cookie, ...JSON_TYPE }, 401],
      ['GET', '/v1/nope', key, 404],
      ['DELETE', '/v1/models', key, 405],
      ['POST', '/v1/chat/completions', { ...key, ...JSON_TYPE }, 400],
      ['OPTIONS', '/v1/chat/completions', preflight, 204],
    ];
    for (const [method, path, headers, status] of calls) {
      const answer = await ask(app, { method, path, headers: { ...headers, origin } });
      assert.equal(answer.status, status, `${what}: ${method} ${path}`);
      assert.equal(answer.headers['access-control-allow-origin'], allowed, `${what}: ${method} ${path}`);
      assert.equal(answer.headers['access-control-allow-credentials'], undefined);
      assert.equal(answer.headers['vary'], configured === '*' ? undefined : 'origin');
    }
  }
});

test('the cookie’s flags follow the scheme, as far as proxies are trusted', {
  timeout: 30_000,
}, async (t) => {
  type Row = readonly [hops: number, proto: string | undefined, isSecure: boolean];
  const rows: readonly Row[] = [
    [0, undefined, false],
    [0, 'https', false],
    [1, undefined, false],
    [1, 'http', false],
    [1, 'https', true],
    [1, 'https, http', false],
    [2, 'https, http', true],
  ];
  const body = JSON.stringify(ADMIN);
  for (const [hops, proto, isSecure] of rows) {
    const now = (): number => Date.UTC(2026, 2, 1);
    const app = await startApp(t, { env: { TRUST_PROXY_HOPS: String(hops) }, now });
    const scheme: Headers = proto === undefined ? {} : { 'x-forwarded-proto': proto };
    const what = `${hops} hops, ${proto}`;
    const login = await ask(app, {
      method: 'POST',
      path: '/api/login',
      headers: { ...JSON_TYPE, ...scheme },
      body,
    });
    const { token } = JSON.parse(login.body) as { token: string };
    const flags = `; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
    const name = cookieName(app, isSecure);
    assert.equal(name.startsWith('__Host-'), isSecure);
    assert.equal(login.headers['set-cookie'], `${name}=${token}${flags}`, what);
    assert.equal(login.headers['cache-control'], 'no-store');
    const me = async (cookie: string): Promise<number> =>
      (await ask(app, { method: 'GET', path: '/api/admin/me', headers: { ...scheme, cookie } })).status;
    assert.equal(await me(`${name}=${token}`), 200, what);
    // Over TLS another host could have set the plain one; without it nobody can have set the other.
    assert.equal(await me(`${cookieName(app, !isSecure)}=${token}`), 401, what);
    assert.equal(await me(`ipin_000000000000=${token}`), 401, 'that of another instance');
    const cookie = `${name}=${token}`;
    const logout = await ask(app, {
      method: 'POST',
      path: '/api/admin/logout',
      headers: { ...scheme, cookie },
    });
    assert.equal(logout.headers['set-cookie'], `${name}=${flags.replace('43200', '0')}`, what);
    assert.equal(await me(cookie), 401, 'signed out');
  }
});
