import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { type TestContext, test } from 'node:test';
import { PASSWORD_COST } from '../../src/auth/password-work.ts';
import { HttpError } from '../../src/errors.ts';
import { ADMIN, type AppUnderTest, jsonRequest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { addUser } from './quick-users.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WRONG = { ...ADMIN, password: 'not their password' };

/** How many scrypt jobs this process has begun: Node names them to async_hooks. */
function countScrypt(t: TestContext): () => number {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'SCRYPTREQUEST') count += 1;
    },
  });
  hook.enable();
  t.after(() => hook.disable());
  return () => count;
}

interface Flooded {
  readonly app: AppUnderTest;
  readonly clock: { nowMs: number };
  readonly scrypts: () => number;
}

async function start(t: TestContext, hops: number, passwordCost?: number): Promise<Flooded> {
  const clock = { nowMs: Date.UTC(2026, 2, 1) };
  const scrypts = countScrypt(t);
  const app = await startApp(t, {
    env: { TRUST_PROXY_HOPS: String(hops) },
    now: () => clock.nowMs,
    ...(passwordCost === undefined ? {} : { passwordCost }),
  });
  return { app, clock, scrypts };
}

/** Signs in; `forwardedFor` is what arrives, proxies' own entries included. */
async function login(
  app: AppUnderTest,
  account: { username: string; password: string },
  forwardedFor?: string,
): Promise<{ status: number; text: string; retryAfter: string | null }> {
  const request = jsonRequest('POST', null, account);
  const forwarded = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const headers = { ...request.headers, ...forwarded };
  const answer = await fetch(`${app.origin}/api/login`, { ...request, headers });
  return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('retry-after') };
}

const rotating = (index: number): string => `203.0.${index >> 8}.${index & 255}`;

interface Row {
  readonly name: string;
  readonly hops: number;
  /** What arrives from a guesser who writes another address each time. */
  readonly guesser: (index: number) => string;
  /** From where the admin himself comes. */
  readonly owner: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'one proxy',
    hops: 1,
    guesser: (index) => `${rotating(index)}, 198.51.100.7`,
    owner: '198.51.100.7, 192.0.2.1',
  },
  {
    name: 'two proxies',
    hops: 2,
    guesser: (index) => `${rotating(index)}, 198.51.100.7, 10.0.0.1`,
    owner: '198.51.100.7, 192.0.2.1, 10.0.0.1',
  },
];

for (const { name, hops, guesser, owner } of ROWS) {
  test(`behind ${name} ten guesses a minute are looked at, the admin gets in`, {
    timeout: 30_000,
  }, async (t) => {
    const { app, clock, scrypts } = await start(t, hops);
    assert.equal((await login(app, ADMIN, owner)).status, 200);
    const before = scrypts();
    // The second time around without most of the hashes, which take long.
    const spared = hops === 1 ? 0 : 8;
    for (let index = 0; index < spared; index += 1)
      await app.services.throttle.begin(ADMIN.username, '198.51.100.7');
    await flood(app, guesser, spared);
    assert.equal(scrypts() - before, 10 - spared, 'only so many passwords were hashed');
    assert.equal((await login(app, ADMIN, owner)).status, 200, 'from another address');
    assert.equal((await login(app, ADMIN, guesser(1))).status, 429, 'from the guesser’s');
    clock.nowMs += MINUTE_MS;
    assert.equal((await login(app, WRONG, guesser(2))).status, 401, 'a minute later');
  });
}

test('without a trusted proxy X-Forwarded-For says nothing', { timeout: 30_000 }, async (t) => {
  const { app, clock, scrypts } = await start(t, 0);
  const made = 6;
  for (let index = 0; index < made; index += 1)
    await app.services.throttle.begin(ADMIN.username, '127.0.0.1');
  await flood(app, rotating, made);
  // The admin’s own hash is one more.
  assert.equal(scrypts(), 10 - made + 1);
  clock.nowMs += MINUTE_MS;
  assert.equal((await login(app, ADMIN)).status, 200, 'nobody is locked out for good');
  // The admin's address is known from now on: other people’s names from there do not keep them out.
  for (let index = 0; index < 10; index += 1) await app.services.throttle.begin(`u${index}`, '127.0.0.1');
  assert.equal((await login(app, { ...WRONG, username: 'u10' })).status, 429);
  assert.equal((await login(app, ADMIN, rotating(1))).status, 200);
});

/** 30 wrong ones, then 200 under many names: the first ten are looked at. `made`: so many of them were made before. */
async function flood(app: AppUnderTest, forwardedFor: (index: number) => string, made = 0): Promise<void> {
  for (let index = made; index < 30; index += 1) {
    const { status, retryAfter, text } = await login(app, WRONG, forwardedFor(index));
    assert.equal(status, index < 10 ? 401 : 429, `${index}: ${text}`);
    if (status === 429) assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, `${retryAfter}`);
  }
  const more = Array.from({ length: 200 }, (_, index) =>
    login(
      app,
      { ...WRONG, username: index % 2 === 0 ? ADMIN.username : `user ${index}` },
      forwardedFor(index + 30),
    ),
  );
  for (const { status } of await Promise.all(more)) assert.equal(status, 429);
}

test('a flood of sign-ins at once leaves the API and the admin alone', { timeout: 30_000 }, async (t) => {
  const { app, scrypts } = await start(t, 1, PASSWORD_COST);
  assert.equal((await login(app, ADMIN, '192.0.2.1')).status, 200);
  const before = scrypts();
  const guesses = Array.from({ length: 150 }, (_, index) => login(app, WRONG, rotating(index)));
  const models = await fetch(`${app.origin}/v1/models`, jsonRequest('GET', `Bearer ${MASTER_KEY}`));
  assert.equal(models.status, 200);
  // At most one hash comes before the admin's: their address is known, so they wait in the trusted lane.
  assert.equal((await login(app, ADMIN, '192.0.2.1')).status, 200);
  const answers = await Promise.all(guesses);
  const looked = answers.filter(({ status }) => status === 401).length;
  // One is hashed and eight wait; where they arrive slowly, as many as may be tried at all.
  assert.ok(looked <= 10 && looked >= 1, `${looked} were looked at, the others turned away`);
  assert.ok(answers.every(({ status }) => status === 401 || status === 429));
  assert.equal(scrypts() - before, looked + 1);
});

test('above sixty a minute an account takes known addresses alone', { timeout: 30_000 }, async (t) => {
  const { app, clock, scrypts } = await start(t, 1);
  const [home, office] = ['192.0.2.1', '198.51.100.1'];
  for (const address of [home, office]) assert.equal((await login(app, ADMIN, address)).status, 200);
  const guess = async (first: number): Promise<void> => {
    // Fifty that cost no hash here: they are counted where all are.
    for (let index = 0; index < 50; index += 1) {
      await app.services.throttle.begin(ADMIN.username, rotating(first + index));
    }
    for (let index = 50; index < 52; index += 1) {
      const { status } = await login(app, WRONG, rotating(first + index));
      assert.equal(status, 401, String(index));
    }
    for (let index = 52; index < 60; index += 1) {
      await app.services.throttle.begin(ADMIN.username, rotating(first + index));
    }
    const before = scrypts();
    for (let index = 60; index < 75; index += 1) {
      assert.equal(
        (await login(app, ADMIN, rotating(first + index))).status,
        429,
        'a stranger who knows the password',
      );
    }
    assert.equal(scrypts(), before);
  };
  clock.nowMs += 29 * DAY_MS;
  await guess(0);
  assert.equal((await login(app, ADMIN, home)).status, 200);
  assert.equal(
    (await login(app, { ...WRONG, username: 'somebody' }, rotating(200))).status,
    401,
    'other accounts',
  );
  clock.nowMs += 2 * DAY_MS;
  await guess(1_000);
  assert.equal((await login(app, ADMIN, home)).status, 200, 'seen two days ago');
  assert.equal((await login(app, ADMIN, office)).status, 429, 'not seen for 31 days');
});

test('a name that nobody has costs the hash that a wrong password costs, and is answered the same', {
  timeout: 30_000,
}, async (t) => {
  const { app, scrypts } = await start(t, 1);
  await addUser(app, { id: 'anna' });
  await addUser(app, { id: 'otto', enabled: false });
  await login(app, ADMIN, '192.0.2.1');
  const texts = new Set<string>();
  const names = [ADMIN.username, 'anna', 'otto', 'nobody', '__proto__'];
  for (const [index, username] of names.entries()) {
    const before = scrypts();
    const { status, text } = await login(app, { username, password: 'a wrong one' }, rotating(index));
    assert.equal(status, 401, username);
    assert.equal(scrypts() - before, 1, username);
    texts.add(text);
  }
  assert.equal(texts.size, 1);
});

test('the throttle remembers ten thousand names and no more', { timeout: 30_000 }, async (t) => {
  const { app } = await start(t, 0);
  const { throttle } = app.services;
  const isHeld = async (account: string, address: string): Promise<boolean> => {
    try {
      await throttle.begin(account, address);
      return false;
    } catch (error) {
      assert.ok(error instanceof HttpError);
      return true;
    }
  };
  for (let index = 0; index < 10; index += 1) assert.ok(!(await isHeld('first', '192.0.2.1')));
  const name = (index: number): readonly [string, string] => [
    `user ${index}`,
    `2001:db8:${index.toString(16)}::1`,
  ];
  for (let index = 0; index < 9_999; index += 1) assert.ok(!(await isHeld(...name(index))));
  assert.ok(await isHeld('first', '192.0.2.1'), 'still remembered among ten thousand');
  for (let index = 10_000; index < 20_000; index += 1) assert.ok(!(await isHeld(...name(index))));
  assert.ok(!(await isHeld('first', '192.0.2.1')), 'forgotten after ten thousand others');
});
