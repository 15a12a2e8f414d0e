import type { BudgetPeriod } from '../store/entities.ts';
import { DAY_MS, dayOf } from '../usage/ledger/calendar.ts';

/** The period of owners whose budget names none. */
export const DEFAULT_PERIOD: BudgetPeriod = 'month';

/** 1 January 1970 was a Thursday: three days after a Monday. */
const DAYS_SINCE_MONDAY = 3;

/** When the present day, week and month began, by UTC, in milliseconds since the epoch. Worked out once a day. */
export class PeriodClock {
  readonly #starts = { day: Number.NaN, week: Number.NaN, month: Number.NaN, total: 0 };

  /** The beginning of the period that a time is in; `total` began at 0. */
  startOf(period: BudgetPeriod, nowMs: number): number {
    if (!(nowMs >= this.#starts.day && nowMs < this.#starts.day + DAY_MS)) this.#setStarts(nowMs);
    return this.#starts[period];
  }

  #setStarts(nowMs: number): void {
    const day = dayOf(nowMs);
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
