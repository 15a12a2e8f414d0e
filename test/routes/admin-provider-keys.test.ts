import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHint } from '../../src/redaction.ts';
import type { Provider } from '../../src/store/entities.ts';
import { makeKey } from '../helpers/records.ts';
import { expectStatus } from '../helpers/start-app.ts';
import {
  type Fixture,
  onlyAdmin,
  PROVIDER_KEY,
  runScenarios,
  type Scenario,
  startFixture,
  sweepFields,
} from './scenarios.ts';

const BASE = '/api/admin/providers';
const KEYS = `${BASE}/many/keys`;
const SECRETS = { first: PROVIDER_KEY, second: `${PROVIDER_KEY}-second`, third: `${PROVIDER_KEY}-third` };
const ORIGIN = 'http://127.0.0.1:9';
const UNTESTED = { state: 'untested', restingUntil: null, lastUsedAt: null, lastError: null };
const HEALTH = {
  state: 'untested',
  since: null,
  restingUntil: null,
  requests5m: 0,
  errors5m: 0,
  ttftMs: { p50: null, p95: null },
  lastSuccessAt: null,
  lastError: null,
};
const FIRST = { id: 'key_1', hint: keyHint(SECRETS.first), enabled: true, ...UNTESTED };
const SECOND = { id: 'key_2', hint: keyHint(SECRETS.second), enabled: false, ...UNTESTED };
const LOCKED = { id: 'locked', hint: null, enabled: true, ...UNTESTED, state: 'unreadable' };

function provider({ app }: Fixture, id = 'many'): Provider {
  const found = app.services.store.config.view().providers.get(id);
  assert.ok(found !== undefined, `there is no provider ${id}`);
  return found;
}

/** The keys after a scenario, as `id:secret`; `new` stands for a new id. */
const leaves =
  (...expected: readonly string[]) =>
  (fixture: Fixture): void => {
    const shown = provider(fixture).keys.map(({ id, secret, unreadable }) => {
      const known = ['key_1', 'key_2', 'locked'].includes(id) ? id : 'new';
      return `${known}:${secret ?? unreadable}`;
    });
    assert.deepEqual(shown, expected);
  };

const ALL = [`key_1:${SECRETS.first}`, `key_2:${SECRETS.second}`, 'locked:v1.AAAA'] as const;

/** The requests to the list of keys. */
const LIST: readonly Scenario[] = [
  { name: 'the list', method: 'GET', path: KEYS, status: 200, has: { data: [FIRST, SECOND, LOCKED] } },
  {
    name: 'the list of a provider without keys',
    method: 'GET',
    path: `${BASE}/bare/keys`,
    status: 200,
    has: { data: [] },
  },
  {
    name: 'the list of an unknown provider',
    method: 'GET',
    path: `${BASE}/nope/keys`,
    status: 404,
    code: 'not_found',
  },
  {
    name: 'a provider shows its keys and its health',
    method: 'GET',
    path: `${BASE}/many`,
    status: 200,
    has: {
      apiKeyHint: FIRST.hint,
      apiKeyUnreadable: false,
      apiKeys: [FIRST, SECOND, LOCKED],
      health: HEALTH,
      keys: undefined,
    },
  },
  {
    name: 'add one',
    method: 'POST',
    path: KEYS,
    body: { apiKey: `  ${SECRETS.third}  `, id: 'own', enabled: false },
    status: 201,
    has: { hint: keyHint(SECRETS.third), enabled: true, ...UNTESTED },
    after: leaves(...ALL, `new:${SECRETS.third}`),
  },
  {
    name: 'add the first of a provider without keys',
    method: 'POST',
    path: `${BASE}/bare/keys`,
    body: { apiKey: SECRETS.first },
    status: 201,
    after: (fixture) => assert.equal(provider(fixture, 'bare').keys[0]?.secret, SECRETS.first),
  },
  ...[SECRETS.first, SECRETS.second].map(
    (apiKey): Scenario => ({
      name: `add one that is there (${apiKey.length})`,
      method: 'POST',
      path: KEYS,
      body: { apiKey },
      status: 409,
      code: 'already_exists',
      param: 'apiKey',
    }),
  ),
  ...[undefined, null, ''].map(
    (apiKey): Scenario => ({
      name: `add ${JSON.stringify(apiKey)}`,
      method: 'POST',
      path: KEYS,
      body: { apiKey },
      status: 400,
      code: 'missing_required_parameter',
      param: 'apiKey',
    }),
  ),
  ...['a\r\nX-Evil: 1', 'schlüssel', 'x'.repeat(4097), 7, [SECRETS.third], ' '].map(
    (apiKey): Scenario => ({
      name: `add ${JSON.stringify(apiKey).slice(0, 20)}`,
      method: 'POST',
      path: KEYS,
      body: { apiKey },
      status: 400,
      code: 'invalid_value',
      param: 'apiKey',
    }),
  ),
  {
    name: 'add to an unknown provider',
    method: 'POST',
    path: `${BASE}/nope/keys`,
    body: { apiKey: 'x' },
    status: 404,
    code: 'not_found',
  },
  {
    name: 'add the fiftieth',
    method: 'POST',
    path: `${BASE}/full/keys`,
    body: { apiKey: 'the-fiftieth-key' },
    status: 201,
    after: (fixture) => assert.equal(provider(fixture, 'full').keys.length, 50),
  },
  {
    name: 'add one more than fifty',
    method: 'POST',
    path: `${BASE}/overfull/keys`,
    body: { apiKey: 'the-fifty-first-key' },
    status: 400,
    code: 'invalid_value',
    param: 'apiKey',
    contains: ['at most 50 keys'],
  },
];

/** The requests to one key. */
const ONE: readonly Scenario[] = [
  {
    name: 'enable',
    method: 'PUT',
    path: `${KEYS}/key_2`,
    body: { enabled: true },
    status: 200,
    has: { ...SECOND, enabled: true },
    after: (fixture) => assert.equal(provider(fixture).keys[1]?.enabled, true),
  },
  {
    name: 'nothing given changes nothing',
    method: 'PUT',
    path: `${KEYS}/locked`,
    body: {},
    status: 200,
    has: LOCKED,
    after: leaves(...ALL),
  },
  {
    name: 'disable one that cannot be read: its ciphertext stays',
    method: 'PUT',
    path: `${KEYS}/locked`,
    body: { enabled: false },
    status: 200,
    has: { ...LOCKED, enabled: false },
    after: leaves(...ALL),
  },
  {
    name: 'enable with a text',
    method: 'PUT',
    path: `${KEYS}/key_2`,
    body: { enabled: 'yes' },
    status: 400,
    code: 'invalid_value',
    param: 'enabled',
  },
  {
    name: 'delete the first: the next becomes the first',
    method: 'DELETE',
    path: `${KEYS}/key_1`,
    status: 204,
    after: leaves(...ALL.slice(1)),
  },
  {
    name: 'delete one that cannot be read',
    method: 'DELETE',
    path: `${KEYS}/locked`,
    status: 204,
    after: leaves(...ALL.slice(0, 2)),
  },
  {
    name: 'wake a key',
    method: 'POST',
    path: `${KEYS}/key_1/wake`,
    body: {},
    status: 200,
    has: FIRST,
    after: leaves(...ALL),
  },
  {
    name: 'wake a provider',
    method: 'POST',
    path: `${BASE}/many/wake`,
    body: {},
    status: 200,
    has: { id: 'many', health: HEALTH, apiKeys: [FIRST, SECOND, LOCKED] },
  },
  ...(
    [
      ['PUT', `${KEYS}/nope`],
      ['DELETE', `${KEYS}/nope`],
      ['DELETE', `${KEYS}/__proto__`],
      ['POST', `${KEYS}/nope/wake`],
      ['PUT', `${BASE}/nope/keys/key_1`],
      ['DELETE', `${BASE}/nope/keys/key_1`],
      ['POST', `${BASE}/nope/keys/key_1/wake`],
      ['POST', `${BASE}/nope/wake`],
      ['DELETE', `${BASE}/bare/keys/key_1`],
    ] as const
  ).map(
    ([method, path]): Scenario => ({
      name: `${method} ${path}`,
      method,
      path,
      ...(method === 'DELETE' ? {} : { body: {} }),
      status: 404,
      code: 'not_found',
    }),
  ),
  {
    name: 'the health of all providers',
    method: 'GET',
    path: '/api/admin/health',
    status: 200,
    contains: [
      JSON.stringify({ providerId: 'up', ...HEALTH }),
      JSON.stringify({ providerId: 'many', ...HEALTH }),
    ],
  },
];

const changes = (name: string, body: object, after: Scenario['after'] = () => {}): Scenario => ({
  name,
  method: 'PUT',
  path: `${BASE}/many`,
  body,
  status: 200,
  after,
});

/** The field `apiKey` of a provider with several keys. */
const API_KEY_FIELD: readonly Scenario[] = [
  changes('a new apiKey takes the place of the first, under a new id', { apiKey: SECRETS.third }, (fixture) =>
    leaves(`new:${SECRETS.third}`, ...ALL.slice(1))(fixture),
  ),
  changes('the same apiKey in full counts as a new one', { apiKey: SECRETS.first }, (fixture) =>
    leaves(`new:${SECRETS.first}`, ...ALL.slice(1))(fixture),
  ),
  changes('null removes the first', { apiKey: null }, leaves(...ALL.slice(1))),
  changes('the hint leaves all', { apiKey: FIRST.hint }, leaves(...ALL)),
  changes('an empty one leaves all', { apiKey: '' }, leaves(...ALL)),
  changes('none leaves all', { name: 'Many', baseUrl: `${ORIGIN}/v2` }, leaves(...ALL)),
  {
    name: 'an apiKey that is another key of the provider',
    method: 'PUT',
    path: `${BASE}/many`,
    body: { apiKey: SECRETS.second },
    status: 409,
    code: 'already_exists',
    param: 'apiKey',
  },
  {
    name: 'the hint of another key is not a key',
    method: 'PUT',
    path: `${BASE}/many`,
    body: { baseUrl: 'https://h.example', apiKey: FIRST.hint },
    status: 400,
    code: 'api_key_required',
    param: 'apiKey',
  },
  ...['many', 'closed'].map(
    (id): Scenario => ({
      name: `a new host for the keys of ${id}`,
      method: 'PUT',
      path: `${BASE}/${id}`,
      body: { baseUrl: 'https://h.example' },
      status: 400,
      code: 'api_key_required',
      param: 'apiKey',
    }),
  ),
  changes(
    'at a new host the new apiKey replaces all keys',
    { baseUrl: 'https://h.example', apiKey: SECRETS.second },
    leaves(`new:${SECRETS.second}`),
  ),
  changes('at a new host null removes all keys', { baseUrl: 'https://h.example', apiKey: null }, leaves()),
];

test('the keys of a provider', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  const { app } = fixture;
  const keys = [
    makeKey({ secret: SECRETS.first }),
    makeKey({ id: 'key_2', secret: SECRETS.second, enabled: false }),
    makeKey({ id: 'locked', unreadable: 'v1.AAAA' }),
  ];
  const some = (count: number): Provider['keys'] =>
    Array.from({ length: count }, (_, index) =>
      makeKey({ id: `k${index}`, secret: `secret-number-${index}` }),
    );
  await app.addProvider({ id: 'many', baseUrl: `${ORIGIN}/v1`, keys }, []);
  await app.addProvider({ id: 'closed', baseUrl: ORIGIN, unreadable: 'v1.AAAA' }, []);
  await app.addProvider({ id: 'full', baseUrl: ORIGIN, keys: some(49) }, []);
  await app.addProvider({ id: 'overfull', baseUrl: ORIGIN, keys: some(50) }, []);
  await runScenarios(t, fixture, [
    ...onlyAdmin('GET', KEYS),
    ...onlyAdmin('POST', KEYS, { apiKey: 'x' }),
    ...onlyAdmin('PUT', `${KEYS}/key_1`, { enabled: false }),
    ...onlyAdmin('DELETE', `${KEYS}/key_1`),
    ...onlyAdmin('POST', `${KEYS}/key_1/wake`, {}),
    ...onlyAdmin('POST', `${BASE}/many/wake`, {}),
    ...onlyAdmin('GET', '/api/admin/health'),
    ...LIST,
    ...ONE,
    ...API_KEY_FIELD,
  ]);
  await t.test('wrong values of every field do no harm', async () => {
    await sweepFields(fixture, 'POST', KEYS, { valid: {}, fields: ['apiKey', '__proto__'] });
    await sweepFields(fixture, 'PUT', `${KEYS}/key_1`, { valid: {}, fields: ['enabled', 'id', 'apiKey'] });
  });
  await t.test('parallel additions of the same key make one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => fixture.as('admin', 'POST', KEYS, { apiKey: 'the-same-key-again' })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    await Promise.all(answers.map((answer) => answer.text()));
    assert.deepEqual(statuses, [201, 409, 409, 409, 409]);
  });
  await t.test('each key that is added has an id of its own', async () => {
    const ids = new Set<string>();
    for (const round of [1, 2, 3]) {
      const answer = await fixture.as('admin', 'POST', KEYS, { apiKey: 'a-key-that-comes-and-goes' });
      const { id } = (await expectStatus(201, answer)) as { id: string };
      assert.match(id, /^key_[\w-]{12}$/);
      ids.add(id);
      assert.equal(ids.size, round);
      await expectStatus(204, await fixture.as('admin', 'DELETE', `${KEYS}/${id}`));
    }
  });
});
