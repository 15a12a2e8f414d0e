import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CallEntry } from '../../src/usage/call-entry.ts';
import {
  type AppUnderTest,
  expectStatus,
  jsonRequest,
  MASTER_KEY,
  signIn,
  startApp,
} from '../helpers/start-app.ts';
import { makeCall, makeUsage } from '../usage/ledger/calls.ts';

const NOW_MS = Date.parse('2026-03-02T12:30:00Z');
const ANN = { username: 'ann', password: 'open sesame 1', name: 'Ann' };

interface Answer {
  readonly from: string;
  readonly to: string;
  readonly bucket: string;
  readonly data: readonly Record<string, unknown>[];
  readonly totals: Record<string, unknown>;
}

async function start(t: TestContext, calls: readonly Partial<CallEntry>[]): Promise<AppUnderTest> {
  const app = await startApp(t, { now: () => NOW_MS });
  for (const call of calls) app.services.ledger.book(makeCall({ endedAtMs: NOW_MS - 60_000, ...call }));
  return app;
}

async function usage(app: AppUnderTest, query = ''): Promise<Answer> {
  return (await expectStatus(200, await app.admin('GET', `/api/admin/usage${query}`))) as Answer;
}

async function addAnn(app: AppUnderTest): Promise<string> {
  const { id } = (await expectStatus(201, await app.admin('POST', '/api/admin/users', ANN))) as {
    id: string;
  };
  return id;
}

describe('/api/admin/usage', { timeout: 30_000 }, () => {
  test('an empty ledger: no rows, and totals of nothing', async (t) => {
    const { from, to, bucket, data, totals } = await usage(await start(t, []));
    assert.deepEqual([from, to, bucket], ['2026-03-01T12:00:00.000Z', '2026-03-02T13:00:00.000Z', 'none']);
    assert.deepEqual(data, []);
    assert.deepEqual([totals['requests'], totals['costUsd']], [0, null]);
    assert.deepEqual(totals['ms'], { p50: null, p95: null });
  });

  test('a row holds the group, then all figures in the order of the contract', async (t) => {
    const used = makeUsage({ promptTokens: 10, completionTokens: 5, audioSeconds: 0.25 });
    const app = await start(t, [{ usage: used, costNanoUsd: 1_500_000 }]);
    const { data, totals } = await usage(app, '?groupBy=key,model&bucket=day&tz=330');
    assert.deepEqual(data, [
      {
        time: '2026-03-01T18:30:00.000Z',
        key: 'key_1',
        keyName: 'Key one',
        model: 'gpt',
        ...totals,
      },
    ]);
    assert.deepEqual(totals, {
      requests: 1,
      ok: 1,
      clientErrors: 0,
      providerErrors: 0,
      limited: 0,
      cancelled: 0,
      broken: 0,
      attempts: 0,
      promptTokens: 10,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 5,
      reasoningTokens: 0,
      audioSeconds: 0.25,
      images: 0,
      costUsd: 0.0015,
      unpricedRequests: 0,
      estimatedRequests: 0,
      ttftMs: { p50: 56, p95: 56 },
      ms: { p50: 108, p95: 108 },
    });
  });

  test('a real call is in it', async (t) => {
    const app = await startApp(t);
    await app.v1('chat/completions', { model: 'gpt' });
    await app.addProvider({ id: 'off', baseUrl: 'http://127.0.0.1:9/v1', enabled: false }, [{ id: 'gpt' }]);
    await expectStatus(503, await app.v1('chat/completions', { model: 'gpt', messages: [] }));
    const { data } = await usage(app, '?groupBy=key,endpoint');
    assert.deepEqual(
      data.map(({ key, keyName, endpoint, requests }) => [key, keyName, endpoint, requests]),
      [['master', 'Master key', 'chat/completions', 1]],
    );
  });

  test('names are the present ones, or the last one of a deleted key', async (t) => {
    const app = await start(t, [
      { keyId: 'gone', keyName: 'Gone' },
      { keyId: null, keyName: null },
    ]);
    await app.addKey({ name: 'New name' });
    const [key] = [...app.services.store.config.view().apiKeys.values()];
    app.services.ledger.book(makeCall({ endedAtMs: NOW_MS, keyId: key?.id ?? '', keyName: 'Old name' }));
    const { data } = await usage(app, '?groupBy=key');
    const names = data.map(({ key, keyName }) => `${key}: ${keyName}`).sort();
    assert.deepEqual(names, ['gone: Gone', `${key?.id}: New name`, 'null: null'].sort());
  });

  test('CSV: a header, one line for each row, no totals, no formulas', async (t) => {
    const app = await start(t, [{ modelId: '=HYPERLINK("x")', keyId: 'a,b', keyName: null, ttftMs: null }]);
    const response = await app.admin('GET', '/api/admin/usage?format=csv&groupBy=key,model&bucket=hour');
    assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.match(
      response.headers.get('content-disposition') ?? '',
      /^attachment; filename="usage-[\d-]+\.csv"$/,
    );
    const [head, row, ...rest] = (await response.text()).split('\r\n');
    assert.equal(
      head,
      'time,key,keyName,model,requests,ok,clientErrors,providerErrors,limited,cancelled,broken,attempts,promptTokens,cachedTokens,cacheWriteTokens,completionTokens,reasoningTokens,audioSeconds,images,costUsd,unpricedRequests,estimatedRequests,ttftMsP50,ttftMsP95,msP50,msP95',
    );
    assert.equal(
      row,
      '2026-03-02T12:00:00.000Z,"a,b",,"\'=HYPERLINK(""x"")",1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,,0,0,,,108,108',
    );
    assert.deepEqual(rest, ['']);
  });

  for (const [query, param] of [
    ['from=yesterday', 'from'],
    ['from=2026-02-30', 'from'],
    ['from=2026-03-01T00:00:00', 'from'],
    ['to=0', 'to'],
    ['from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', 'from'],
    ['from=2026-03-01&to=2026-03-01', 'from'],
    ['bucket=week', 'bucket'],
    ['tz=1.5', 'tz'],
    ['tz=1441', 'tz'],
    ['tz=UTC', 'tz'],
    ['groupBy=key,model,user', 'groupBy'],
    ['groupBy=key,key', 'groupBy'],
    ['groupBy=color', 'groupBy'],
    ['groupBy=key,', 'groupBy'],
    ['outcome=good', 'outcome'],
    ['format=xml', 'format'],
    ['key=a&key=b', 'key'],
  ] as const) {
    test(`?${query} is refused and names ${param}`, async (t) => {
      const app = await start(t, []);
      const response = await app.admin('GET', `/api/admin/usage?${query}`);
      const { error } = (await expectStatus(400, response)) as { error: { code: string; param: string } };
      assert.deepEqual([error.code, error.param], ['invalid_value', param]);
    });
  }

  for (const [query, requests] of [
    ['from=2026-03-02T12:59:00Z&to=2026-03-02T12:59:30Z', 1],
    ['from=2026-03-02T18:00:00%2B05:30&to=2026-03-02T18:30:00%2B05:30', 1],
    ['from=2026-03-02&to=2026-03-02T12:00Z', 0],
    ['from=2026-03-02T13:00:00Z&to=2026-03-03', 0],
    ['key=key_1&outcome=ok&model=&user=', 1],
    ['key=key_2', 0],
    ['tz=-480&bucket=day', 1],
    ['unknown=1', 1],
  ] as const) {
    test(`?${query} finds ${requests}`, async (t) => {
      const { totals } = await usage(await start(t, [{}]), `?${query}`);
      assert.equal(totals['requests'], requests);
    });
  }

  test('more rows than one answer holds are refused', async (t) => {
    const app = await start(t, []);
    for (let count = 0; count < 51_000; count++) {
      const endedAtMs = NOW_MS - 18 * 3_600_000 + Math.floor(count / 3_000) * 3_600_000;
      app.services.ledger.book(makeCall({ endedAtMs, keyId: `key_${count}` }));
    }
    const response = await app.admin('GET', '/api/admin/usage?groupBy=key');
    const { error } = (await expectStatus(400, response)) as { error: { param: string } };
    assert.equal(error.param, 'groupBy');
    assert.equal((await usage(app)).totals['requests'], 51_000);
  });
});

describe('/api/user/usage', { timeout: 30_000 }, () => {
  test('users see their own alone, whatever they ask for', async (t) => {
    const app = await start(t, [{ keyId: 'other', userId: 'somebody' }, { keyId: 'free' }]);
    const userId = await addAnn(app);
    app.services.ledger.book(makeCall({ endedAtMs: NOW_MS, keyId: 'mine', userId }));
    const token = await signIn(app.origin, ANN);
    for (const [query, keys] of [
      ['', ['mine']],
      [`&user=${userId}`, ['mine']],
      ['&user=somebody', []],
      ['&key=other', []],
      ['&key=free', []],
      ['&user=other', []],
    ] as const) {
      const url = `${app.origin}/api/user/usage?groupBy=key${query}`;
      const answer = (await expectStatus(
        200,
        await fetch(url, jsonRequest('GET', `Bearer ${token}`)),
      )) as Answer;
      assert.deepEqual(
        answer.data.map(({ key }) => key),
        keys,
        query,
      );
      assert.equal(answer.totals['requests'], keys.length, query);
    }
  });

  test('who may see usage', async (t) => {
    const app = await start(t, []);
    const userId = await addAnn(app);
    const userKey = await app.addKey({ userId });
    const disabledKey = await app.addKey({ userId, enabled: false });
    const rows: readonly (readonly [
      who: string,
      authorization: string | null,
      admin: number,
      user: number,
    ])[] = [
      ['nobody', null, 401, 401],
      ['a user key', `Bearer ${userKey}`, 401, 401],
      ['a disabled key', `Bearer ${disabledKey}`, 401, 401],
      ['the master key', `Bearer ${MASTER_KEY}`, 401, 401],
      ['a user', `Bearer ${await signIn(app.origin, ANN)}`, 403, 200],
      ['the admin', `Bearer ${await signIn(app.origin)}`, 200, 403],
    ];
    for (const [who, authorization, admin, user] of rows) {
      const request = jsonRequest('GET', authorization);
      assert.equal((await fetch(`${app.origin}/api/admin/usage`, request)).status, admin, who);
      assert.equal((await fetch(`${app.origin}/api/user/usage`, request)).status, user, who);
    }
  });
});
