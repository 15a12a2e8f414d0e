import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { HttpError } from '../../src/errors.ts';
import { openBudgets } from '../../src/limits/budget-file.ts';
import type { KeptBudgets } from '../../src/limits/budgets.ts';
import { LimitGate, type Reservation } from '../../src/limits/limits.ts';
import type { Limits, OwnerKind } from '../../src/store/entities.ts';
import { makeLimits } from '../helpers/limited-keys.ts';

const SEED = 20_261_130;
const RUNS = process.env['IPIN_LONG'] === '1' ? 1_000 : 60;

/** Two keys of one user, and a key of nobody. */
const CALLERS = [
  { key: 'a', user: 'u' },
  { key: 'b', user: 'u' },
  { key: 'c', user: null },
] as const;

type Step =
  | { readonly kind: 'begin'; readonly caller: number; readonly tokens: number; readonly cost: number }
  /** Ends a running call; null: it failed, or its client left before anything was sent. */
  | { readonly kind: 'end'; readonly which: number; readonly used: readonly [number, number] | null }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'grant'; readonly caller: number; readonly cost: number }
  /** All running calls end with what they used so far. */
  | { readonly kind: 'restart' };

const amount = fc.integer({ min: 0, max: 400 });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      caller: fc.nat(2),
      tokens: amount,
      cost: amount,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(20),
      used: fc.option(fc.tuple(amount, amount)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('grant' as const), caller: fc.nat(2), cost: amount }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);
const limit = (max: number): fc.Arbitrary<number | null> => fc.option(fc.integer({ min: 1, max }));
const LIMITS: fc.Arbitrary<Limits> = fc
  .record({
    rpm: limit(6),
    tpm: limit(2000),
    concurrency: limit(4),
    budgetUsd: fc.option(fc.integer({ min: 1, max: 3000 }).map((nano) => nano / 1e9)),
    budgetTokens: limit(3000),
  })
  .map((limits) => makeLimits({ ...limits, budgetPeriod: 'total' }));

/** What the model knows of an owner: everything is a plain list, summed up each time. */
class ModelOwner {
  readonly limits: Limits;
  begun: number[] = [];
  settled: (readonly [atMs: number, tokens: number, cost: number])[] = [];
  /** The settled calls of this run of the server, for the windows. */
  recent: (readonly [atMs: number, tokens: number])[] = [];
  running: { readonly tokens: number; readonly cost: number }[] = [];
  requests = 0;
  granted = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get cost(): number {
    return this.settled.reduce((sum, [, , cost]) => sum + cost, 0);
  }

  get tokens(): number {
    return this.settled.reduce((sum, [, tokens]) => sum + tokens, 0);
  }

  /** Whether a call is let through now. */
  allows(nowMs: number, tokens: number): boolean {
    const { rpm, tpm, concurrency, budgetUsd, budgetTokens } = this.limits;
    const isRecent = (atMs: number): boolean => atMs > nowMs - 60_000;
    const reservedTokens = this.running.reduce((sum, one) => sum + one.tokens, 0);
    const reservedCost = this.running.reduce((sum, one) => sum + one.cost, 0);
    const inWindow =
      reservedTokens + this.recent.reduce((sum, [atMs, used]) => sum + (isRecent(atMs) ? used : 0), 0);
    if (concurrency !== null && this.running.length >= concurrency) return false;
    if (rpm !== null && this.begun.filter(isRecent).length >= rpm) return false;
    if (tpm !== null && inWindow > 0 && inWindow + tokens > tpm) return false;
    const budget = budgetUsd === null ? Number.POSITIVE_INFINITY : Math.round(budgetUsd * 1e9) + this.granted;
    if (this.cost + reservedCost >= budget) return false;
    return budgetTokens === null || this.tokens + reservedTokens < budgetTokens;
  }
}

interface RunningCall {
  readonly reservation: Reservation;
  readonly owners: readonly ModelOwner[];
  readonly entry: { readonly tokens: number; readonly cost: number };
}

/** The gate beside the model; each step is done in both and must come to the same. */
class Trial {
  readonly #folder: string;
  readonly #models: ReadonlyMap<string, ModelOwner>;
  readonly #running: RunningCall[] = [];
  #nowMs = Date.parse('2026-11-30T12:00:00Z');
  #kept: KeptBudgets;
  #gate: LimitGate;

  constructor(folder: string, models: ReadonlyMap<string, ModelOwner>, kept: KeptBudgets) {
    this.#folder = folder;
    this.#models = models;
    this.#kept = kept;
    this.#gate = new LimitGate(kept.budgets, () => this.#nowMs);
  }

  static async start(folder: string, limits: readonly Limits[]): Promise<Trial> {
    const names = ['key a', 'key b', 'key c', 'user u'];
    const models = new Map(
      names.map((name, index) => [name, new ModelOwner(limits[index] ?? assert.fail())]),
    );
    const trial = new Trial(folder, models, await Trial.open(folder, () => 0));
    await trial.#restart();
    return trial;
  }

  static open(folder: string, now: () => number): Promise<KeptBudgets> {
    return openBudgets({ folder, logger: { warn: (message) => assert.fail(message) }, now });
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'begin') this.#begin(step);
    else if (step.kind === 'end') this.#end(step.which, step.used);
    else if (step.kind === 'wait') this.#nowMs += step.ms;
    else if (step.kind === 'grant') this.#grant(step.caller, step.cost);
    else await this.#restart();
  }

  /** Ends all calls; then the sums are the truth, and nothing is reserved. */
  async finish(): Promise<void> {
    while (this.#running.length > 0) this.#end(0, [1, 1]);
    this.#check();
    await this.#restart();
    this.#check();
    await this.#kept.close();
  }

  #check(): void {
    for (const [name, model] of this.#models) {
      const [kind, id] = name.split(' ') as [OwnerKind, string];
      const { limits } = model;
      const usage = this.#kept.budgets.usageOf(kind, { id, limits });
      assert.equal(Math.round(usage.costUsd * 1e9), model.cost, name);
      assert.equal(usage.tokens, model.tokens, name);
      assert.equal(usage.requests, model.requests, name);
      assert.equal(Math.round(usage.grantedUsd * 1e9), model.granted, name);
      const { running, reservedTokens, reservedNanoUsd } = this.#kept.budgets.ownerOf(kind, id);
      assert.deepEqual([running, reservedTokens, reservedNanoUsd], [0, 0, 0], name);
    }
  }

  #modelsOf(caller: number): ModelOwner[] {
    const { key, user } = CALLERS[caller] ?? assert.fail();
    return [`key ${key}`, ...(user === null ? [] : [`user ${user}`])].map(
      (name) => this.#models.get(name) ?? assert.fail(),
    );
  }

  #begin({ caller, tokens, cost }: Extract<Step, { kind: 'begin' }>): void {
    const { key, user } = CALLERS[caller] ?? assert.fail();
    const owners = this.#modelsOf(caller);
    const isAllowed = owners.every((owner) => owner.allows(this.#nowMs, tokens));
    const [keyModel, userModel] = owners;
    const admit = (): Reservation =>
      this.#gate.admit({
        key: { id: key, limits: keyModel?.limits ?? null },
        user: user === null ? null : { id: user, limits: userModel?.limits ?? null },
        tokens,
        costNanoUsd: cost,
      });
    if (!isAllowed) {
      assert.throws(admit, (error) => error instanceof HttpError && error.status === 429);
      return;
    }
    const entry = { tokens, cost };
    this.#running.push({ reservation: admit(), owners, entry });
    for (const owner of owners) {
      owner.running.push(entry);
      owner.begun.push(this.#nowMs);
    }
  }

  #end(which: number, used: readonly [number, number] | null): void {
    const [call] = this.#running.splice(which % Math.max(1, this.#running.length), 1);
    if (call === undefined) return;
    const { reservation, owners, entry } = call;
    this.#gate.settle(reservation, used === null ? null : { tokens: used[0], costNanoUsd: used[1] });
    for (const owner of owners) {
      owner.running.splice(owner.running.indexOf(entry), 1);
      owner.requests += 1;
      if (used === null) continue;
      owner.settled.push([this.#nowMs, ...used]);
      owner.recent.push([this.#nowMs, used[0]]);
    }
  }

  #grant(caller: number, cost: number): void {
    const [model] = this.#modelsOf(caller);
    const { key } = CALLERS[caller] ?? assert.fail();
    if (model === undefined) return;
    this.#kept.budgets.grant('key', { id: key, limits: model.limits }, { nanoUsd: cost, tokens: 0 });
    model.granted += cost;
  }

  async #restart(): Promise<void> {
    while (this.#running.length > 0) this.#end(0, [3, 3]);
    await this.#kept.close();
    this.#kept = await Trial.open(this.#folder, () => this.#nowMs);
    this.#gate = new LimitGate(this.#kept.budgets, () => this.#nowMs);
    for (const model of this.#models.values()) {
      model.begun = [];
      model.recent = [];
    }
  }
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ipin-limits-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('random calls of several keys come to what a plain model says', { timeout: 120_000 }, async (t) => {
  const folder = await makeFolder(t);
  let run = 0;
  const steps = fc.array(STEP, { minLength: 1, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(fc.array(LIMITS, { minLength: 4, maxLength: 4 }), steps, async (limits, list) => {
      run += 1;
      const trial = await Trial.start(join(folder, String(run)), limits);
      for (const step of list) await trial.do(step);
      await trial.finish();
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
