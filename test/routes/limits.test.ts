import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLimits } from '../helpers/limited-keys.ts';
import { ROLES, type Role, runScenarios, type Scenario, startFixture } from './scenarios.ts';

const KEYS = '/api/admin/apikeys';
const USERS = '/api/admin/users';
const OWN = '/api/user/apikeys';
const NO_USE = { costUsd: 0, tokens: 0, requests: 0, grantedUsd: 0, grantedTokens: 0 };

/** What a value of `limits` becomes. */
const TAKEN: readonly (readonly [string, unknown, unknown])[] = [
  ['null', null, null],
  ['nothing', {}, null],
  ['what is unknown', { rps: 5 }, null],
  ['nulls', { rpm: null, budgetPeriod: null, allowedIps: null }, null],
  ['what an empty form sends', { rpm: '', budgetUsd: '', allowedIps: [] }, null],
  ['one limit', { rpm: 60 }, makeLimits({ rpm: 60 })],
  ['a budget: by month', { budgetUsd: 0.5 }, makeLimits({ budgetUsd: 0.5, budgetPeriod: 'month' })],
  [
    'a budget in tokens: by month',
    { budgetTokens: 9 },
    makeLimits({ budgetTokens: 9, budgetPeriod: 'month' }),
  ],
  [
    'a budget with a period',
    { budgetUsd: 20, budgetPeriod: 'total', warnPercent: 100 },
    makeLimits({ budgetUsd: 20, budgetPeriod: 'total', warnPercent: 100 }),
  ],
  [
    'addresses',
    {
      allowedIps: [' 192.0.2.7 ', '10.0.0.0/8', '2001:db8::/32', '::ffff:192.0.2.1', '::1/128', '0.0.0.0/0'],
    },
    makeLimits({
      allowedIps: ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '::ffff:192.0.2.1', '::1/128', '0.0.0.0/0'],
    }),
  ],
];

const REFUSED: readonly (readonly [unknown, string])[] = [
  ['60', 'limits'],
  [[], 'limits'],
  [7, 'limits'],
  ...[0, -1, 1.5, '60', true, 1e9, {}].map((value) => [{ rpm: value }, 'limits.rpm'] as const),
  [{ tpm: 0 }, 'limits.tpm'],
  [{ concurrency: 0 }, 'limits.concurrency'],
  [{ budgetUsd: 0 }, 'limits.budgetUsd'],
  [{ budgetUsd: -1 }, 'limits.budgetUsd'],
  [{ budgetUsd: 1e-12 }, 'limits.budgetUsd'],
  [{ budgetUsd: 1e9 }, 'limits.budgetUsd'],
  [{ budgetTokens: 0 }, 'limits.budgetTokens'],
  [{ budgetUsd: 1, budgetPeriod: 'year' }, 'limits.budgetPeriod'],
  [{ warnPercent: 0 }, 'limits.warnPercent'],
  [{ warnPercent: 101 }, 'limits.warnPercent'],
  ...[
    'x',
    '',
    '1.2.3',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '::1/129',
    '10.0.0.0/08',
    'fe80::1%eth0',
  ].map((address) => [{ allowedIps: [address] }, 'limits.allowedIps'] as const),
  [{ allowedIps: '10.0.0.0/8' }, 'limits.allowedIps'],
  [{ allowedIps: [7] }, 'limits.allowedIps'],
  [{ allowedIps: Array.from({ length: 257 }, () => '::1') }, 'limits.allowedIps'],
];

const READING: readonly Scenario[] = TAKEN.flatMap(([name, limits, expected]) => [
  {
    name: `${name}, of a new key`,
    method: 'POST',
    path: KEYS,
    body: { name: 'new', limits },
    status: 201,
    has: { limits: expected },
  },
  {
    name: `${name}, of a key`,
    method: 'PUT',
    path: `${KEYS}/KEY`,
    body: { limits },
    status: 200,
    has: { limits: expected },
  },
  {
    name: `${name}, of a user’s own key`,
    as: 'user',
    method: 'PUT',
    path: `${OWN}/USERKEY`,
    body: { limits },
    status: 200,
    has: { limits: expected },
  },
  {
    name: `${name}, of a user`,
    method: 'PUT',
    path: `${USERS}/USER`,
    body: { limits },
    status: 200,
    has: { limits: expected },
  },
]);

const REFUSING: readonly Scenario[] = REFUSED.flatMap(([limits, param]) =>
  [`${KEYS}/KEY`, `${USERS}/USER`].map(
    (path): Scenario => ({
      name: `${JSON.stringify(limits).slice(0, 60)} at ${path}`,
      method: 'PUT',
      path,
      body: { limits },
      status: 400,
      code: 'invalid_value',
      param,
    }),
  ),
);

/** Grants and resets, for the key and for the user. */
const BUDGETS: readonly Scenario[] = [`${KEYS}/KEY`, `${USERS}/USER`].flatMap((path): Scenario[] => [
  {
    name: `a grant at ${path}`,
    method: 'POST',
    path: `${path}/grant`,
    body: { usd: 2.5, tokens: 100 },
    status: 200,
    contains: ['"period":"month"', '"grantedUsd":2.5', '"grantedTokens":100'],
  },
  {
    name: 'another one adds to it',
    method: 'POST',
    path: `${path}/grant`,
    body: { usd: 0.5 },
    status: 200,
    contains: ['"grantedUsd":3', '"grantedTokens":100'],
  },
  {
    name: 'a reset ends them',
    method: 'POST',
    path: `${path}/usage-reset`,
    status: 200,
    contains: ['"grantedUsd":0', '"grantedTokens":0'],
  },
  ...[{ usd: 0 }, { usd: -1 }, { usd: '5' }, { tokens: 0 }, { tokens: 1.5 }].map(
    (body): Scenario => ({
      name: `a grant of ${JSON.stringify(body)}`,
      method: 'POST',
      path: `${path}/grant`,
      body,
      status: 400,
      code: 'invalid_value',
      param: Object.keys(body)[0] ?? null,
    }),
  ),
  {
    name: 'a grant of nothing',
    method: 'POST',
    path: `${path}/grant`,
    body: {},
    status: 400,
    code: 'missing_required_parameter',
    param: 'usd',
  },
  ...['grant', 'usage-reset'].flatMap((action) => [
    ...ROLES.filter((role) => role !== 'admin').map(
      (role: Role): Scenario => ({
        name: `${action} as ${role}`,
        as: role,
        method: 'POST',
        path: `${path}/${action}`,
        body: { usd: 1 },
        status: role === 'user' ? 403 : 401,
        code: role === 'user' ? 'forbidden' : 'not_signed_in',
      }),
    ),
    {
      name: `${action} of somebody who is not there`,
      method: 'POST',
      path: `${path}nope/${action}`,
      body: { usd: 1 },
      status: 404,
      code: 'not_found',
    },
  ]),
]);

const MASTER: readonly Scenario[] = ['grant', 'usage-reset'].map((action) => ({
  name: `${action} of the master key`,
  method: 'POST',
  path: `${KEYS}/master/${action}`,
  body: { usd: 1 },
  status: 403,
  code: 'master_key_protected',
}));

test('limits in the API', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  await runScenarios(t, fixture, [...READING, ...REFUSING, ...BUDGETS, ...MASTER]);
});

test('keys that users make are bound by the limits of their users', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  const limits = { rpm: 60, tpm: 1000, concurrency: 4, budgetUsd: 20, budgetTokens: 500 };
  assert.equal((await fixture.as('admin', 'PUT', `${USERS}/${fixture.userId}`, { limits })).status, 200);
  const loose = { rpm: 61, tpm: 1001, concurrency: 5, budgetUsd: 20.01, budgetTokens: 501 };
  await runScenarios(t, fixture, [
    ...Object.entries(loose).flatMap(([name, value]): Scenario[] => [
      {
        name: `${name} of a new key`,
        as: 'user',
        method: 'POST',
        path: OWN,
        body: { name: 'new', limits: { [name]: value } },
        status: 400,
        code: 'invalid_value',
        param: `limits.${name}`,
      },
      {
        name: `${name} of a key`,
        as: 'user',
        method: 'PUT',
        path: `${OWN}/USERKEY`,
        body: { limits: { [name]: value } },
        status: 400,
        code: 'invalid_value',
        param: `limits.${name}`,
      },
      {
        name: `${name} that the admin gives`,
        method: 'PUT',
        path: `${KEYS}/USERKEY`,
        body: { limits: { [name]: value } },
        status: 200,
      },
    ]),
    { name: 'the same', as: 'user', method: 'POST', path: OWN, body: { name: 'new', limits }, status: 201 },
    {
      name: 'another period',
      as: 'user',
      method: 'POST',
      path: OWN,
      body: { name: 'new', limits: { budgetUsd: 90, budgetPeriod: 'total' } },
      status: 201,
    },
    { name: 'none', as: 'user', method: 'POST', path: OWN, body: { name: 'new' }, status: 201 },
  ]);
  await fixture.app.services.changeConfig((state) => {
    const key = state.apiKeys.get(fixture.userKeyId) ?? assert.fail();
    const apiKeys = new Map(state.apiKeys).set(key.id, { ...key, limits: makeLimits({ rpm: 1000 }) });
    return { state: { ...state, apiKeys }, result: null };
  });
  await runScenarios(t, fixture, [
    {
      name: 'a name changes although the limits are looser',
      as: 'user',
      method: 'PUT',
      path: `${OWN}/USERKEY`,
      body: { name: 'mine' },
      status: 200,
    },
  ]);
});

test('limits and use are shown to those whom they concern', { timeout: 60_000 }, async (t) => {
  const { as, keyId, userId, userKeyId } = await startFixture(t);
  const limits = makeLimits({ rpm: 5, budgetUsd: 3, budgetPeriod: 'total' });
  for (const path of [`${USERS}/${userId}`, `${KEYS}/${userKeyId}`])
    await as('admin', 'PUT', path, { limits });
  const usage = { period: 'total', resetsAt: null, ...NO_USE };
  const members = async (role: Role, path: string): Promise<unknown> => (await as(role, 'GET', path)).json();
  const me = await members('user', '/api/user/me');
  assert.deepEqual(pick(me), { limits, usage });
  assert.deepEqual(pick(await members('user', `${OWN}/${userKeyId}`)), { limits, usage });
  assert.deepEqual(pick(await members('admin', `${USERS}/${userId}`)), { limits, usage });
  const { usage: monthly } = pick(await members('admin', `${KEYS}/${keyId}`));
  assert.match(JSON.stringify(monthly), /^\{"period":"month","resetsAt":"\d{4}-\d\d-01T00:00:00\.000Z",/);
  assert.match(JSON.stringify(await members('admin', KEYS)), /"id":"master".*"usage":\{"period":"month"/);
});

function pick(value: unknown): { limits: unknown; usage: unknown } {
  const { limits, usage } = value as { limits: unknown; usage: unknown };
  return { limits, usage };
}
