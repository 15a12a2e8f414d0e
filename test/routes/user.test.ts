import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawClient } from '../helpers/raw-socket.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { runScenarios, type Scenario, startFixture, sweepFields, USER_PASSWORD } from './scenarios.ts';

const KEYS = '/api/user/apikeys';
const as = 'user' as const;

/** His own, and nothing else. */
const SCENARIOS: readonly Scenario[] = [
  ...(['nobody', 'user key', 'master key'] as const).map(
    (role): Scenario => ({
      name: `as ${role}`,
      as: role,
      method: 'GET',
      path: '/api/user/me',
      status: 401,
      code: 'not_signed_in',
    }),
  ),
  { name: 'as admin', as: 'admin', method: 'GET', path: '/api/user/me', status: 403, code: 'forbidden' },
  {
    name: 'who they are',
    as,
    method: 'GET',
    path: '/api/user/me',
    status: 200,
    has: { username: 'anna', name: 'anna', role: 'user', models: ['m', 'a/b:1'], limits: null },
  },
  {
    name: 'their models',
    as,
    method: 'GET',
    path: '/api/user/models',
    status: 200,
    contains: ['"id":"m"', '"id":"a/b:1"', '"price":null'],
    lacks: ['upstream', '"other"', 'providerId'],
  },
  {
    name: 'their models as admin',
    as: 'admin',
    method: 'GET',
    path: '/api/user/models',
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'their keys',
    as,
    method: 'GET',
    path: KEYS,
    status: 200,
    contains: ['anna’s'],
    lacks: ['admin’s', 'master'],
  },
  {
    name: 'one of their keys',
    as,
    method: 'GET',
    path: `${KEYS}/USERKEY`,
    status: 200,
    has: { name: 'anna’s' },
  },
  { name: 'one of another', as, method: 'GET', path: `${KEYS}/KEY`, status: 404, code: 'not_found' },
  { name: 'the master’s', as, method: 'GET', path: `${KEYS}/master`, status: 404, code: 'not_found' },
  {
    name: 'change one of another',
    as,
    method: 'PUT',
    path: `${KEYS}/KEY`,
    body: { enabled: false },
    status: 404,
    code: 'not_found',
  },
  {
    name: 'delete one of another',
    as,
    method: 'DELETE',
    path: `${KEYS}/KEY`,
    status: 404,
    code: 'not_found',
  },
  {
    name: 'create',
    as,
    method: 'POST',
    path: KEYS,
    body: { name: 'mine', models: ['a/b:1'] },
    status: 201,
    has: { name: 'mine', models: ['a/b:1'] },
    contains: ['"key":"sk-'],
  },
  {
    name: 'create for somebody else: ignored',
    as,
    method: 'POST',
    path: KEYS,
    body: { name: 'mine', userId: null },
    status: 201,
    after: ({ app, userId }) =>
      assert.equal([...app.services.store.config.view().apiKeys.values()].at(-1)?.userId, userId),
  },
  {
    name: 'create wider than their rights',
    as,
    method: 'POST',
    path: KEYS,
    body: { name: 'mine', models: ['other'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
  },
  {
    name: 'widen beyond their rights',
    as,
    method: 'PUT',
    path: `${KEYS}/USERKEY`,
    body: { models: ['*'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
  },
  {
    name: 'change',
    as,
    method: 'PUT',
    path: `${KEYS}/USERKEY`,
    body: { name: 'new name', userId: null, enabled: false },
    status: 200,
    has: { name: 'new name', enabled: false },
    after: ({ app, userId, userKeyId }) =>
      assert.equal(app.services.store.config.view().apiKeys.get(userKeyId)?.userId, userId),
  },
  { name: 'delete', as, method: 'DELETE', path: `${KEYS}/USERKEY`, status: 204 },
  {
    name: 'a wrong password',
    as,
    method: 'PUT',
    path: '/api/user/password',
    body: { currentPassword: 'wrong', newPassword: 'long enough' },
    status: 401,
    code: 'invalid_credentials',
    param: 'currentPassword',
  },
  {
    name: 'too short a password',
    as,
    method: 'PUT',
    path: '/api/user/password',
    body: { currentPassword: USER_PASSWORD, newPassword: 'short' },
    status: 400,
    code: 'invalid_value',
    param: 'newPassword',
  },
  {
    name: 'no old password',
    as,
    method: 'PUT',
    path: '/api/user/password',
    body: { newPassword: 'long enough' },
    status: 400,
    code: 'missing_required_parameter',
    param: 'currentPassword',
  },
];

test('the user’s own routes', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  await runScenarios(t, fixture, SCENARIOS);
  await t.test('wrong values of every field do no harm', async () => {
    const asUser = {
      ...fixture,
      as: (_role: unknown, method: string, path: string, body?: unknown) =>
        fixture.as('user', method, path, body),
    };
    const fields = ['name', 'key', 'enabled', 'models', 'expiresAt', 'limits', 'userId', '__proto__'];
    await sweepFields(asUser, 'POST', KEYS, { valid: { name: 'new' }, fields });
    await sweepFields(asUser, 'PUT', `${KEYS}/USERKEY`, { valid: {}, fields });
  });
});

test('a new password ends the other sessions, not this one', { timeout: 30_000 }, async (t) => {
  const { app, as: call } = await startFixture(t);
  const login = { username: 'anna', password: USER_PASSWORD };
  const other = (await expectStatus(
    200,
    await fetch(`${app.origin}/api/user/login`, jsonRequest('POST', null, login)),
  )) as { token: string };
  const change = await call('user', 'PUT', '/api/user/password', {
    currentPassword: USER_PASSWORD,
    newPassword: 'another long one',
  });
  assert.equal(change.status, 200);
  assert.equal((await call('user', 'GET', '/api/user/me')).status, 200);
  assert.equal(
    (await fetch(`${app.origin}/api/user/me`, jsonRequest('GET', `Bearer ${other.token}`))).status,
    401,
  );
  assert.equal((await fetch(`${app.origin}/api/user/login`, jsonRequest('POST', null, login))).status, 401);
});

test('no user has more than a hundred keys', { timeout: 30_000 }, async (t) => {
  const { app, as: call, userId } = await startFixture(t);
  for (let count = 1; count < 100; count += 1) await app.addKey({ userId });
  const refused = await call('user', 'POST', KEYS, { name: 'one too many' });
  assert.equal(refused.status, 400);
});

test('a password that the admin has set meanwhile stays, and so do the sessions that it ended', {
  timeout: 30_000,
}, async (t) => {
  const { app, as: call, userId } = await startFixture(t);
  const token = await signIn(app.origin, { username: 'anna', password: USER_PASSWORD });
  const client = rawClient(t, app.port);
  const body = JSON.stringify({ currentPassword: USER_PASSWORD, newPassword: 'taken over again' });
  const head = [
    'PUT /api/user/password HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Expect: 100-continue',
  ];
  client.write(`${head.join('\r\n')}\r\n\r\n`);
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  const reset = { password: 'set by the admin' };
  await expectStatus(200, await call('admin', 'PUT', `/api/admin/users/${userId}`, reset));
  client.write(body);
  const [answer] = await client.answers(1);
  assert.equal(answer?.status, 401);
  assert.match(String(answer?.body), /"code":"invalid_credentials"/);
  const login = (password: string) =>
    fetch(`${app.origin}/api/login`, jsonRequest('POST', null, { username: 'anna', password }));
  assert.deepEqual(
    [(await login(reset.password)).status, (await login('taken over again')).status],
    [200, 401],
  );
  const me = await fetch(`${app.origin}/api/user/me`, jsonRequest('GET', `Bearer ${token}`));
  assert.equal(me.status, 401);
});

test('the models of a user have the price of the provider that is asked first', async (t) => {
  const { app, as: call } = await startFixture(t);
  const fallbacks = [{ providerId: 'up', upstreamModel: 'helper', price: { inputPerMTok: 1 } }];
  const model = { price: { inputPerMTok: 2, outputPerMTok: 10 }, fallbacks, vision: true };
  for (const [id, providerId] of [
    ['a/first', 'up'],
    ['a/second', 'bare'],
    ['b', 'up'],
  ])
    await expectStatus(
      201,
      await app.admin('POST', '/api/admin/models', { ...model, id, name: 'N', providerId }),
    );
  await expectStatus(200, await app.admin('PUT', '/api/admin/providers/bare', { enabled: false }));
  const { data } = (await expectStatus(200, await call('user', 'GET', '/api/user/models'))) as {
    data: { id: string; name: string; vision: boolean; price: Record<string, unknown> | null }[];
  };
  assert.deepEqual(
    data.map(({ id, name, vision, price }) => [
      id,
      name,
      vision,
      price?.['inputPerMTok'],
      price?.['outputPerMTok'],
    ]),
    [
      ['m', 'm', false, undefined, undefined],
      ['a/b:1', 'a/b:1', false, undefined, undefined],
      ['a/first', 'N', true, 2, 10],
      ['a/second', 'N', true, 1, null],
    ],
  );
});
