import type { Grant, PeriodCounter, PeriodCounters } from '../limits/account.ts';
import { Budgets, type KeptBudgets, periodOf } from '../limits/budgets.ts';
import type { LimitedOwner } from '../limits/owner.ts';
import { BUDGET_PERIODS, type BudgetPeriod, type OwnerKind } from '../store/entities.ts';
import { giveTurn } from '../turns.ts';
import { unavailable } from './config-store.ts';
import { EngineAwayError } from './connection.ts';
import type { Engine, EnginePart } from './engine.ts';
import { BEAT, CHANGE_BUDGET, FORGET_BUDGETS, JOIN, OWNERS_PER_BEAT } from './limit-scripts.ts';
import { Outbox } from './outbox.ts';
import { PREFIX } from './scripts.ts';

const GONE_PER_BEAT = 200;

/** The name of an owner in the engine. */
export function nameOf(kind: OwnerKind, id: string): string {
  return `${kind}:${id}`;
}

/** The number of a period in the engine's counters. */
export function numberOf(period: BudgetPeriod): string {
  return String(BUDGET_PERIODS.indexOf(period) + 1);
}

/** The counters as scripts give them. */
export function toCounters(values: readonly number[]): PeriodCounters {
  const counterAt = (at: number): PeriodCounter => {
    const [startMs = 0, costNanoUsd = 0, tokens = 0, requests = 0, grantedNanoUsd = 0, grantedTokens = 0] =
      values.slice(at, at + 6);
    return { startMs, costNanoUsd, tokens, requests, grantedNanoUsd, grantedTokens };
  };
  return { day: counterAt(0), week: counterAt(6), month: counterAt(12), total: counterAt(18) };
}

/** What owners have used over all instances: counted in the engine, and shown from a copy in memory. */
export class SharedBudgets implements KeptBudgets, EnginePart {
  readonly budgets: Budgets;
  readonly outbox: Outbox;
  readonly isDamaged = false;
  readonly #engine: Engine;
  readonly #now: () => number;
  #epoch = '';
  /** Earlier names of this instance that the engine may still believe to live. */
  #earlier: string[] = [];
  /** Owners that are gone and that the engine still knows. */
  #gone: string[] = [];
  /** The last change of the engine's that the copy shows. */
  #revision = 0;
  #instances = 1;
  #isFirst = true;

  constructor(engine: Engine, now: () => number) {
    this.#engine = engine;
    this.#now = now;
    this.budgets = new Budgets(now);
    this.budgets.onForget(({ kind, id }) => this.#gone.push(nameOf(kind, id)));
    this.outbox = new Outbox(engine);
  }

  /** Names the connection on which this instance has joined the others last. */
  get epoch(): string {
    return this.#epoch;
  }

  /** How many instances lived when the engine was last asked; at least this one. */
  get instances(): number {
    return this.#instances;
  }

  /** True for one of the instances that live. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  async grant(kind: OwnerKind, { id, limits }: LimitedOwner, { nanoUsd, tokens }: Grant): Promise<void> {
    await this.#change(kind, id, ['grant', numberOf(periodOf(limits)), String(nanoUsd), String(tokens)]);
  }

  async reset(kind: OwnerKind, id: string): Promise<void> {
    await this.#change(kind, id, ['reset', '1', '0', '0']);
  }

  async resume(): Promise<void> {
    if (this.#epoch !== '') this.#earlier.push(this.#epoch);
    this.#epoch = this.#engine.epoch;
    const leases = [...this.outbox.takeLeases()].flatMap(([name, { calls, tokens, costNanoUsd }]) => {
      return [name, String(calls), String(tokens), String(costNanoUsd)];
    });
    await this.#engine.run(JOIN, [this.#epoch, this.#earlier.join(' '), ...leases]);
    this.#earlier = [];
    await this.outbox.resend();
    // An engine that has lost its data begins to count anew.
    this.#revision = 0;
    await this.beat();
  }

  async beat(): Promise<void> {
    this.outbox.send();
    const gone = this.#gone.splice(0, GONE_PER_BEAT);
    if (gone.length > 0) await this.#engine.run(FORGET_BUDGETS, gone);
    for (;;) {
      const reply = await this.#engine.run(BEAT, [this.#epoch, String(this.#revision)]);
      const [isAlive, instances, isFirst, revision, ...changed] = Array.isArray(reply) ? reply : [];
      this.#instances = Math.max(1, Number(instances));
      this.#isFirst = isFirst === 1;
      this.#revision = Number(revision);
      for (let at = 0; at < changed.length; at += 2) this.#show(String(changed[at]), changed[at + 1]);
      // What its calls held was given to others.
      if (isAlive !== 1) throw new EngineAwayError({ cause: new Error('this instance was believed dead') });
      if (changed.length < 2 * OWNERS_PER_BEAT) return;
    }
  }

  /** Tells all that is not told yet, and that this instance is no longer there. */
  async close(): Promise<void> {
    // Requests whose connections were closed just now are counted within two turns.
    await giveTurn();
    await giveTurn();
    await this.#engine.flush();
    await this.#engine.command(['ZREM', `${PREFIX}instances`, this.#epoch]).catch(() => {});
  }

  /** Shows what the engine has counted, and what it cannot have counted yet. */
  #show(name: string, values: unknown): void {
    const [, kind, id] = /^(key|user):(.*)$/s.exec(name) ?? [];
    if (kind === undefined || id === undefined || !Array.isArray(values)) return;
    const { account } = this.budgets.ownerOf(kind === 'key' ? 'key' : 'user', id);
    account.replace(toCounters(values.map(Number)));
    const { calls, ...used } = this.outbox.untold(name);
    if (calls > 0) account.add(this.#now(), used, calls);
  }

  async #change(kind: OwnerKind, id: string, change: readonly string[]): Promise<void> {
    const name = nameOf(kind, id);
    this.outbox.send();
    const values = await this.#engine.run(CHANGE_BUDGET, [name, ...change]).catch((error: unknown) => {
      throw unavailable(error);
    });
    this.#show(name, values);
  }
}
