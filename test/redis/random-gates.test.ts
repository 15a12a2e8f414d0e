import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Reservation } from '../../src/limits/limits.ts';
import { endsWithSuite, type RedisServer, redisSkipped, startRedis } from '../helpers/redis-server.ts';
import { flushRedis } from '../helpers/redis-store.ts';
import { admitCall, type GateInstance, type GateStage, openGates } from '../helpers/shared-gates.ts';
import { until } from '../helpers/until.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 300 : 25;
const INSTANCES = 3;
const WINDOW_MS = 60_000;

/** Steps of the clock; no sum of them is near the length of a window, whose pieces end a little late. */
const STEPS = [25_000, 70_000] as const;
const DEATH_MS = 8_200;

type Action =
  | { readonly kind: 'admit'; readonly at: number; readonly tokens: number }
  | { readonly kind: 'settle'; readonly which: number; readonly tokens: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'kill'; readonly at: number }
  | { readonly kind: 'cut' };

const natural = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('admit' as const), at: natural(2), tokens: natural(40) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('settle' as const), which: natural(20), tokens: natural(60) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(...STEPS) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), at: natural(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  ),
  { minLength: 10, maxLength: 60 },
);
const limitsOf = fc.record({
  rpm: fc.option(fc.integer({ min: 1, max: 12 })),
  tpm: fc.option(fc.integer({ min: 20, max: 200 })),
  concurrency: fc.option(fc.integer({ min: 1, max: 5 })),
  budgetTokens: fc.option(fc.integer({ min: 50, max: 600 })),
});
type KeyLimits = typeof limitsOf extends fc.Arbitrary<infer T> ? T : never;

interface Running {
  readonly instance: GateInstance;
  readonly reservation: Reservation;
}

/** What should be, from the calls alone. */
class Truth {
  readonly #limits: KeyLimits;
  readonly #stage: GateStage;
  readonly begun: number[] = [];
  readonly settled: { readonly atMs: number; readonly tokens: number }[] = [];
  running: Running[] = [];
  used = 0;
  ended = 0;

  constructor(limits: KeyLimits, stage: GateStage) {
    this.#limits = limits;
    this.#stage = stage;
  }

  admits(tokens: number): boolean {
    const { rpm, tpm, concurrency, budgetTokens } = this.#limits;
    const sinceMs = this.#stage.now() - WINDOW_MS;
    const reserved = this.running.reduce((sum, { reservation }) => sum + reservation.tokens, 0);
    if (concurrency !== null && this.running.length >= concurrency) return false;
    if (rpm !== null && this.begun.filter((atMs) => atMs > sinceMs).length >= rpm) return false;
    const recent = this.settled
      .filter(({ atMs }) => atMs > sinceMs)
      .reduce((sum, one) => sum + one.tokens, 0);
    const inWindow = recent + reserved;
    if (tpm !== null && inWindow > 0 && inWindow + tokens > tpm) return false;
    return budgetTokens === null || this.used + reserved < budgetTokens;
  }
}

describe('random calls over several instances', { skip: redisSkipped(), timeout: 600_000 }, () => {
  let redis: RedisServer;
  const suite = endsWithSuite();
  before(async () => {
    redis = await startRedis(suite);
  });

  async function check(t: TestContext, limits: KeyLimits, steps: readonly Action[]): Promise<void> {
    await flushRedis(redis.url);
    const stage = await openGates(t, { url: redis.url, count: INSTANCES });
    const truth = new Truth(limits, stage);
    let living = [...stage.instances];
    for (const step of steps) {
      if (step.kind === 'admit') {
        const instance = living[step.at % living.length] ?? assert.fail();
        const expected = truth.admits(step.tokens);
        const atMs = stage.now();
        const reservation = await admitCall(instance, { key: limits, tokens: step.tokens }).catch(() => null);
        assert.equal(reservation !== null, expected, JSON.stringify(step));
        if (reservation === null) continue;
        truth.begun.push(atMs);
        truth.running.push({ instance, reservation });
      } else if (step.kind === 'settle') {
        const [call] = truth.running.splice(step.which % Math.max(1, truth.running.length), 1);
        if (call === undefined) continue;
        call.instance.gate.settle(call.reservation, { tokens: step.tokens, costNanoUsd: 0 });
        await call.instance.engine.flush();
        truth.settled.push({ atMs: stage.now(), tokens: step.tokens });
        truth.used += step.tokens;
        truth.ended += 1;
      } else if (step.kind === 'pass') await stage.pass(step.ms, living);
      else if (step.kind === 'kill') {
        if (living.length === 1) continue;
        const [dead = assert.fail()] = living.splice(step.at % living.length, 1);
        dead.engine.close();
        truth.running = truth.running.filter(({ instance }) => instance !== dead);
        await stage.pass(DEATH_MS, living);
      } else {
        const [one = assert.fail()] = living;
        const epochs = living.map(({ engine }) => engine.epoch);
        await one.engine.command(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no']).catch(() => {});
        const hasNew = (instance: GateInstance, index: number): boolean =>
          instance.engine.isReady && instance.engine.epoch !== epochs[index];
        await until(() => living.every(hasNew), 'all are connected again');
      }
    }
    for (const { engine } of living) await engine.flush();
    for (const { engine, shared } of living) {
      await engine.flush();
      const { tokens, requests } = shared.budgets.usageOf('key', { id: 'k', limits: null });
      assert.deepEqual([tokens, requests], [truth.used, truth.ended]);
    }
    living = [];
    for (const { engine } of stage.instances) engine.close();
  }

  test('exactly the calls begin that the limits allow, and each is counted once, whoever dies or is cut off', async (t) => {
    await fc.assert(
      fc.asyncProperty(limitsOf, actions, (limits, steps) => check(t, limits, steps)),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
