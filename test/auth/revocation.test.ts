import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sessionCookieName } from '../../src/http/cookies.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import {
  ADMIN,
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  signIn,
  startApp,
} from '../helpers/start-app.ts';
import { makeTestFolder, type ServerProcess, startServer } from '../helpers/start-server.ts';
import { addUser, openSession } from './quick-users.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CUSTOM_KEY = 'sk-revoked-0123456789abcdefghijk';

interface Fixture {
  readonly app: AppUnderTest;
  readonly clock: { nowMs: number };
  /** Of the user `anna`, whose key is CUSTOM_KEY, with the model `m` at the provider `up`. */
  readonly token: string;
  readonly keyId: string;
}

async function start(t: TestContext): Promise<Fixture> {
  const clock = { nowMs: Date.UTC(2026, 2, 1) };
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t, { now: () => clock.nowMs });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }, { id: 'n' }]);
  const token = await addUser(app, { id: 'anna' });
  const made = await app.admin('POST', '/api/admin/apikeys', { name: 'k', key: CUSTOM_KEY, userId: 'anna' });
  const { id: keyId } = (await expectStatus(201, made)) as { id: string };
  return { app, clock, token, keyId };
}

function cookieOf({ app }: Fixture, token: string): string {
  return `${sessionCookieName(app.services.store.config.view().instanceId, false)}=${token}`;
}

/** Everything that a user's session opens, in order: `200 200 200 anna` while it lives. */
async function lifeOf(fixture: Fixture, token: string): Promise<string> {
  const { origin } = fixture.app;
  const headers = { cookie: cookieOf(fixture, token) };
  const answers = await Promise.all([
    fetch(`${origin}/api/user/me`, jsonRequest('GET', `Bearer ${token}`)),
    fetch(`${origin}/api/user/me`, { headers }),
    fetch(`${origin}/v1/models`, { headers }),
  ]);
  const who = (await (await fetch(`${origin}/api/me`, { headers })).json()) as {
    user: { username: string } | null;
  };
  return [...answers.map(({ status }) => status), who.user?.username ?? 'nobody'].join(' ');
}

const ALIVE = '200 200 200 anna';
const DEAD = '401 401 401 nobody';

async function chat({ app }: Fixture): Promise<string> {
  const answer = await app.v1('chat/completions', { model: 'm', messages: [] }, CUSTOM_KEY);
  const body = (await answer.json()) as { error?: { code: string | null } };
  return `${answer.status} ${body.error?.code ?? 'answered'}`;
}

type Step = readonly [method: string, path: string, body?: unknown];

interface Revocation {
  readonly name: string;
  readonly step: Step;
  /** What a request with the key gets next. */
  readonly key: string;
  /** Whether the user's session lives on. */
  readonly session: typeof ALIVE | typeof DEAD;
  /** What takes it back, where it can be: the key then works again, an ended session does not. */
  readonly undo?: Step;
}

const KEY = '/api/admin/apikeys/KEY';
const USER = '/api/admin/users/anna';
const MODEL = '/api/admin/models/m';
const PROVIDER = '/api/admin/providers/up';
const ON = { enabled: true };
const OFF = { enabled: false };

const REVOCATIONS: readonly Revocation[] = [
  {
    name: 'key disabled',
    step: ['PUT', KEY, OFF],
    key: '401 invalid_api_key',
    session: ALIVE,
    undo: ['PUT', KEY, ON],
  },
  {
    name: 'key expired',
    step: ['PUT', KEY, { expiresAt: '2026-02-28T00:00:00Z' }],
    key: '401 invalid_api_key',
    session: ALIVE,
    undo: ['PUT', KEY, { expiresAt: null }],
  },
  {
    name: 'key narrowed',
    step: ['PUT', KEY, { models: ['n'] }],
    key: '403 model_not_allowed',
    session: ALIVE,
    undo: ['PUT', KEY, { models: null }],
  },
  { name: 'key deleted', step: ['DELETE', KEY], key: '401 invalid_api_key', session: ALIVE },
  {
    name: 'user disabled',
    step: ['PUT', USER, OFF],
    key: '401 invalid_api_key',
    session: DEAD,
    undo: ['PUT', USER, ON],
  },
  {
    name: 'user narrowed',
    step: ['PUT', USER, { models: [] }],
    key: '403 model_not_allowed',
    session: ALIVE,
    undo: ['PUT', USER, { models: null }],
  },
  { name: 'user deleted', step: ['DELETE', USER], key: '401 invalid_api_key', session: DEAD },
  {
    name: 'his password set',
    step: ['PUT', USER, { password: 'another long one' }],
    key: '200 answered',
    session: DEAD,
  },
  {
    name: 'model disabled',
    step: ['PUT', MODEL, OFF],
    key: '404 model_not_found',
    session: ALIVE,
    undo: ['PUT', MODEL, ON],
  },
  { name: 'model deleted', step: ['DELETE', MODEL], key: '404 model_not_found', session: ALIVE },
  {
    name: 'provider disabled',
    step: ['PUT', PROVIDER, OFF],
    key: '503 provider_not_configured',
    session: ALIVE,
    undo: ['PUT', PROVIDER, ON],
  },
  {
    name: 'provider deleted',
    step: ['DELETE', `${PROVIDER}?cascade=true`],
    key: '404 model_not_found',
    session: ALIVE,
  },
];

test('what is taken away is refused from the next request on', { timeout: 60_000 }, async (t) => {
  const fixture = await start(t);
  const { app, keyId } = fixture;
  const { config } = app.services.store;
  const initial = config.view();
  const user = initial.users.get('anna') ?? assert.fail();
  for (const { name, step, key, session, undo } of REVOCATIONS) {
    await t.test(name, async () => {
      await changeConfig(config, () => ({ state: initial, result: null }));
      // The second one is not used before all is back: it must be over by then, not merely refused meanwhile.
      const [used, unused] = [await openSession(app, user), await openSession(app, user)];
      assert.equal(await chat(fixture), '200 answered');
      assert.equal(await lifeOf(fixture, used), ALIVE);
      const take = async ([method, path, body]: Step): Promise<void> => {
        const answer = await app.admin(method, path.replace('KEY', keyId), body);
        assert.ok(answer.ok, await answer.text());
      };
      await take(step);
      assert.equal(await chat(fixture), key);
      assert.equal(await lifeOf(fixture, used), session);
      if (undo === undefined) return;
      await take(undo);
      assert.equal(await chat(fixture), '200 answered');
      for (const token of [used, unused]) assert.equal(await lifeOf(fixture, token), session);
    });
  }
});

test('signing out ends one session, everywhere', { timeout: 20_000 }, async (t) => {
  const fixture = await start(t);
  const { app, token } = fixture;
  const user = app.services.store.config.view().users.get('anna') ?? assert.fail();
  for (const way of ['cookie', 'token']) {
    const own = await openSession(app, user);
    const headers: Record<string, string> =
      way === 'cookie' ? { cookie: cookieOf(fixture, own) } : { authorization: `Bearer ${own}` };
    assert.equal(await lifeOf(fixture, own), ALIVE);
    assert.equal((await fetch(`${app.origin}/api/user/logout`, { method: 'POST', headers })).status, 204);
    assert.equal(await lifeOf(fixture, own), DEAD);
    assert.equal((await fetch(`${app.origin}/api/user/logout`, { method: 'POST', headers })).status, 401);
  }
  assert.equal(await lifeOf(fixture, token), ALIVE, 'his other session');
});

test('a session ends after an hour of rest and after twelve hours in all', { timeout: 20_000 }, async (t) => {
  const fixture = await start(t);
  const { app, clock } = fixture;
  const user = app.services.store.config.view().users.get('anna') ?? assert.fail();
  const [busy, resting] = [await openSession(app, user), await openSession(app, user)];
  const admin = await signIn(app.origin);
  const adminIsIn = async (): Promise<boolean> =>
    (await fetch(`${app.origin}/api/admin/me`, jsonRequest('GET', `Bearer ${admin}`))).ok;
  const openedAt = clock.nowMs;
  clock.nowMs = openedAt + HOUR_MS - 1;
  assert.equal(await lifeOf(fixture, busy), ALIVE);
  assert.ok(await adminIsIn());
  clock.nowMs = openedAt + HOUR_MS;
  assert.equal(await lifeOf(fixture, resting), DEAD);
  while (clock.nowMs + 50 * MINUTE_MS < openedAt + 12 * HOUR_MS) {
    clock.nowMs += 50 * MINUTE_MS;
    assert.equal(await lifeOf(fixture, busy), ALIVE);
    assert.ok(await adminIsIn());
  }
  clock.nowMs = openedAt + 12 * HOUR_MS - 1;
  assert.equal(await lifeOf(fixture, busy), ALIVE);
  assert.ok(await adminIsIn());
  clock.nowMs = openedAt + 12 * HOUR_MS;
  assert.equal(await lifeOf(fixture, busy), DEAD);
  assert.ok(!(await adminIsIn()));
  clock.nowMs = openedAt;
  assert.equal(await lifeOf(fixture, busy), DEAD, 'for good, although the clock was set back');
});

test('sessions outlive a restart; the admin’s end with his name or password, for good', {
  timeout: 60_000,
}, async (t) => {
  const folder = makeTestFolder(t);
  const run = async (admin: { username: string; password: string }, body: (server: Run) => Promise<void>) => {
    const names = { UI_USERNAME: admin.username, UI_PASSWORD: admin.password };
    const env = { ...names, DB_PATH: join(folder, 'ipin.db'), SHUTDOWN_GRACE_MS: '0' };
    const server = await startServer(t, { folder, env });
    await body(runOf(server));
    assert.equal(await server.stop(), 0);
  };
  const tokens = { admin: '', unused: '', user: '', second: '' };
  const anna = { username: 'anna', password: 'anna has a password' };
  await run(ADMIN, async ({ login, call }) => {
    tokens.admin = await login(ADMIN);
    tokens.unused = await login(ADMIN);
    assert.equal((await call(tokens.admin, 'POST', '/api/admin/users', anna)).status, 201);
    tokens.user = await login(anna);
  });
  await run(ADMIN, async ({ isIn }) => {
    assert.deepEqual([await isIn('admin', tokens.admin), await isIn('user', tokens.user)], [true, true]);
  });
  await run({ ...ADMIN, password: 'a new password' }, async ({ isIn, login }) => {
    assert.deepEqual([await isIn('admin', tokens.admin), await isIn('user', tokens.user)], [false, true]);
    tokens.second = await login({ ...ADMIN, password: 'a new password' });
  });
  await run(ADMIN, async ({ isIn, login }) => {
    for (const token of [tokens.admin, tokens.unused, tokens.second])
      assert.equal(await isIn('admin', token), false);
    tokens.second = await login(ADMIN);
  });
  await run({ ...ADMIN, username: 'chief' }, async ({ isIn }) => {
    assert.deepEqual([await isIn('admin', tokens.second), await isIn('user', tokens.user)], [false, true]);
  });
});

interface Run {
  login(account: { username: string; password: string }): Promise<string>;
  call(token: string, method: string, path: string, body?: unknown): Promise<Response>;
  isIn(role: 'admin' | 'user', token: string): Promise<boolean>;
}

function runOf({ origin }: ServerProcess): Run {
  const call: Run['call'] = (token, method, path, body) =>
    fetch(origin + path, jsonRequest(method, `Bearer ${token}`, body));
  return {
    call,
    async login(account) {
      const answer = await fetch(`${origin}/api/login`, jsonRequest('POST', null, account));
      return ((await expectStatus(200, answer)) as { token: string }).token;
    },
    isIn: async (role, token) => (await call(token, 'GET', `/api/${role}/me`)).ok,
  };
}
