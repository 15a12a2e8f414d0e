import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import type { Reservation } from '../../src/limits/limits.ts';
import { makeLimits } from '../helpers/limited-keys.ts';
import { endsWithSuite, type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { flushRedis } from '../helpers/redis-store.ts';
import { admitCall, type GateAsk, type GateInstance, openGates, refusalOf } from '../helpers/shared-gates.ts';
import { until } from '../helpers/until.ts';

const NOON_MS = Date.parse('2026-03-04T12:00:00.000Z');

/** How many of many calls at once, spread over all instances, are let through. */
async function admitMany(instances: readonly GateInstance[], ask: GateAsk): Promise<Reservation[]> {
  const all = Array.from({ length: 300 }, (_, index) => {
    return admitCall(instances[index % instances.length] ?? assert.fail(), ask).catch(() => null);
  });
  return (await Promise.all(all)).flatMap((reservation) => reservation ?? []);
}

/** Makes a call that used some tokens; resolves when the engine has counted it. */
async function useTokens(instance: GateInstance, ask: GateAsk, tokens: number): Promise<void> {
  instance.gate.settle(await admitCall(instance, ask), { tokens, costNanoUsd: 0 });
  await instance.engine.beat();
}

describe('limits over several instances', { skip: redisSkipped() }, () => {
  let redis: RedisServer;
  const suite = endsWithSuite();
  before(async () => {
    redis = await startRedis(suite);
  });
  beforeEach(() => flushRedis(redis.url));

  const rows: readonly (readonly [string, GateAsk, number])[] = [
    ['rpm', { key: { rpm: 37 } }, 37],
    ['tpm', { user: { tpm: 1_000 }, tokens: 30 }, 33],
    [
      'concurrency, of whichever owner allows less',
      { key: { concurrency: 12 }, user: { concurrency: 11 } },
      11,
    ],
    ['a budget in money, until it is reserved', { key: { budgetUsd: 1 }, usd: 0.3 }, 4],
    ['a budget in tokens, until it is reserved', { key: { budgetTokens: 100 }, tokens: 9 }, 12],
  ];
  for (const [name, ask, expected] of rows) {
    test(`300 calls at once on three instances are let through exactly up to ${name}`, async (t) => {
      const { instances } = await openGates(t, { url: redis.url, count: 3 });
      assert.equal((await admitMany(instances, ask)).length, expected);
      assert.equal((await admitMany(instances, ask)).length, 0);
    });
  }

  test('a budget is passed by no more than what was running when it was reached', async (t) => {
    const { instances } = await openGates(t, { url: redis.url, count: 3 });
    const ask = { key: { budgetTokens: 100 }, tokens: 9 };
    const running = await Promise.all(
      instances.map(async (instance) => ({ instance, reservations: await admitMany([instance], ask) })),
    );
    // Each uses more than it has reserved.
    for (const { instance, reservations } of running) {
      for (const one of reservations) instance.gate.settle(one, { tokens: 50, costNanoUsd: 0 });
    }
    for (const { engine } of instances) await engine.flush();
    assert.equal((await admitMany(instances, ask)).length, 0);
    for (const { engine, shared } of instances) {
      await engine.flush();
      const { tokens, requests } = shared.budgets.usageOf('key', { id: 'k', limits: null });
      assert.deepEqual([tokens, requests], [12 * 50, 12]);
    }
  });

  test('a window opens again after a minute, on every instance', async (t) => {
    const { instances, pass } = await openGates(t, { url: redis.url, count: 3 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const ask = { key: { rpm: 1, tpm: 10 }, tokens: 4 };
    const reservation = await admitCall(first, ask);
    assert.deepEqual(reservation.headers, [
      ...['x-ratelimit-limit-requests', '1', 'x-ratelimit-remaining-requests', '0'],
      ...['x-ratelimit-reset-requests', '1m0s', 'x-ratelimit-limit-tokens', '10'],
      ...['x-ratelimit-remaining-tokens', '6', 'x-ratelimit-reset-tokens', '1m0s'],
    ]);
    first.gate.settle(reservation, { tokens: 5, costNanoUsd: 0 });
    await pass(20_000);
    const refused = await refusalOf(second, ask);
    assert.equal(refused.error.code, 'rate_limit_exceeded');
    assert.match(
      refused.message,
      /^Too many requests for this API key: 1 of 1 per minute\. Try again in 4[01] s\.$/,
    );
    await pass(40_200);
    await admitCall(second, ask);
  });

  test('who asks again and again while a window is full costs the engine nothing', async (t) => {
    const { instances, pass } = await openGates(t, { url: redis.url, count: 2 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const asked = async (): Promise<number> => {
      const info = String(await first.engine.command(['INFO', 'commandstats']));
      const calls = [...info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const rpm = { key: { rpm: 2, concurrency: 5 } };
    const running = [await admitCall(second, rpm), await admitCall(second, rpm)];
    await refusalOf(first, rpm);
    const before = await asked();
    for (let index = 0; index < 100; index += 1) {
      assert.equal((await refusalOf(first, rpm)).error.code, 'rate_limit_exceeded');
    }
    // The beats of both go on.
    assert.ok((await asked()) - before < 50);
    for (const one of running) second.gate.settle(one, null);
    await second.engine.flush();
    await refusalOf(first, rpm);
    await pass(60_200);
    await admitCall(first, rpm);

    // Of tokens, a call that needs fewer may fit, and what is only reserved may come back at any time.
    const large = { user: { tpm: 100 }, tokens: 60 };
    const small = { ...large, tokens: 10 };
    const reserved = await admitCall(second, large);
    await refusalOf(first, large);
    second.gate.settle(reserved, { tokens: 50, costNanoUsd: 0 });
    await second.engine.flush();
    await refusalOf(first, large);
    await refusalOf(first, large);
    await admitCall(first, small);
  });

  test('what a call used counts everywhere before its client can ask again', async (t) => {
    const { instances } = await openGates(t, { url: redis.url, count: 2 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const ask = { key: { concurrency: 1, budgetUsd: 1 }, usd: 0.6 };
    const running = await admitCall(first, ask);
    assert.match((await refusalOf(second, ask)).message, /1 of 1 are running/);
    first.gate.settle(running, { tokens: 1, costNanoUsd: 0.6e9 });
    const next = await admitCall(first, ask);
    first.gate.settle(next, { tokens: 1, costNanoUsd: 0.6e9 });
    await first.engine.beat();
    const spent = await refusalOf(second, ask);
    assert.equal(spent.error.code, 'insufficient_quota');
    assert.match(spent.message, /^The budget of this API key is used up: \$1\.20 of \$1\.00 this month\./);
    await second.engine.beat();
    const usage = second.shared.budgets.usageOf('key', { id: 'k', limits: null });
    assert.deepEqual([usage.costUsd, usage.tokens, usage.requests], [1.2, 2, 2]);
  });

  test('calls without limits are counted with the next beat, and shown by all', async (t) => {
    const { instances } = await openGates(t, { url: redis.url, count: 2 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    for (let index = 0; index < 10; index += 1) {
      first.gate.settle(await admitCall(first, {}), { tokens: 3, costNanoUsd: 5 });
    }
    await first.engine.beat();
    await second.engine.beat();
    for (const { shared } of instances) {
      const { requests, tokens } = shared.budgets.usageOf('key', { id: 'k', limits: null });
      assert.deepEqual([requests, tokens], [10, 30]);
    }
  });

  test('periods begin by the clock of the engine; a grant ends with its period, a reset at once', async (t) => {
    const { instances, pass } = await openGates(t, { url: redis.url, count: 2, startMs: NOON_MS });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const ask = { key: { budgetTokens: 10, budgetPeriod: 'day' as const }, tokens: 1 };
    await useTokens(first, ask, 10);
    await refusalOf(second, ask);
    await second.shared.grant('key', { id: 'k', limits: makeLimits(ask.key) }, { nanoUsd: 0, tokens: 5 });
    await useTokens(second, ask, 5);
    await refusalOf(first, ask);
    await first.shared.reset('key', 'k');
    await useTokens(second, ask, 10);
    assert.match((await refusalOf(first, ask)).message, /It resets on 5 Mar 2026 00:00 UTC/);
    await pass(12 * 3_600_000);
    await admitCall(first, ask);
  });

  test('the calls of an instance that dies are free within ten seconds, with what they reserved', async (t) => {
    const { instances, pass } = await openGates(t, { url: redis.url, count: 3 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const ask = { key: { concurrency: 2, budgetUsd: 1 }, usd: 0.5 };
    await admitCall(first, ask);
    await admitCall(first, ask);
    await refusalOf(second, ask);
    first.engine.close();
    await pass(10_000);
    await admitCall(second, ask);
    await admitCall(second, ask);
    await refusalOf(second, ask);
  });

  test('an instance that was believed dead holds its calls again', async (t) => {
    const { instances, pass } = await openGates(t, { url: redis.url, count: 2 });
    const [first = assert.fail(), second = assert.fail()] = instances;
    const ask = { key: { concurrency: 1 } };
    const running = await admitCall(first, ask);
    // As if it had not run for a while: nobody beats meanwhile.
    await pass(9_000, []);
    second.gate.settle(await admitCall(second, ask), null);
    await first.engine.beat();
    await until(() => first.engine.isReady && first.engine.epoch === 'i0.2', 'it has joined again');
    await refusalOf(second, ask);
    first.gate.settle(running, null);
    await first.engine.beat();
    await admitCall(second, ask);
  });
});
