import type { TestContext } from 'node:test';
import type { HttpError } from '../../src/errors.ts';
import type { Reservation } from '../../src/limits/limits.ts';
import type { Engine } from '../../src/redis/engine.ts';
import { SharedBudgets } from '../../src/redis/shared-budgets.ts';
import { SharedGate } from '../../src/redis/shared-gate.ts';
import type { Limits } from '../../src/store/entities.ts';
import { makeLimits } from './limited-keys.ts';
import { connectEngine } from './redis-store.ts';

/** One instance, as far as limits are concerned. */
export interface GateInstance {
  readonly engine: Engine;
  readonly shared: SharedBudgets;
  readonly gate: SharedGate;
}

export interface GateStage {
  readonly instances: readonly GateInstance[];
  /** Milliseconds since the epoch, on the instances' clock and the engine's. */
  now(): number;
  /** Moves all clocks; the instances that are named, all if none are, stay alive. */
  pass(ms: number, living?: readonly GateInstance[]): Promise<void>;
}

/** Short enough that an instance that beats after each step stays alive. */
const STEP_MS = 4_000;

/** Ahead, so that the engine keeps what it is told; no period of a budget ends soon after it. */
function middleOfNextMonth(): number {
  const today = new Date();
  return Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 15, 12);
}

/** Instances on one engine, whose clocks are moved by hand. They end with the test. */
export async function openGates(
  t: TestContext,
  {
    url,
    count,
    startMs = middleOfNextMonth(),
  }: { readonly url: string; readonly count: number; readonly startMs?: number },
): Promise<GateStage> {
  let aheadMs = startMs - Date.now();
  const now = (): number => Date.now() + aheadMs;
  const instances = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const engine = await connectEngine(url, { instance: `i${index}`, skewMs: () => aheadMs });
      t.after(() => engine.close());
      const shared = new SharedBudgets(engine, now);
      await engine.add(shared);
      return { engine, shared, gate: new SharedGate(engine, shared, now) };
    }),
  );
  return {
    instances,
    now,
    async pass(ms, living = instances) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        aheadMs += Math.min(left, STEP_MS);
        for (const { engine } of living) if (engine.isReady) await engine.beat();
      }
    },
  };
}

export interface GateAsk {
  readonly key?: Partial<Limits>;
  readonly user?: Partial<Limits>;
  readonly tokens?: number;
  readonly usd?: number;
}

const made = new WeakMap<object, Limits>();

/** The same object for the same limits, as the configuration has it. */
function limitsOf(limits: Partial<Limits> | undefined): Limits | null {
  if (limits === undefined) return null;
  const known = made.get(limits) ?? makeLimits(limits);
  made.set(limits, known);
  return known;
}

/** Asks for a call of the key `k`, with limits or without; it belongs to the user `u` if that has limits. */
export async function admitCall({ gate }: GateInstance, ask: GateAsk): Promise<Reservation> {
  return await gate.admit({
    key: { id: 'k', limits: limitsOf(ask.key) },
    user: ask.user === undefined ? null : { id: 'u', limits: limitsOf(ask.user) },
    tokens: ask.tokens ?? 0,
    costNanoUsd: (ask.usd ?? 0) * 1e9,
  });
}

/** Why a call is refused. @throws Error if it is not. */
export async function refusalOf(instance: GateInstance, ask: GateAsk): Promise<HttpError> {
  const outcome = await admitCall(instance, ask).catch((error: HttpError) => error);
  if (outcome instanceof Error) return outcome;
  throw new Error('The call was let through.');
}
