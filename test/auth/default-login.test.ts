import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ADMIN, startApp } from '../helpers/start-app.ts';
import { makeTestFolder, type ServerProcess, startServer } from '../helpers/start-server.ts';

type Headers = Record<string, string>;

const MASTER_SAMPLE = 'sk-123';
/** As a file of an earlier program may hold it. */
const IMPORTED_SAMPLE = 'sk-your-secret-key';
const DEFAULT_LOGIN = JSON.stringify({ username: 'admin', password: 'admin' });

/** Ways to the server and the headers on them; `null` where this machine has no such way. */
interface Way {
  readonly name: string;
  readonly host: string | null;
  readonly headers?: Headers;
  readonly isLocal: boolean;
}

const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
const outward = (family: string): string | null =>
  interfaces.find((found) => found.family === family && !found.internal && !found.address.startsWith('fe80'))
    ?.address ?? null;
const hasIpv6 = interfaces.some(({ address }) => address === '::1');

const WAYS: readonly Way[] = [
  { name: 'from 127.0.0.1', host: '127.0.0.1', isLocal: true },
  { name: 'as localhost', host: '127.0.0.1', headers: { host: 'localhost' }, isLocal: true },
  { name: 'from ::1', host: hasIpv6 ? '::1' : null, isLocal: true },
  { name: 'from an IPv4 address of the machine', host: outward('IPv4'), isLocal: false },
  { name: 'from an IPv6 address of the machine', host: hasIpv6 ? outward('IPv6') : null, isLocal: false },
  {
    name: 'from such an address as localhost',
    host: outward('IPv4'),
    headers: { host: 'localhost' },
    isLocal: false,
  },
  { name: 'with a rebound name', host: '127.0.0.1', headers: { host: 'evil.example' }, isLocal: false },
  {
    name: 'with a name like ours',
    host: '127.0.0.1',
    headers: { host: 'localhost.evil.example' },
    isLocal: false,
  },
  { name: 'through a proxy', host: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' }, isLocal: false },
  { name: 'through another', host: '127.0.0.1', headers: { forwarded: 'for=127.0.0.1' }, isLocal: false },
  { name: 'through a third', host: '127.0.0.1', headers: { via: '1.1 x' }, isLocal: false },
  { name: 'through a tunnel', host: '127.0.0.1', headers: { 'cf-ray': '1' }, isLocal: false },
  { name: 'B1: through Envoy', host: '127.0.0.1', headers: { 'x-envoy-internal': 'true' }, isLocal: false },
  {
    name: 'B1: through Tailscale',
    host: '127.0.0.1',
    headers: { 'tailscale-user-login': 'x' },
    isLocal: false,
  },
  {
    name: 'B1, B2: from an old page of another site',
    host: '127.0.0.1',
    headers: { referer: 'https://evil.example/' },
    isLocal: false,
  },
  {
    name: 'B1, B2: from our own page',
    host: '127.0.0.1',
    headers: { host: 'localhost:3000', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' },
    isLocal: true,
  },
];

/** What a browser sends for a page of another site: signing in from there is refused before anybody looks at the password. */
const FOREIGN_PAGES: readonly Headers[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost.evil.example', referer: 'http://localhost.evil.example/' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { referer: 'https://evil.example/' },
];

test('defaults work on the machine itself and nowhere else', { timeout: 60_000 }, async (t) => {
  const server = await startWithDefaults(t);
  for (const name of ['default_password', 'sample_master_key'])
    assert.match(server.stdout(), new RegExp(`"${name}"`));
  for (const way of WAYS) {
    await t.test(
      way.name,
      { skip: way.host === null ? 'this machine has no such address' : false },
      async () => {
        const login = await ask(server, way, { method: 'POST', path: '/api/login', body: DEFAULT_LOGIN });
        if (way.isLocal) assert.equal(login.status, 200, login.body);
        else requireError(login, 403, 'default_password_refused', /UI_PASSWORD/);
        for (const key of [MASTER_SAMPLE, IMPORTED_SAMPLE]) {
          const list = await ask(server, way, {
            path: '/v1/models',
            headers: { authorization: `Bearer ${key}` },
          });
          if (way.isLocal) assert.equal(list.status, 200, list.body);
          else requireError(list, 401, 'invalid_api_key', /sample/);
        }
        const headers = { authorization: `Bearer ${MASTER_SAMPLE}` };
        const metrics = await ask(server, way, { path: '/metrics', headers });
        assert.equal(metrics.status, way.isLocal ? 200 : 401);
        for (const empty of ['', 'undefined', 'null', 'admin']) {
          const refused = await ask(server, way, {
            path: '/v1/models',
            headers: { authorization: `Bearer ${empty}` },
          });
          assert.equal(refused.status, 401, empty);
        }
      },
    );
  }
  await t.test('at every login, whatever the password, without looking at it', async () => {
    const way = { host: '127.0.0.1', headers: { 'x-real-ip': '127.0.0.1' } };
    for (const path of ['/api/login', '/api/admin/login']) {
      const body = JSON.stringify({ username: 'admin', password: 'something else' });
      for (let count = 0; count < 12; count += 1) {
        const refused = await ask(server, way, { method: 'POST', path, body });
        requireError(refused, 403, 'default_password_refused', /UI_PASSWORD/);
      }
    }
    const asUser = await ask(server, way, { method: 'POST', path: '/api/user/login', body: DEFAULT_LOGIN });
    requireError(asUser, 401, 'invalid_credentials', /wrong/);
  });
});

test('B2: a sample key does not work for pages of other sites, whatever CORS allows', async (t) => {
  const app = await startApp(t, { env: { MASTER_API_KEY: MASTER_SAMPLE } });
  const read = (headers: Headers): Promise<Answered> => {
    const key = { 'x-api-key': MASTER_SAMPLE };
    return ask(app, { host: '127.0.0.1', headers }, { path: '/v1/models', headers: key });
  };
  assert.equal((await read({})).status, 200);
  assert.equal((await read({ origin: 'http://localhost:5173' })).status, 200);
  for (const headers of FOREIGN_PAGES) {
    const refused = await read(headers);
    assert.equal(refused.status, 401, JSON.stringify(headers));
    requireError(refused, 401, 'invalid_api_key', /sample/);
  }
});

test('no default works where a proxy is expected, and a password of one’s own everywhere', async (t) => {
  const env = {
    UI_USERNAME: 'admin',
    UI_PASSWORD: 'admin',
    MASTER_API_KEY: MASTER_SAMPLE,
    TRUST_PROXY_HOPS: '1',
  };
  const app = await startApp(t, { env });
  const plain = { host: '127.0.0.1' };
  const login = await ask(app, plain, { method: 'POST', path: '/api/login', body: DEFAULT_LOGIN });
  requireError(login, 403, 'default_password_refused', /UI_PASSWORD/);
  const headers = { authorization: `Bearer ${MASTER_SAMPLE}` };
  assert.equal((await ask(app, plain, { path: '/v1/models', headers })).status, 401);
  const own = await startApp(t);
  const way = { host: '127.0.0.1', headers: { host: 'proxy.example', 'x-forwarded-for': '203.0.113.9' } };
  const body = JSON.stringify(ADMIN);
  assert.equal((await ask(own, way, { method: 'POST', path: '/api/login', body })).status, 200);
});

async function startWithDefaults(t: TestContext): Promise<ServerProcess> {
  const folder = makeTestFolder(t);
  const path = join(folder, 'ipin-proxy.db');
  const old = {
    providers: [],
    models: [],
    users: [],
    apiKeys: [{ id: 'old', name: 'old', key: IMPORTED_SAMPLE }],
  };
  writeFileSync(path, JSON.stringify(old));
  const env = { MASTER_API_KEY: MASTER_SAMPLE, HOST: hasIpv6 ? '::' : '0.0.0.0', SHUTDOWN_GRACE_MS: '0' };
  return startServer(t, { folder, env });
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

function requireError(answer: Answered, status: number, code: string, message: RegExp): void {
  assert.equal(answer.status, status, answer.body);
  const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } };
  assert.equal(error.code, code);
  assert.match(error.message, message);
}

function ask(
  { port }: { readonly port: number },
  way: { readonly host: string | null; readonly headers?: Headers },
  call: { method?: string; path: string; headers?: Headers; body?: string },
): Promise<Answered> {
  const type = call.body === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { ...type, ...way.headers, ...call.headers };
  const { method = 'GET', path } = call;
  const options: RequestOptions = { host: way.host, port, method, path, headers, agent: false };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(call.body);
  });
}
