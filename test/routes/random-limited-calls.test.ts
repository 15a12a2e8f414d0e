import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Price } from '../../src/store/entities.ts';
import { addUser } from '../auth/quick-users.ts';
import { CHAT_ANSWER, startUpstream } from '../helpers/fake-upstream.ts';
import { createRandom } from '../helpers/fuzz-random.ts';
import { makeLimits, recordOf } from '../helpers/limited-keys.ts';
import { expectStatus, jsonRequest, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const SEED = 20_261_130;
const CALLS = process.env['IPIN_LONG'] === '1' ? 5_000 : 250;
const WAYS = ['answer', 'stream', 'error', 'cut', 'hang', 'wrong field'] as const;
const PRICE: Price = {
  inputPerMTok: 3,
  outputPerMTok: 15,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: null,
  perImage: null,
  perRequest: 0.001,
  above: null,
};

/** What an owner used, by the budgets or by the ledger. */
interface Sums {
  readonly requests: number;
  readonly tokens: number;
  readonly nanoUsd: number;
}

test('whatever happens to calls, budgets and ledger count the same, and nothing stays reserved', {
  timeout: 120_000,
}, async (t) => {
  const upstream = await startUpstream(t, (_req, res, { body }) => {
    const { way, tokens } = JSON.parse(JSON.parse(body.toString()).messages[0].content);
    const usage = { prompt_tokens: tokens, completion_tokens: tokens * 2, total_tokens: tokens * 3 };
    if (way === 'hang') return;
    if (way === 'error') return void res.writeHead(500).end('{}');
    if (way === 'answer') {
      res.writeHead(200, { 'content-type': 'application/json' });
      return void res.end(JSON.stringify({ ...CHAT_ANSWER, usage }));
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n', () => {
      if (way === 'cut') return void res.destroy();
      res.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
    });
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm', price: PRICE }]);
  await addUser(app, { id: 'anna', limits: makeLimits({ concurrency: 6, budgetUsd: 0.4 }) });
  const keys = [
    await app.addKey({ limits: { concurrency: 3, rpm: 60 } }),
    await app.addKey({ limits: { budgetTokens: 9_000, tpm: 500_000 } }),
    await app.addKey({ userId: 'anna', limits: { rpm: 40 } }),
    await app.addKey({ userId: 'anna' }),
    await app.addKey({}),
  ] as const;
  const random = createRandom(SEED);
  const statuses = new Map<number, number>();
  const call = async (): Promise<void> => {
    const way = random.pick(WAYS);
    const content = JSON.stringify({ way, tokens: random.int(200) });
    const stream = way === 'wrong field' ? 'yes' : way === 'stream' || way === 'cut';
    const body = { model: 'm', stream, max_tokens: 50, messages: [{ role: 'user', content }] };
    const leaving = new AbortController();
    if (way === 'hang') setTimeout(() => leaving.abort(), random.int(20));
    const request = jsonRequest('POST', `Bearer ${random.pick(keys)}`, body);
    try {
      const answer = await fetch(`${app.origin}/v1/chat/completions`, { ...request, signal: leaving.signal });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      await answer.text();
    } catch {
      // The client left, or the answer broke off.
    }
  };
  for (let begun = 0; begun < CALLS; begun += 10) await Promise.all(Array.from({ length: 10 }, call));
  await until(() => app.services.budgets.running === 0, 'all calls are settled');
  for (const status of [200, 400, 429]) assert.ok((statuses.get(status) ?? 0) > 0, `no ${status}`);

  const counted = (kind: 'key' | 'user', id: string): Sums => {
    const { requests, tokens, costUsd } = app.services.budgets.usageOf(kind, { id, limits: null });
    return { requests, tokens, nanoUsd: Math.round(costUsd * 1e9) };
  };
  const booked = async (by: 'key' | 'user', id: string): Promise<Sums> => {
    const answer = await app.admin('GET', `/api/admin/usage?groupBy=${by}`);
    const { data } = (await expectStatus(200, answer)) as { data: Record<string, number | string | null>[] };
    const row = data.find((one) => one[by] === id) ?? assert.fail(`no row of ${id}`);
    const number = (name: string): number => Number(row[name] ?? 0);
    return {
      requests: number('requests') - number('limited'),
      tokens: number('promptTokens') + number('completionTokens'),
      nanoUsd: Math.round(number('costUsd') * 1e9),
    };
  };
  for (const key of keys) {
    const { id } = recordOf(app, key);
    assert.deepEqual(counted('key', id), await booked('key', id));
    const { running, reservedTokens, reservedNanoUsd } = app.services.budgets.ownerOf('key', id);
    assert.deepEqual([running, reservedTokens, reservedNanoUsd], [0, 0, 0]);
  }
  assert.deepEqual(counted('user', 'anna'), await booked('user', 'anna'));
  const { reservedTokens, reservedNanoUsd } = app.services.budgets.ownerOf('user', 'anna');
  assert.deepEqual([reservedTokens, reservedNanoUsd], [0, 0]);
});
