import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findWarnings } from '../../src/routes/admin/warnings.ts';
import { type AppUnderTest, expectStatus, jsonRequest, signIn, startApp } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';

const PATH = '/api/admin/password';
const DEFAULT = { username: 'admin', password: 'admin' };
const OWN = { username: 'admin', password: 'a password from the panel' };
const LATER = { username: 'admin', password: 'yet another password' };
/** Set, but to nothing: as `.env.example` has it. */
const UNSET = { UI_USERNAME: '', UI_PASSWORD: '' };

interface Account {
  readonly username: string;
  readonly password: string;
}

function start(t: TestContext, env: Record<string, string> = UNSET): Promise<AppUnderTest> {
  return startApp(t, { env });
}

function put(origin: string, token: string | null, body: unknown): Promise<Response> {
  return fetch(origin + PATH, jsonRequest('PUT', token === null ? null : `Bearer ${token}`, body));
}

function change(origin: string, token: string, from: Account, to: Account): Promise<Response> {
  return put(origin, token, { currentPassword: from.password, newPassword: to.password });
}

async function errorOf(
  status: number,
  answer: Response,
): Promise<{ code: string; message: string; param: string }> {
  const { error } = (await expectStatus(status, answer)) as {
    error: { code: string; message: string; param: string };
  };
  return error;
}

/** A sign-in that comes through a proxy: a default password is refused there. */
function throughProxy(origin: string, { username, password }: Account): Promise<Response> {
  const { headers, ...request } = jsonRequest('POST', null, { username, password });
  const marked = { ...(headers as Record<string, string>), 'x-forwarded-for': '203.0.113.9' };
  return fetch(`${origin}/api/login`, { ...request, headers: marked });
}

async function isSignedIn(origin: string, token: string): Promise<boolean> {
  const answer = await fetch(`${origin}/api/admin/me`, jsonRequest('GET', `Bearer ${token}`));
  await answer.text();
  return answer.status === 200;
}

const codesOf = (app: AppUnderTest): string[] => findWarnings(app.services, []).map(({ code }) => code);

test('B1: a password set in the panel ends the default one and every other session of the admin', async (t) => {
  const app = await start(t);
  const user = { username: 'ann', password: 'ann has a password' };
  await expectStatus(201, await app.admin('POST', '/api/admin/users', user));
  const [own, other, anns] = [
    await signIn(app.origin, DEFAULT),
    await signIn(app.origin, DEFAULT),
    await signIn(app.origin, user),
  ];
  assert.ok(codesOf(app).includes('default_password'));
  const answer = await expectStatus(200, await change(app.origin, own, DEFAULT, OWN));
  assert.deepEqual(answer, { username: 'admin', role: 'admin' });
  assert.deepEqual([await isSignedIn(app.origin, own), await isSignedIn(app.origin, other)], [true, false]);
  await expectStatus(200, await fetch(`${app.origin}/api/user/me`, jsonRequest('GET', `Bearer ${anns}`)));
  assert.ok(!codesOf(app).includes('default_password'));
  for (const path of ['/api/login', '/api/admin/login']) {
    const refused = await fetch(app.origin + path, jsonRequest('POST', null, DEFAULT));
    assert.equal((await errorOf(401, refused)).code, 'invalid_credentials');
  }
  await expectStatus(200, await throughProxy(app.origin, OWN));
  assert.doesNotMatch(app.logs.join(''), /a password from the panel|scrypt\$/);
});

test('B1: the password can be changed again, and a session of before is ended', async (t) => {
  const app = await start(t);
  const first = await signIn(app.origin, DEFAULT);
  await expectStatus(200, await change(app.origin, first, DEFAULT, OWN));
  const second = await signIn(app.origin, OWN);
  await expectStatus(200, await change(app.origin, second, OWN, LATER));
  assert.deepEqual(
    [await isSignedIn(app.origin, first), await isSignedIn(app.origin, second)],
    [false, true],
  );
  assert.equal((await errorOf(401, await throughProxy(app.origin, OWN))).code, 'invalid_credentials');
  await expectStatus(200, await throughProxy(app.origin, LATER));
});

test('B1: of two sessions that set a password at once, one does', async (t) => {
  const app = await start(t);
  const tokens = [await signIn(app.origin, DEFAULT), await signIn(app.origin, DEFAULT)];
  const statuses = await Promise.all(
    tokens.map(async (token, index) => {
      const answer = await change(app.origin, token, DEFAULT, index === 0 ? OWN : LATER);
      await answer.text();
      return answer.status;
    }),
  );
  assert.deepEqual(statuses.toSorted(), [200, 401]);
  const winner = statuses.indexOf(200);
  await expectStatus(200, await throughProxy(app.origin, winner === 0 ? OWN : LATER));
  assert.deepEqual(await Promise.all(tokens.map((token) => isSignedIn(app.origin, token))), [
    winner === 0,
    winner === 1,
  ]);
});

test('B1: a new password is 8 to 128 characters and none of the default ones', async (t) => {
  const app = await start(t);
  const token = await signIn(app.origin, DEFAULT);
  const rows: readonly (readonly [newPassword: unknown, code: string])[] = [
    [undefined, 'missing_required_parameter'],
    ['', 'missing_required_parameter'],
    ['seven77', 'invalid_value'],
    ['x'.repeat(129), 'invalid_value'],
    ['admin', 'invalid_value'],
    ['your-password', 'invalid_value'],
    [12345678, 'invalid_value'],
    ['with a NUL \0', 'invalid_value'],
  ];
  for (const [newPassword, code] of rows) {
    const error = await errorOf(400, await put(app.origin, token, { currentPassword: 'admin', newPassword }));
    assert.deepEqual([error.code, error.param], [code, 'newPassword'], JSON.stringify(newPassword));
  }
  for (const [currentPassword, code] of [
    [undefined, 'missing_required_parameter'],
    [5, 'invalid_value'],
  ] as const) {
    const error = await errorOf(
      400,
      await put(app.origin, token, { currentPassword, newPassword: OWN.password }),
    );
    assert.deepEqual([error.code, error.param], [code, 'currentPassword']);
  }
  for (const newPassword of ['eight888', 'é'.repeat(128)]) {
    const before = app.services.store.config.view().adminPasswordHash === null ? 'admin' : 'eight888';
    await expectStatus(200, await put(app.origin, token, { currentPassword: before, newPassword }));
  }
});

test('B1: a wrong current password is refused, and throttled like a sign-in', async (t) => {
  const app = await start(t);
  const token = await signIn(app.origin, DEFAULT);
  const wrong = { currentPassword: 'guessed', newPassword: OWN.password };
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    const answer = await put(app.origin, token, wrong);
    statuses.push(answer.status);
    if (answer.status === 429) assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    await answer.text();
  }
  assert.deepEqual(statuses, [...new Array<number>(10).fill(401), 429, 429]);
  assert.equal(app.services.store.config.view().adminPasswordHash, null);
});

for (const [password, isDefault] of [
  ['admin', true],
  ['your-password', true],
  ['a password of the environment', false],
] as const) {
  test(`B1: UI_PASSWORD=${password} counts alone, and the panel does not change it`, async (t) => {
    const app = await start(t, { UI_USERNAME: 'admin', UI_PASSWORD: password });
    const token = await signIn(app.origin, { username: 'admin', password });
    const body = { currentPassword: password, newPassword: OWN.password };
    const error = await errorOf(409, await put(app.origin, token, body));
    assert.equal(error.code, 'managed_by_environment');
    assert.match(error.message, /UI_PASSWORD/);
    const status = await expectStatus(200, await app.admin('GET', '/api/admin/status'));
    const { adminPassword } = status as { adminPassword: unknown };
    assert.deepEqual(adminPassword, { isDefault, isManagedByEnvironment: true });
    await expectStatus(
      200,
      await fetch(`${app.origin}/api/login`, jsonRequest('POST', null, { username: 'admin', password })),
    );
  });
}

test('B1: the password survives restarts as a hash; UI_PASSWORD stands above it while it is set', {
  timeout: 60_000,
}, async (t) => {
  const folder = makeTestFolder(t);
  const path = join(folder, 'ipin.db');
  const run = async (
    password: string,
    body: (origin: string, output: () => string) => Promise<void>,
  ): Promise<void> => {
    const env = { DB_PATH: path, UI_PASSWORD: password, SHUTDOWN_GRACE_MS: '0' };
    const server = await startServer(t, { folder, env });
    await body(server.origin, server.stdout);
    assert.equal(await server.stop(), 0);
  };
  const statusOf = async (origin: string, account: Account): Promise<number> => {
    const answer = await fetch(`${origin}/api/login`, jsonRequest('POST', null, account));
    await answer.text();
    return answer.status;
  };
  const tokens = { panel: '', environment: '' };
  await run('', async (origin, output) => {
    assert.match(output(), /"default_password"/);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /adminPasswordHash/);
    tokens.panel = await signIn(origin, DEFAULT);
    await expectStatus(200, await change(origin, tokens.panel, DEFAULT, OWN));
  });
  const stored = readFileSync(path, 'utf8');
  assert.match(stored, /"adminPasswordHash":"scrypt\$/);
  assert.doesNotMatch(stored, /a password from the panel/);
  await run('', async (origin, output) => {
    assert.doesNotMatch(output(), /"default_password"/);
    assert.equal(await isSignedIn(origin, tokens.panel), true);
    assert.deepEqual([await statusOf(origin, DEFAULT), await statusOf(origin, OWN)], [401, 200]);
  });
  await run(LATER.password, async (origin) => {
    assert.equal(await isSignedIn(origin, tokens.panel), false);
    assert.deepEqual([await statusOf(origin, OWN), await statusOf(origin, LATER)], [401, 200]);
    tokens.environment = await signIn(origin, LATER);
  });
  await run('', async (origin) => {
    assert.deepEqual([await statusOf(origin, LATER), await statusOf(origin, OWN)], [401, 200]);
    assert.equal(await isSignedIn(origin, tokens.environment), false);
  });
});

test('B1: a backup carries the password; a restore says so and keeps the session that made it', async (t) => {
  const app = await start(t);
  const token = await signIn(app.origin, DEFAULT);
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(app.origin + path, jsonRequest(method, `Bearer ${token}`, body));
  const backup = async (): Promise<string> => (await call('GET', '/api/admin/backup?secrets=omit')).text();
  const restore = async (file: string, query = ''): Promise<{ changesAdminPassword: boolean }> => {
    const report = await expectStatus(200, await call('POST', `/api/admin/restore${query}`, file));
    assert.doesNotMatch(JSON.stringify(report), /scrypt/);
    return report as { changesAdminPassword: boolean };
  };
  const withDefault = await backup();
  await expectStatus(200, await change(app.origin, token, DEFAULT, OWN));
  const withOwn = await backup();
  assert.doesNotMatch(withOwn, /a password from the panel/);
  await expectStatus(200, await change(app.origin, token, OWN, LATER));
  const other = await signIn(app.origin, LATER);

  // The default password never comes back.
  assert.equal((await restore(withDefault, '?dryRun=true')).changesAdminPassword, false);
  await restore(withDefault);
  assert.deepEqual([await isSignedIn(app.origin, token), await isSignedIn(app.origin, other)], [true, false]);
  await expectStatus(200, await throughProxy(app.origin, LATER));

  assert.equal((await restore(withOwn, '?dryRun=true')).changesAdminPassword, true);
  assert.equal((await restore(withOwn)).changesAdminPassword, true);
  assert.equal(await isSignedIn(app.origin, token), true);
  await expectStatus(200, await throughProxy(app.origin, OWN));
  assert.equal((await errorOf(401, await throughProxy(app.origin, LATER))).code, 'invalid_credentials');

  const damaged = JSON.stringify({
    ...JSON.parse(withOwn),
    checksum: undefined,
    adminPasswordHash: 'no hash',
  });
  const error = await errorOf(400, await call('POST', '/api/admin/restore', damaged));
  assert.deepEqual([error.code, /adminPasswordHash/.test(error.message)], ['invalid_body', true]);
});
