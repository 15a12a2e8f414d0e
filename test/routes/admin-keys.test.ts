import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestKey } from '../../src/auth/api-keys.ts';
import { keyHint } from '../../src/redaction.ts';
import { expectStatus, jsonRequest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import {
  type Fixture,
  onlyAdmin,
  runScenarios,
  type Scenario,
  startFixture,
  sweepFields,
} from './scenarios.ts';

const BASE = '/api/admin/apikeys';
const CUSTOM = 'my own key, 24+ characters long';

function keyByDigest(
  { app }: Fixture,
  key: string,
): { name: string; models: readonly string[] | null } | undefined {
  return app.services.store.config.view().apiKeyByDigest.get(digestKey(key));
}

const SCENARIOS: readonly Scenario[] = [
  ...onlyAdmin('GET', BASE),
  ...onlyAdmin('POST', BASE, { name: 'x' }),
  ...onlyAdmin('GET', `${BASE}/KEY`),
  ...onlyAdmin('PUT', `${BASE}/KEY`, { enabled: false }),
  ...onlyAdmin('DELETE', `${BASE}/KEY`),
  {
    name: 'the list, the master’s first',
    method: 'GET',
    path: BASE,
    status: 200,
    contains: ['{"data":[{"id":"master"', `"keyHint":"${keyHint(MASTER_KEY)}"`, '"lastUsedAt":null'],
    lacks: ['"key":'],
  },
  {
    name: 'one of them',
    method: 'GET',
    path: `${BASE}/KEY`,
    status: 200,
    has: { name: 'admin’s', enabled: true, models: null, userId: null, expiresAt: null, limits: null },
  },
  {
    name: 'the master’s',
    method: 'GET',
    path: `${BASE}/master`,
    status: 200,
    has: { id: 'master', enabled: true, models: null },
  },
  { name: 'an unknown one', method: 'GET', path: `${BASE}/nope`, status: 404, code: 'not_found' },
  {
    name: 'create with the least',
    method: 'POST',
    path: BASE,
    body: { name: 'new' },
    status: 201,
    has: {
      name: 'new',
      enabled: true,
      models: null,
      userId: null,
      expiresAt: null,
      limits: null,
      lastUsedAt: null,
    },
    contains: ['"key":"sk-'],
  },
  {
    name: 'create for a user',
    method: 'POST',
    path: BASE,
    body: { name: 'new', userId: 'USERID', models: ['m', 'a/b*'], expiresAt: '2031-01-31T12:00:00+02:00' },
    status: 201,
    has: { models: ['m', 'a/b*'], expiresAt: '2031-01-31T10:00:00.000Z' },
  },
  {
    name: 'create one’s own key',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: CUSTOM },
    status: 201,
    has: { key: CUSTOM, keyHint: keyHint(CUSTOM) },
    after: (fixture) => assert.equal(keyByDigest(fixture, CUSTOM)?.name, 'new'),
  },
  {
    name: 'an empty key: one is made',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: '' },
    status: 201,
    contains: ['"key":"sk-'],
  },
  {
    name: 'a list with repetitions',
    method: 'POST',
    path: BASE,
    body: { name: 'new', models: ['m', 'm', '*'] },
    status: 201,
    has: { models: ['m', '*'] },
  },
  {
    name: 'the empty list: no model at all',
    method: 'POST',
    path: BASE,
    body: { name: 'new', models: [] },
    status: 201,
    has: { models: [] },
  },
  {
    name: 'what is unknown: ignored',
    method: 'POST',
    path: BASE,
    body: { name: 'new', role: 'admin', isAdmin: true, id: 'mine', digest: 'x', createdAt: 'x' },
    status: 201,
    has: { role: undefined },
    lacks: ['"mine"'],
  },
  {
    name: 'no name',
    method: 'POST',
    path: BASE,
    body: {},
    status: 400,
    code: 'missing_required_parameter',
    param: 'name',
  },
  {
    name: 'a key of 23 characters',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: 'x'.repeat(23) },
    status: 400,
    code: 'invalid_value',
    param: 'key',
    lacks: ['xxxx'],
  },
  {
    name: 'a key of 257 characters',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: 'x'.repeat(257) },
    status: 400,
    code: 'invalid_value',
    param: 'key',
  },
  {
    name: 'a key with spaces at its ends',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: ` ${CUSTOM} ` },
    status: 400,
    code: 'invalid_value',
    param: 'key',
  },
  {
    name: 'a key beyond ASCII',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: 'é'.repeat(30) },
    status: 400,
    code: 'invalid_value',
    param: 'key',
  },
  {
    name: 'the master’s key once more',
    method: 'POST',
    path: BASE,
    body: { name: 'new', key: MASTER_KEY },
    status: 409,
    code: 'already_exists',
    param: 'key',
  },
  {
    name: 'a user that is not there',
    method: 'POST',
    path: BASE,
    body: { name: 'new', userId: 'nobody' },
    status: 400,
    code: 'invalid_value',
    param: 'userId',
  },
  {
    name: 'wider than its user',
    method: 'POST',
    path: BASE,
    body: { name: 'new', userId: 'USERID', models: ['other'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
  },
  {
    name: 'wider than its user, by a pattern',
    method: 'POST',
    path: BASE,
    body: { name: 'new', userId: 'USERID', models: ['*'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
  },
  {
    name: 'a time that is none',
    method: 'POST',
    path: BASE,
    body: { name: 'new', expiresAt: 'tomorrow' },
    status: 400,
    code: 'invalid_value',
    param: 'expiresAt',
  },
  {
    name: 'a model list with a star inside',
    method: 'POST',
    path: BASE,
    body: { name: 'new', models: ['a*b'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
  },
  {
    name: 'limits',
    method: 'POST',
    path: BASE,
    body: { name: 'new', limits: { rpm: 1 } },
    status: 201,
    has: {
      limits: {
        rpm: 1,
        tpm: null,
        concurrency: null,
        budgetUsd: null,
        budgetTokens: null,
        budgetPeriod: null,
        warnPercent: null,
        allowedIps: null,
      },
    },
  },
  {
    name: 'limits of nothing are none',
    method: 'POST',
    path: BASE,
    body: { name: 'new', limits: null },
    status: 201,
  },
  {
    name: 'limits all null are none',
    method: 'POST',
    path: BASE,
    body: { name: 'new', limits: { rpm: null, allowedIps: null } },
    status: 201,
    has: { limits: null },
  },
  {
    name: 'change',
    method: 'PUT',
    path: `${BASE}/KEY`,
    body: { name: 'other', enabled: false, models: ['m'], expiresAt: '2031-01-01' },
    status: 200,
    has: { name: 'other', enabled: false, models: ['m'], expiresAt: '2031-01-01T00:00:00.000Z' },
    lacks: ['"key":'],
  },
  {
    name: 'null opens again',
    method: 'PUT',
    path: `${BASE}/KEY`,
    body: { models: null, expiresAt: null, userId: null },
    status: 200,
    has: { models: null, expiresAt: null, userId: null },
  },
  {
    name: 'the key itself does not change',
    method: 'PUT',
    path: `${BASE}/KEY`,
    body: { key: CUSTOM, digest: 'x', keyHint: 'x', id: 'x' },
    status: 200,
    after: (fixture) => assert.equal(keyByDigest(fixture, CUSTOM), undefined),
  },
  { name: 'give it to a user', method: 'PUT', path: `${BASE}/KEY`, body: { userId: 'USERID' }, status: 200 },
  {
    name: 'give a user’s key more than the user has',
    method: 'PUT',
    path: `${BASE}/USERKEY`,
    body: { models: ['m', 'other'] },
    status: 400,
    code: 'invalid_value',
    param: 'models',
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
    name: 'delete',
    method: 'DELETE',
    path: `${BASE}/KEY`,
    status: 204,
    after: ({ app, keyId }) => assert.ok(!app.services.store.config.view().apiKeys.has(keyId)),
  },
  { name: 'delete an unknown one', method: 'DELETE', path: `${BASE}/nope`, status: 404, code: 'not_found' },
  {
    name: 'delete the master’s',
    method: 'DELETE',
    path: `${BASE}/master`,
    status: 403,
    code: 'master_key_protected',
  },
  {
    name: 'disable the master’s',
    method: 'PUT',
    path: `${BASE}/master`,
    body: { enabled: false },
    status: 403,
    code: 'master_key_protected',
  },
  {
    name: 'rename the master’s',
    method: 'PUT',
    path: `${BASE}/master`,
    body: { name: 'x' },
    status: 403,
    code: 'master_key_protected',
  },
];

test('API keys', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  const named = JSON.parse(JSON.stringify(SCENARIOS).replaceAll('USERID', fixture.userId)) as Scenario[];
  const scenarios = SCENARIOS.map((scenario, index) => ({ ...scenario, body: named[index]?.body }));
  await runScenarios(t, fixture, scenarios);
  await t.test('wrong values of every field do no harm', async () => {
    const fields = ['name', 'key', 'enabled', 'models', 'userId', 'expiresAt', 'limits', '__proto__'];
    await sweepFields(fixture, 'POST', BASE, { valid: { name: 'new' }, fields });
    await sweepFields(fixture, 'PUT', `${BASE}/KEY`, { valid: {}, fields });
  });
});

test('a key works from its making to its end, and tells when it was last used', {
  timeout: 30_000,
}, async (t) => {
  let time = Date.UTC(2026, 0, 1);
  const app = await startApp(t, { now: () => time });
  const create = await app.admin('POST', BASE, {
    name: 'mine',
    key: CUSTOM,
    expiresAt: '2026-01-01T01:00:00Z',
  });
  const { id } = (await expectStatus(201, create)) as { id: string };
  const use = async (): Promise<number> =>
    (await fetch(`${app.origin}/v1/models`, jsonRequest('GET', `Bearer ${CUSTOM}`))).status;
  const lastUsed = async (): Promise<unknown> =>
    ((await (await app.admin('GET', `${BASE}/${id}`)).json()) as { lastUsedAt: unknown }).lastUsedAt;
  assert.equal(await lastUsed(), null);
  assert.equal(await use(), 200);
  assert.equal(await lastUsed(), '2026-01-01T00:00:00.000Z');
  assert.equal((await app.admin('POST', BASE, { name: 'again', key: CUSTOM })).status, 409);
  await app.admin('PUT', `${BASE}/${id}`, { enabled: false });
  assert.equal(await use(), 401);
  await app.admin('PUT', `${BASE}/${id}`, { enabled: true });
  time += 30 * 60_000;
  assert.equal(await use(), 200);
  assert.equal(await lastUsed(), '2026-01-01T00:30:00.000Z');
  time += 30 * 60_000;
  assert.equal(await use(), 401);
  assert.equal(await lastUsed(), '2026-01-01T00:30:00.000Z');
  await app.admin('PUT', `${BASE}/${id}`, { expiresAt: null });
  assert.equal(await use(), 200);
  await app.admin('DELETE', `${BASE}/${id}`);
  assert.equal(await use(), 401);
});
