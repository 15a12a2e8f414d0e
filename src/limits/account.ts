import { BUDGET_PERIODS, type BudgetPeriod } from '../store/entities.ts';
import type { PeriodClock } from './periods.ts';

/** What was used in one period, and what was added to its budget. */
export interface PeriodCounter {
  /** The beginning of the period; milliseconds since the epoch. */
  startMs: number;
  costNanoUsd: number;
  tokens: number;
  /** Calls that were let through. */
  requests: number;
  grantedNanoUsd: number;
  grantedTokens: number;
}

/** The counters of all periods. They are kept side by side, so that a budget may change its period at any time. */
export type PeriodCounters = Readonly<Record<BudgetPeriod, PeriodCounter>>;

/** What a call used in the end. */
export interface Settlement {
  /** Of the prompt and of the answer. */
  readonly tokens: number;
  readonly costNanoUsd: number;
}

/** What is added to a budget until its period ends. */
export interface Grant {
  readonly nanoUsd: number;
  readonly tokens: number;
}

/** What a key or a user has used in the present day, week and month, and ever. */
export class Account {
  readonly #clock: PeriodClock;
  readonly #counters: PeriodCounters;

  constructor(clock: PeriodClock, counters: PeriodCounters = noCounters()) {
    this.#clock = clock;
    this.#counters = counters;
  }

  /** The counter of the period that a time is in. */
  at(period: BudgetPeriod, nowMs: number): Readonly<PeriodCounter> {
    return this.#present(period, nowMs);
  }

  /** The counters as they are stored; a period that has ended may still stand in them. */
  get counters(): PeriodCounters {
    return this.#counters;
  }

  /** Takes over counters that were counted elsewhere. */
  replace(counters: PeriodCounters): void {
    for (const period of BUDGET_PERIODS) Object.assign(this.#counters[period], counters[period]);
  }

  /** Counts calls that were let through, and what they used together. null: nothing. */
  add(nowMs: number, used: Settlement | null, calls = 1): void {
    for (const period of BUDGET_PERIODS) {
      const counter = this.#present(period, nowMs);
      counter.requests += calls;
      if (used === null) continue;
      counter.costNanoUsd = sumOf(counter.costNanoUsd, used.costNanoUsd);
      counter.tokens = sumOf(counter.tokens, used.tokens);
    }
  }

  /** Adds to the budget of the present period. */
  grant(period: BudgetPeriod, nowMs: number, { nanoUsd, tokens }: Grant): void {
    const counter = this.#present(period, nowMs);
    counter.grantedNanoUsd = sumOf(counter.grantedNanoUsd, nanoUsd);
    counter.grantedTokens = sumOf(counter.grantedTokens, tokens);
  }

  /** Starts all counts anew, and ends what was granted. */
  reset(nowMs: number): void {
    for (const period of BUDGET_PERIODS) clear(this.#counters[period], this.#clock.startOf(period, nowMs));
  }

  /** True once the present day, week and month hold nothing. */
  isOver(nowMs: number): boolean {
    return BUDGET_PERIODS.every((period) => {
      return period === 'total' || this.#counters[period].startMs < this.#clock.startOf(period, nowMs);
    });
  }

  #present(period: BudgetPeriod, nowMs: number): PeriodCounter {
    const counter = this.#counters[period];
    const startMs = this.#clock.startOf(period, nowMs);
    // A clock that was set back starts no period anew.
    if (counter.startMs < startMs) clear(counter, startMs);
    return counter;
  }
}

/** A provider may report absurd numbers; a larger sum could not be read back from its file. */
function sumOf(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}

function clear(counter: PeriodCounter, startMs: number): void {
  counter.startMs = startMs;
  counter.costNanoUsd = 0;
  counter.tokens = 0;
  counter.requests = 0;
  counter.grantedNanoUsd = 0;
  counter.grantedTokens = 0;
}

function noCounters(): PeriodCounters {
  return { day: noCounter(), week: noCounter(), month: noCounter(), total: noCounter() };
}

function noCounter(): PeriodCounter {
  return { startMs: 0, costNanoUsd: 0, tokens: 0, requests: 0, grantedNanoUsd: 0, grantedTokens: 0 };
}
