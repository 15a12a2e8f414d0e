import type { BudgetPeriod } from '../store/entities.ts';

/** The periods of budgets, the shortest first. */
export const PERIODS = ['day', 'week', 'month', 'total'] as const satisfies BudgetPeriod[];

/** The period of owners whose budget names none. */
export const DEFAULT_PERIOD: BudgetPeriod = 'month';

const DAY_MS = 24 * 60 * 60 * 1000;
/** 1 January 1970 was a Thursday: three days after a Monday. */
const DAYS_SINCE_MONDAY = 3;

/** When the present day, week and month began, by UTC, in milliseconds since the epoch. Worked out once a day. */
export class PeriodClock {
  readonly #starts = { day: Number.NaN, week: Number.NaN, month: Number.NaN, total: 0 };

  /** The beginning of the period that a time is in. The time since ever began at 0. */
  startOf(period: BudgetPeriod, nowMs: number): number {
    if (!(nowMs >= this.#starts.day && nowMs < this.#starts.day + DAY_MS)) this.#setStarts(nowMs);
    return this.#starts[period];
  }

  #setStarts(nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS);
    const date = new Date(nowMs);
    this.#starts.day = day * DAY_MS;
    this.#starts.week = (day - ((((day + DAYS_SINCE_MONDAY) % 7) + 7) % 7)) * DAY_MS;
    this.#starts.month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
}

/** The end of the period that began at a time; null: `total` has none. */
export function endOfPeriod(period: BudgetPeriod, startMs: number): number | null {
  switch (period) {
    case 'day':
      return startMs + DAY_MS;
    case 'week':
      return startMs + 7 * DAY_MS;
    case 'month': {
      const date = new Date(startMs);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    }
    case 'total':
      return null;
  }
}
