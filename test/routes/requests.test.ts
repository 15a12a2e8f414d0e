import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { makeAttempt, makeEntry, makeUsage } from '../helpers/entries.ts';
import { expectStatus } from '../helpers/start-app.ts';
import {
  type Fixture,
  onlyAdmin,
  ROLES,
  type Role,
  runScenarios,
  type Scenario,
  startFixture,
} from './scenarios.ts';

const PATH = '/api/admin/requests';
const OWN = '/api/user/requests';
/** What a provider's own error may hold. */
const UPSTREAM_TEXT = 'The model upstream-m of account org-4711 is overloaded';

interface Row {
  readonly id: string;
  readonly [member: string]: unknown;
}

interface List {
  readonly data: readonly Row[];
  readonly next: string | null;
}

/** A call of the admin's key, one of anna's key and one of her session, one of the master key and one of nobody. */
function addEntries({ app, userId, keyId, userKeyId }: Fixture): void {
  const { requestLog } = app.services;
  const failed = makeAttempt({ status: 503, result: 'busy', code: UPSTREAM_TEXT, ms: 9 });
  requestLog.add(makeEntry({ id: 'req_1', keyId, keyName: 'an old name' }));
  requestLog.add(
    makeEntry({
      id: 'req_2',
      keyId: userKeyId,
      keyName: 'an old name',
      userId,
      userName: 'an old name',
      modelId: 'a/b:1',
      attempts: [failed, makeAttempt()],
      usage: makeUsage({ isEstimated: true, cacheWriteTokens: 2, audioSeconds: 1.5, images: 4 }),
    }),
  );
  requestLog.add(
    makeEntry({
      id: 'req_3',
      keyId: null,
      keyName: null,
      userId,
      status: 503,
      outcome: 'providerErrors',
      code: UPSTREAM_TEXT,
      attempts: [failed],
      usage: null,
      costNanoUsd: null,
      price: null,
    }),
  );
  requestLog.add(makeEntry({ id: 'req_4', keyId: 'master', keyName: null, outcome: 'limited', code: 'x' }));
  requestLog.add(
    makeEntry({
      id: 'req_5',
      keyId: 'key_gone',
      keyName: 'Deleted key',
      userId: 'user_gone',
      userName: 'Deleted user',
      isCall: false,
      modelId: 'nonsense',
    }),
  );
}

async function idsOf(fixture: Fixture, query: string, role: Role = 'admin'): Promise<string> {
  const path = role === 'user' ? OWN : PATH;
  const list = (await expectStatus(200, await fixture.as(role, 'GET', `${path}${query}`))) as List;
  return list.data.map(({ id }) => id.replace('req_', '')).join('') + (list.next === null ? '' : '+');
}

test('a row is as the contract says', async (t) => {
  const fixture = await startFixture(t);
  addEntries(fixture);
  const answer = await fixture.as('admin', 'GET', `${PATH}?search=req_2`);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const { data, next } = (await expectStatus(200, answer)) as List;
  assert.equal(next, null);
  assert.deepEqual(data, [
    {
      id: 'req_2',
      at: '2026-11-30T12:00:00.000Z',
      endpoint: 'embeddings',
      keyId: fixture.userKeyId,
      keyName: 'anna’s',
      userId: fixture.userId,
      userName: 'anna',
      model: 'a/b:1',
      provider: 'up',
      upstreamModel: 'upstream-m',
      stream: false,
      status: 200,
      outcome: 'ok',
      code: null,
      ms: 60,
      ttftMs: 50,
      promptTokens: 11,
      cachedTokens: 3,
      cacheWriteTokens: 2,
      completionTokens: 7,
      reasoningTokens: 0,
      audioSeconds: 1.5,
      images: 4,
      estimated: true,
      costUsd: 0.0015,
      price: {
        inputPerMTok: 3,
        outputPerMTok: 15,
        cachedInputPerMTok: null,
        cacheWritePerMTok: null,
        perAudioMinute: null,
        perImage: null,
        perRequest: null,
        above: null,
        source: 'own',
      },
      attempts: [
        {
          provider: 'up',
          keyHint: 'sk-1...abcd',
          upstreamModel: 'upstream-m',
          status: 503,
          code: UPSTREAM_TEXT,
          ms: 9,
        },
        {
          provider: 'up',
          keyHint: 'sk-1...abcd',
          upstreamModel: 'upstream-m',
          status: 200,
          code: null,
          ms: 40,
        },
      ],
      clientAddress: '203.0.113.7',
    },
  ]);
});

test('keys and users have the names that they have now, or their last ones', async (t) => {
  const fixture = await startFixture(t);
  addEntries(fixture);
  const namesOf = async () => {
    const { data } = (await expectStatus(200, await fixture.as('admin', 'GET', PATH))) as List;
    return data.map(({ keyName, userName }) => [keyName, userName]);
  };
  assert.deepEqual(await namesOf(), [
    ['Deleted key', 'Deleted user'],
    ['Master key', null],
    [null, 'anna'],
    ['anna’s', 'anna'],
    ['admin’s', null],
  ]);
  await changeConfig(fixture.app.services.store.config, (state) => ({
    state: { ...state, apiKeys: new Map(), users: new Map() },
    result: null,
  }));
  assert.deepEqual(await namesOf(), [
    ['Deleted key', 'Deleted user'],
    ['Master key', null],
    [null, null],
    ['an old name', 'an old name'],
    ['an old name', null],
  ]);
});

test('filters, search and pages', async (t) => {
  const fixture = await startFixture(t);
  addEntries(fixture);
  const { keyId, userId } = fixture;
  const expected: readonly (readonly [query: string, ids: string])[] = [
    ['', '54321'],
    ['?limit=2', '54+'],
    ['?limit=5', '54321'],
    ['?limit=2&before=req_4', '32+'],
    ['?limit=2&before=req_3', '21'],
    ['?before=req_1', ''],
    [`?key=${keyId}`, '1'],
    ['?key=master', '4'],
    [`?user=${userId}`, '32'],
    ['?model=a%2Fb%3A1', '2'],
    ['?model=a%2Fb', ''],
    ['?provider=up&outcome=limited', '4'],
    ['?endpoint=embeddings&key=&outcome=', '54321'],
    ['?endpoint=responses', ''],
    ['?search=REQ_3', '3'],
    ['?search=req_', ''],
    ['?search=A%2FB', '2'],
    ['?search=NONS', '5'],
    ['?search=admin%E2%80%99S', '1'],
    ['?search=master+key', '4'],
    ['?search=an+old+name', ''],
    [`?search=m&user=${userId}&before=req_3`, ''],
  ];
  for (const [query, ids] of expected) assert.equal(await idsOf(fixture, query), ids, query);
  const own: readonly (readonly [query: string, ids: string])[] = [
    ['', '32'],
    ['?limit=1', '3+'],
    ['?limit=1&before=req_3', '2'],
    ['?user=user_gone', ''],
    [`?key=${keyId}`, ''],
    ['?search=req_1', ''],
    ['?search=req_2', '2'],
  ];
  for (const [query, ids] of own) assert.equal(await idsOf(fixture, query, 'user'), ids, query);
});

test('a span of time: its beginning counts, its end does not', async (t) => {
  const fixture = await startFixture(t);
  const { userId } = fixture;
  const [first, second, third] = [
    '2026-11-29T22:30:00.000Z',
    '2026-11-30T12:00:00.000Z',
    '2026-12-01T00:00:00.000Z',
  ];
  for (const [id, at] of [
    ['req_1', first],
    ['req_2', second],
    ['req_3', third],
  ] as const)
    fixture.app.services.requestLog.add(makeEntry({ id, userId, endedAtMs: Date.parse(at) }));
  const expected: readonly (readonly [query: string, ids: string])[] = [
    [`from=${second}`, '32'],
    [`to=${second}`, '1'],
    [`from=${first}&to=${third}`, '21'],
    [`from=${second}&to=${second}`, ''],
    ['from=2026-11-30T12:00:00.001Z', '3'],
    ['from=2026-11-30&to=2026-12-01', '2'],
    ['from=2026-11-30T00:30:00%2B02:00', '321'],
    ['from=2026-12-01T00:00:01Z', ''],
    [`from=${first}&to=&limit=2`, '32+'],
    [`from=${first}&to=${third}&limit=2&before=req_2`, '1'],
    [`to=${third}&search=REQ_2`, '2'],
  ];
  for (const role of ['admin', 'user'] as const)
    for (const [query, ids] of expected)
      assert.equal(await idsOf(fixture, `?${query}`, role), ids, `${role}: ${query}`);
});

test('a page as CSV', async (t) => {
  const fixture = await startFixture(t);
  fixture.app.services.requestLog.add(
    makeEntry({ id: 'req_1', modelId: '=1+1,"x"', usage: null, costNanoUsd: null, userId: fixture.userId }),
  );
  const columns =
    'id,at,endpoint,keyId,keyName,userId,userName,model,provider,stream,status,outcome,code,ms,ttftMs,promptTokens,cachedTokens,cacheWriteTokens,completionTokens,reasoningTokens,audioSeconds,images,estimated,costUsd,attempts,clientAddress';
  const row = `req_1,2026-11-30T12:00:00.000Z,embeddings,key_1,Key one,${fixture.userId},anna,"'=1+1,""x""",up,false,200,ok,,60,50,,,,,,,,false,,1,203.0.113.7`;
  const admin = await fixture.as('admin', 'GET', `${PATH}?format=csv`);
  assert.equal(admin.headers.get('content-type'), 'text/csv; charset=utf-8');
  assert.equal(await admin.text(), `${columns},upstreamModel\r\n${row},upstream-m\r\n`);
  const user = await fixture.as('user', 'GET', `${OWN}?format=csv`);
  assert.equal(await user.text(), `${columns}\r\n${row}\r\n`);
  const empty = await fixture.as('user', 'GET', `${OWN}?format=csv&search=nothing`);
  assert.equal(await empty.text(), `${columns}\r\n`);
});

const REFUSED: readonly (readonly [query: string, param: string])[] = [
  ['?limit=0', 'limit'],
  ['?limit=1001', 'limit'],
  ['?limit=-1', 'limit'],
  ['?limit=1e2', 'limit'],
  ['?limit=ten', 'limit'],
  ['?before=req_none', 'before'],
  ['?before=at-1-2', 'before'],
  ['?outcome=fine', 'outcome'],
  ['?key=a&key=b', 'key'],
  ['?format=xml', 'format'],
  ['?outcome=__proto__', 'outcome'],
  ['?from=yesterday', 'from'],
  ['?from=1764504000000', 'from'],
  ['?from=2026-02-30', 'from'],
  ['?to=2026-11-30T25:00:00Z', 'to'],
  ['?to=2026-11-30T12:00:00', 'to'],
  ['?from=2026-11-30&from=2026-11-29', 'from'],
];

test('who may read which requests', async (t) => {
  const fixture = await startFixture(t);
  addEntries(fixture);
  const refused = (path: string, as: Role, [query, param]: readonly [string, string]): Scenario => ({
    name: `${path}${query} as ${as}`,
    as,
    method: 'GET',
    path: `${path}${query}`,
    status: 400,
    code: 'invalid_value',
    param,
  });
  const notForUsers: Scenario[] = ROLES.filter((role) => role !== 'user').map((as) => ({
    name: `${OWN} as ${as}`,
    as,
    method: 'GET',
    path: OWN,
    status: as === 'admin' ? 403 : 401,
    code: as === 'admin' ? 'forbidden' : 'not_signed_in',
    lacks: ['req_1', 'req_2'],
  }));
  await runScenarios(t, fixture, [
    ...onlyAdmin('GET', PATH),
    ...onlyAdmin('GET', `${PATH}/live`),
    ...notForUsers,
    ...REFUSED.map((row) => refused(PATH, 'admin', row)),
    ...REFUSED.map((row) => refused(OWN, 'user', row)),
    refused(OWN, 'user', ['?before=req_1', 'before']),
    {
      name: 'a user sees the own rows, without what is behind them',
      as: 'user',
      method: 'GET',
      path: OWN,
      status: 200,
      contains: ['req_2', 'req_3', '"provider":"up"', '"costUsd":0.0015', '"code":null'],
      lacks: [
        'req_1',
        'req_4',
        'req_5',
        'keyHint',
        'sk-1...abcd',
        'upstreamModel',
        'upstream-m',
        UPSTREAM_TEXT,
        'org-4711',
        'Deleted',
      ],
    },
  ]);
});
