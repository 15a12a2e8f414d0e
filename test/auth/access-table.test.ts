import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { createRoutes } from '../../src/app.ts';
import type { Access } from '../../src/auth/guard.ts';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { StaticFolder } from '../../src/http/static.ts';
import { guardRoutes } from '../../src/routes/dispatch.ts';
import { EXPECTED_ACCESS } from '../helpers/expected-access.ts';
import {
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  MASTER_KEY,
  signIn,
  startApp,
} from '../helpers/start-app.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const ROLES = [
  'nobody',
  'wrong key',
  'user key',
  'disabled key',
  'expired key',
  'master key',
  'user token',
  'user cookie',
  'admin token',
  'admin cookie',
  'admin cookie from another site',
  'ended session',
] as const;
type Role = (typeof ROLES)[number];

const KEY_ROLES = {
  'user key': 'in',
  'master key': 'in',
  'user cookie': 'in',
  'admin cookie': 'in',
} as const;

/** Who gets in, and the status that everybody else gets. */
const MATRIX: Record<Access, Partial<Record<Role, 'in' | 401 | 403>>> = {
  anyone: Object.fromEntries(ROLES.map((role) => [role, 'in'])),
  'optional-session': Object.fromEntries(ROLES.map((role) => [role, 'in'])),
  key: KEY_ROLES,
  'either-key': KEY_ROLES,
  admin: { 'admin token': 'in', 'admin cookie': 'in', 'user token': 403, 'user cookie': 403 },
  user: { 'user token': 'in', 'user cookie': 'in', 'admin token': 403, 'admin cookie': 403 },
  metrics: {
    'master key': 'in',
    'admin token': 'in',
    'admin cookie': 'in',
    'user token': 403,
    'user cookie': 403,
  },
};

type Headers = Record<string, string>;

test('every route lets in whom the table names, and nobody else', { timeout: 60_000 }, async (t) => {
  const app = await startApp(t);
  const headersOf = await createPrincipals(app);
  await app.addProvider({ id: 'default', baseUrl: 'http://127.0.0.1:9' }, []);
  await expectStatus(200, await app.admin('PUT', '/api/admin/settings', { defaultProviderId: 'default' }));
  const rows = createRoutes(app.services, new StaticFolder(makeTestFolder(t)));
  assert.deepEqual(
    Object.fromEntries(rows.map(([method, path, access]) => [`${method} ${path}`, access])),
    EXPECTED_ACCESS,
  );
  for (const [method, path, access] of rows) {
    for (const role of ROLES) {
      // Signing out would end the session for the rows after it.
      if (path.endsWith('/logout') && MATRIX[access][role] === 'in') continue;
      const answer = await ask(app, { method, path: concrete(path), headers: headersOf[role] });
      checkCell({ method, path, access, role }, answer);
    }
  }
});

test('the table gives each path to whom its beginning promises it', () => {
  const open: Record<string, Access> = {
    'GET /health': 'anyone',
    'GET /metrics': 'metrics',
    'GET /api/me': 'optional-session',
    'POST /api/login': 'anyone',
    'POST /api/admin/login': 'anyone',
    'POST /api/user/login': 'anyone',
  };
  const rules: readonly (readonly [RegExp, Access])[] = [
    [/^\/api\/admin\//, 'admin'],
    [/^\/api\/user\//, 'user'],
    [/^\/v1\/messages/, 'either-key'],
    [/^\/v1\//, 'key'],
    [/^\/([a-z]+\.html)?$/, 'anyone'],
    [/^\/static\//, 'anyone'],
  ];
  for (const [row, access] of Object.entries(EXPECTED_ACCESS)) {
    const path = row.slice(row.indexOf(' ') + 1);
    const promised = open[row] ?? rules.find(([pattern]) => pattern.test(path))?.[1];
    assert.equal(access, promised, row);
  }
});

test('no other spelling of a path gets around its row', { timeout: 60_000 }, async (t) => {
  const app = await startApp(t);
  const rows = createRoutes(app.services, new StaticFolder(makeTestFolder(t)));
  for (const [method, path, access] of rows) {
    if (['anyone', 'optional-session'].includes(access)) continue;
    for (const spelling of spellings(concrete(path))) {
      for (const tried of new Set([method, 'GET', 'HEAD', 'POST'])) {
        const { status } = await ask(app, { method: tried, path: spelling, headers: {} });
        assert.ok([400, 401, 404, 405].includes(status), `${tried} ${spelling} as nobody: ${status}`);
      }
    }
  }
});

test('a route without an access does not start', () => {
  const row = JSON.parse('["GET", "/api/admin/new"]');
  assert.throws(() => guardRoutes([row]), /no access is set/);
});

test('a key cannot be sent in the address, and two different keys are refused', async (t) => {
  const app = await startApp(t);
  const inQuery = await fetch(`${app.origin}/v1/models?api_key=${MASTER_KEY}`);
  assert.equal(inQuery.status, 401);
  const headers = { authorization: `Bearer ${MASTER_KEY}`, 'x-api-key': 'sk-another-key-0123456789abcdef' };
  assert.equal((await fetch(`${app.origin}/v1/models`, { headers })).status, 401);
  assert.equal((await fetch(`${app.origin}/v1/models`, { headers: { 'api-key': MASTER_KEY } })).status, 200);
});

function checkCell(
  row: { method: string; path: string; access: Access; role: Role },
  { status, body }: { status: number; body: string },
): void {
  const isForeignChange = row.role.includes('another site') && isChange(row);
  const expected = isRefusedLogin(row)
    ? 403
    : (MATRIX[row.access][row.role] ?? (isForeignChange ? 403 : 401));
  const where = `${row.method} ${row.path} as ${row.role}: ${status} ${body.slice(0, 200)}`;
  if (expected === 'in') assert.ok(status !== 401 && status !== 403, where);
  else assert.equal(status, expected, where);
  assert.ok(status < 500 || status === 503 || status === 502, where);
}

/** Signing in from another site is refused as well: it would put a visitor into somebody else's account. */
function isRefusedLogin({ method, access, role }: { method: string; access: Access; role: Role }): boolean {
  return access === 'anyone' && method === 'POST' && role.includes('another site');
}

/** Requests from other sites that change something are refused before anybody asks who sent them. */
function isChange({ method, access }: { method: string; access: Access }): boolean {
  return method !== 'GET' && access !== 'key' && access !== 'either-key' && access !== 'anyone';
}

async function createPrincipals(app: AppUnderTest): Promise<Record<Role, Headers>> {
  const user = { username: 'ann', password: 'a long password' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
  const login = await fetch(`${app.origin}/api/login`, jsonRequest('POST', null, user));
  const { token: userToken } = (await expectStatus(200, login)) as { token: string };
  const adminToken = await signIn(app.origin);
  const ended = await signIn(app.origin);
  await expectStatus(
    204 as number,
    await fetch(`${app.origin}/api/admin/logout`, jsonRequest('POST', `Bearer ${ended}`, {})),
  );
  const cookie = (token: string): Headers => ({
    cookie: `${sessionCookieName(app.services.store.config.view().instanceId, false)}=${token}`,
  });
  const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` });
  return {
    nobody: {},
    'wrong key': bearer('sk-wrong-key-0123456789abcdef0123456789'),
    'user key': bearer(await app.addKey({})),
    'disabled key': bearer(await app.addKey({ enabled: false })),
    'expired key': bearer(await app.addKey({ expiresAt: '2001-01-01T00:00:00Z' })),
    'master key': bearer(MASTER_KEY),
    'user token': bearer(userToken),
    'user cookie': cookie(userToken),
    'admin token': bearer(adminToken),
    'admin cookie': cookie(adminToken),
    'admin cookie from another site': {
      ...cookie(adminToken),
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.example',
    },
    'ended session': bearer(ended),
  };
}

function concrete(path: string): string {
  return path.replace(':id', 'nope').replace('*id', 'nope').replace('*path', 'nope');
}

function spellings(path: string): string[] {
  return [
    `/${path}`,
    `/.${path}`,
    `/x/..${path}`,
    path.toUpperCase(),
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `${path}%2f`,
    `${path}%00`,
    `${path};x`,
    `${path}#x`,
    path.replace('/', '/%2e/'),
    path.replaceAll('/', '%2f'),
    path.replaceAll('/', '\\'),
    path.replace('a', '%61'),
    path.replace('/api/admin', '/api//admin'),
    `http://evil.example${path}`,
  ];
}

function ask(
  app: AppUnderTest,
  { method: named, path, headers }: { method: string; path: string; headers: Headers },
): Promise<{ status: number; body: string }> {
  const method = named === 'ANY' ? 'PATCH' : named;
  const hasBody = method === 'POST' || method === 'PUT';
  const body = hasBody ? '{}' : '';
  const length = hasBody ? { 'content-type': 'application/json', 'content-length': '2' } : {};
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: app.port, method, path, headers: { ...headers, ...length } };
    const outgoing = request({ ...options, agent: false }, (response) => {
      if (response.headers['content-type'] === 'text/event-stream') {
        // It has no end.
        resolve({ status: response.statusCode ?? 0, body: '' });
        outgoing.destroy();
        return;
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
