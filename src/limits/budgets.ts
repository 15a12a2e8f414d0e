import type { BudgetPeriod, Limits, OwnerKind } from '../store/entities.ts';
import { toUsd } from '../usage/money.ts';
import { Account, type Grant, type PeriodCounters } from './account.ts';
import { type LimitedOwner, Owner } from './owner.ts';
import { DEFAULT_PERIOD, endOfPeriod, PeriodClock } from './periods.ts';

/** The counters of one owner, as they are stored. */
export interface OwnerCounters {
  readonly kind: OwnerKind;
  readonly id: string;
  readonly counters: PeriodCounters;
}

/** What an owner used in the present period of its budget, as the API shows it. */
export interface PeriodUsage {
  readonly period: BudgetPeriod;
  /** ISO 8601; null: never. */
  readonly resetsAt: string | null;
  readonly costUsd: number;
  readonly tokens: number;
  /** Calls that were let through. */
  readonly requests: number;
  readonly grantedUsd: number;
  readonly grantedTokens: number;
}

/** Keys and users that were deleted and stay until their period ends; beyond that, the oldest are forgotten. */
const DELETED_LIMIT = 10_000;

/** The period of an owner's budget. */
export function periodOf(limits: Limits | null): BudgetPeriod {
  return limits?.budgetPeriod ?? DEFAULT_PERIOD;
}

/** Budgets, and the way to keep them. */
export interface KeptBudgets {
  readonly budgets: Budgets;
  /** Some of what was kept is damaged and set aside. */
  readonly isDamaged: boolean;
  /** Adds to an owner's budget until its period ends; resolves when it is kept. @throws HttpError `storage_unavailable`. */
  grant(kind: OwnerKind, owner: LimitedOwner, grant: Grant): Promise<void>;
  /** Starts an owner's counts anew; resolves when that is kept. @throws HttpError `storage_unavailable`. */
  reset(kind: OwnerKind, id: string): Promise<void>;
  /** Writes what has changed for the last time. */
  close(): Promise<void>;
}

/** Budgets that end with the process. */
export function budgetsInMemory(now: () => number): KeptBudgets {
  const budgets = new Budgets(now);
  return {
    budgets,
    isDamaged: false,
    grant: async (kind, owner, grant) => budgets.grant(kind, owner, grant),
    reset: async (kind, id) => budgets.reset(kind, id),
    close: async () => {},
  };
}

/** What every key and every user has used, in memory. `BudgetFile` keeps it on the disk. */
export class Budgets {
  readonly #now: () => number;
  readonly #clock = new PeriodClock();
  readonly #owners: Readonly<Record<OwnerKind, Map<string, Owner>>> = { key: new Map(), user: new Map() };
  #changed = new Set<Owner>();
  #onChange: () => void = () => {};
  #onForget: (owner: Owner) => void = () => {};
  #isKnown: (kind: OwnerKind, id: string) => boolean = () => true;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Calls back after the first change since `takeChanged`. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Calls back with each owner that is forgotten. */
  onForget(listener: (owner: Owner) => void): void {
    this.#onForget = listener;
  }

  /** How many owners have counters. */
  get size(): number {
    return this.#owners.key.size + this.#owners.user.size;
  }

  /** Calls that have begun and not ended; a call of a user's key counts for both. */
  get running(): number {
    let running = 0;
    for (const { running: calls } of this.#owners.key.values()) running += calls;
    for (const { running: calls } of this.#owners.user.values()) running += calls;
    return running;
  }

  /** The owner with an id; made if nothing was counted for it yet. */
  ownerOf(kind: OwnerKind, id: string): Owner {
    const owners = this.#owners[kind];
    const known = owners.get(id);
    if (known !== undefined) return known;
    const owner = new Owner(kind, id, new Account(this.#clock));
    owners.set(id, owner);
    return owner;
  }

  /** What an owner used in the present period of its budget. */
  usageOf(kind: OwnerKind, { id, limits }: LimitedOwner): PeriodUsage {
    const period = periodOf(limits);
    const nowMs = this.#now();
    const counter = this.#owners[kind].get(id)?.account.at(period, nowMs);
    const endMs = endOfPeriod(period, this.#clock.startOf(period, nowMs));
    return {
      period,
      resetsAt: endMs === null ? null : new Date(endMs).toISOString(),
      costUsd: toUsd(counter?.costNanoUsd ?? 0),
      tokens: counter?.tokens ?? 0,
      requests: counter?.requests ?? 0,
      grantedUsd: toUsd(counter?.grantedNanoUsd ?? 0),
      grantedTokens: counter?.grantedTokens ?? 0,
    };
  }

  /** Adds to an owner's budget until its period ends. */
  grant(kind: OwnerKind, { id, limits }: LimitedOwner, grant: Grant): void {
    const owner = this.ownerOf(kind, id);
    owner.account.grant(periodOf(limits), this.#now(), grant);
    this.noteChange(owner);
  }

  /** Starts an owner's counts anew, and ends what was granted. */
  reset(kind: OwnerKind, id: string): void {
    const owner = this.ownerOf(kind, id);
    owner.account.reset(this.#now());
    this.noteChange(owner);
  }

  /** Notes that an owner's counters are no longer what is stored. */
  noteChange(owner: Owner): void {
    this.#changed.add(owner);
    if (this.#changed.size === 1) this.#onChange();
  }

  /** The owners whose counters have changed since the last call. */
  takeChanged(): readonly Owner[] {
    const changed = [...this.#changed];
    this.#changed = new Set();
    return changed;
  }

  /** The counters of all owners. */
  all(): OwnerCounters[] {
    const { key, user } = this.#owners;
    return [...key.values(), ...user.values()].map(({ kind, id, account }) => {
      return { kind, id, counters: account.counters };
    });
  }

  /** Takes over counters that were stored. What was counted before is replaced. */
  restore({ kind, id, counters }: OwnerCounters): void {
    this.#owners[kind].set(id, new Owner(kind, id, new Account(this.#clock, counters)));
  }

  /** Sets which owners still exist; absent: all do. */
  setKnown(isKnown: (kind: OwnerKind, id: string) => boolean): void {
    this.#isKnown = isKnown;
  }

  /** Forgets owners that were deleted, once their periods are over. */
  prune(): void {
    const nowMs = this.#now();
    for (const owners of Object.values(this.#owners)) {
      const deleted = [...owners.values()].filter((owner) => !this.#isKnown(owner.kind, owner.id));
      for (const [index, owner] of deleted.entries()) {
        const isForgotten = index < deleted.length - DELETED_LIMIT || owner.account.isOver(nowMs);
        if (!isForgotten || owner.running > 0) continue;
        owners.delete(owner.id);
        this.#onForget(owner);
      }
    }
  }
}
