import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, jsonRequest } from '../helpers/start-app.ts';
import {
  type Fixture,
  onlyAdmin,
  runScenarios,
  type Scenario,
  startFixture,
  sweepFields,
  USER_PASSWORD,
} from './scenarios.ts';

const BASE = '/api/admin/users';
const NEW = { username: 'bert', password: 'a long password' };

const stored = ({ app, userId }: Fixture) => app.services.store.config.view().users.get(userId);

const SCENARIOS: readonly Scenario[] = [
  ...onlyAdmin('GET', BASE),
  ...onlyAdmin('POST', BASE, NEW),
  ...onlyAdmin('GET', `${BASE}/USER`),
  ...onlyAdmin('PUT', `${BASE}/USER`, { name: 'x' }),
  ...onlyAdmin('DELETE', `${BASE}/USER`),
  {
    name: 'the list',
    method: 'GET',
    path: BASE,
    status: 200,
    contains: ['"username":"anna"', '"models":["m","a/*"]', '"limits":null'],
    lacks: ['assword'],
  },
  {
    name: 'one of them',
    method: 'GET',
    path: `${BASE}/USER`,
    status: 200,
    has: { username: 'anna', name: 'anna', enabled: true, models: ['m', 'a/*'], limits: null },
    lacks: ['assword'],
  },
  { name: 'an unknown one', method: 'GET', path: `${BASE}/nope`, status: 404, code: 'not_found' },
  {
    name: 'create with the least',
    method: 'POST',
    path: BASE,
    body: NEW,
    status: 201,
    has: {
      username: 'bert',
      name: 'bert',
      enabled: true,
      models: null,
      limits: null,
      role: undefined,
      password: undefined,
    },
    lacks: ['a long password'],
  },
  {
    name: 'create with everything',
    method: 'POST',
    path: BASE,
    body: { ...NEW, name: 'Bert B.', enabled: false, models: ['m'] },
    status: 201,
    has: { name: 'Bert B.', enabled: false, models: ['m'] },
  },
  {
    name: 'what is unknown: ignored',
    method: 'POST',
    path: BASE,
    body: { ...NEW, role: 'admin', isAdmin: true, id: 'mine', passwordHash: 'x', createdAt: 'x' },
    status: 201,
    has: { role: undefined, isAdmin: undefined },
    lacks: ['"mine"'],
  },
  {
    name: 'no username',
    method: 'POST',
    path: BASE,
    body: { password: NEW.password },
    status: 400,
    code: 'missing_required_parameter',
    param: 'username',
  },
  {
    name: 'no password',
    method: 'POST',
    path: BASE,
    body: { username: 'bert' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'password',
  },
  {
    name: 'a password of 7 characters',
    method: 'POST',
    path: BASE,
    body: { ...NEW, password: '1234567' },
    status: 400,
    code: 'invalid_value',
    param: 'password',
    lacks: ['1234567'],
  },
  {
    name: 'a password of 129 characters',
    method: 'POST',
    path: BASE,
    body: { ...NEW, password: 'x'.repeat(129) },
    status: 400,
    code: 'invalid_value',
    param: 'password',
  },
  {
    name: 'a password that is a number',
    method: 'POST',
    path: BASE,
    body: { ...NEW, password: 12345678 },
    status: 400,
    code: 'invalid_value',
    param: 'password',
  },
  {
    name: 'a username that is taken',
    method: 'POST',
    path: BASE,
    body: { ...NEW, username: 'anna' },
    status: 409,
    code: 'already_exists',
    param: 'username',
  },
  {
    name: 'a username that is taken in other letters',
    method: 'POST',
    path: BASE,
    body: { ...NEW, username: 'ANNA' },
    status: 409,
    code: 'already_exists',
    param: 'username',
  },
  {
    name: 'the admin’s username',
    method: 'POST',
    path: BASE,
    body: { ...NEW, username: ADMIN.username },
    status: 409,
    code: 'already_exists',
    param: 'username',
  },
  {
    name: 'the admin’s username in other letters',
    method: 'POST',
    path: BASE,
    body: { ...NEW, username: ADMIN.username.toUpperCase() },
    status: 409,
    code: 'already_exists',
  },
  {
    name: 'limits',
    method: 'POST',
    path: BASE,
    body: { ...NEW, limits: { budgetUsd: 1 } },
    status: 201,
    has: {
      limits: {
        rpm: null,
        tpm: null,
        concurrency: null,
        budgetUsd: 1,
        budgetTokens: null,
        budgetPeriod: 'month',
        warnPercent: null,
        allowedIps: null,
      },
    },
  },
  {
    name: 'change',
    method: 'PUT',
    path: `${BASE}/USER`,
    body: { username: 'berta', name: 'B', models: null, enabled: false },
    status: 200,
    has: { username: 'berta', name: 'B', models: null, enabled: false },
  },
  {
    name: 'the id and the hash do not change',
    method: 'PUT',
    path: `${BASE}/USER`,
    body: { id: 'x', passwordHash: 'x', createdAt: 'x' },
    status: 200,
    after: (fixture) => assert.match(stored(fixture)?.passwordHash ?? '', /^scrypt\$/),
  },
  {
    name: 'an empty password leaves it',
    method: 'PUT',
    path: `${BASE}/USER`,
    body: { password: '' },
    status: 200,
  },
  {
    name: 'change to the admin’s username',
    method: 'PUT',
    path: `${BASE}/USER`,
    body: { username: ADMIN.username },
    status: 409,
    code: 'already_exists',
  },
  {
    name: 'change an unknown one',
    method: 'PUT',
    path: `${BASE}/nope`,
    body: {},
    status: 404,
    code: 'not_found',
  },
  {
    name: 'delete takes their keys along',
    method: 'DELETE',
    path: `${BASE}/USER`,
    status: 204,
    after: ({ app, userId, userKeyId, keyId }) => {
      const { users, apiKeys } = app.services.store.config.view();
      assert.deepEqual([users.has(userId), apiKeys.has(userKeyId), apiKeys.has(keyId)], [false, false, true]);
    },
  },
  { name: 'delete an unknown one', method: 'DELETE', path: `${BASE}/nope`, status: 404, code: 'not_found' },
];

test('users', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  // A deleted or disabled user's session ends for good, so these scenarios need it no more.
  await runScenarios(t, fixture, SCENARIOS);
  await t.test('wrong values of every field do no harm', async () => {
    const fields = ['username', 'name', 'enabled', 'models', 'limits', 'role', '__proto__'];
    await sweepFields(fixture, 'PUT', `${BASE}/USER`, { valid: {}, fields: [...fields, 'password'] });
    // What is right about the rest would cost a scrypt each time: a password that is wrong comes last.
    for (const field of fields) {
      for (const value of [null, [], {}, 5, '', '__proto__', 'x'.repeat(100_000)]) {
        const answer = await fixture.as('admin', 'POST', BASE, {
          username: 'new',
          password: 'short',
          [field]: value,
        });
        assert.equal(answer.status, 400, field);
      }
    }
  });
});

test('a user’s sessions end with their password, their right or themselves', {
  timeout: 30_000,
}, async (t) => {
  const fixture = await startFixture(t);
  const { app, as, userId } = fixture;
  const signIn = async (password: string): Promise<string | null> => {
    const answer = await fetch(
      `${app.origin}/api/user/login`,
      jsonRequest('POST', null, { username: 'anna', password }),
    );
    return answer.status === 200 ? ((await answer.json()) as { token: string }).token : null;
  };
  const isIn = async (token: string | null): Promise<boolean> =>
    (await fetch(`${app.origin}/api/user/me`, jsonRequest('GET', `Bearer ${token}`))).status === 200;
  const first = await signIn(USER_PASSWORD);
  assert.ok(await isIn(first));
  await as('admin', 'PUT', `${BASE}/${userId}`, { password: 'another long one' });
  assert.ok(!(await isIn(first)));
  assert.equal(await signIn(USER_PASSWORD), null);
  const second = await signIn('another long one');
  assert.ok(await isIn(second));
  await as('admin', 'PUT', `${BASE}/${userId}`, { enabled: false });
  // Not used while its user was disabled, so `resolve` had no occasion to end it.
  assert.equal(await signIn('another long one'), null);
  await as('admin', 'PUT', `${BASE}/${userId}`, { enabled: true });
  assert.ok(!(await isIn(second)), 'a session does not come back to life');
  const third = await signIn('another long one');
  await as('admin', 'DELETE', `${BASE}/${userId}`);
  assert.ok(!(await isIn(third)));
});
