import { DAY_MS, type Day, dayOf, dayOfMonth, firstDay, HOUR_MS, type Month, monthOf } from './calendar.ts';
import type { LedgerFiles } from './ledger-files.ts';
import { Aggregation, bucketOf, type UsageQuery, type UsageResult } from './query.ts';
import type { UsageTable } from './usage-table.ts';

/** Where a query finds its rows. */
export interface UsageSources {
  readonly files: Pick<
    LedgerFiles,
    'hourDays' | 'openDays' | 'months' | 'loadHours' | 'loadHalves' | 'loadMonth'
  >;
  /** The days that are in memory. */
  liveDays(): Day[];
  /** The rows of such a day as they are now; null: it is not in memory. */
  liveTable(day: Day): Promise<UsageTable | null>;
}

/**
 * Answers a query. Sums of whole days come from the months' files where days by UTC are enough, all others from hours; days of
 * other time zones from the two parts into which they cut a day by UTC. A day
 * whose hours are no longer kept counts as if all of it had happened when it began.
 * @throws TooManyRowsError.
 */
export async function readUsage(query: UsageQuery, sources: UsageSources): Promise<UsageResult> {
  const aggregation = new Aggregation(query);
  const days = new Days(query, sources);
  for (const month of days.months()) {
    const whole: Day[] = [];
    for (const day of days.ofMonth(month)) {
      if (days.isWhole(day)) whole.push(day);
      else if (days.isCut(day)) await days.addHalves(aggregation, day);
      else await days.addHours(aggregation, day);
    }
    if (whole.length > 0) await days.addDays(aggregation, month, whole);
  }
  return aggregation.result();
}

/** The days of one query. */
class Days {
  readonly #query: UsageQuery;
  readonly #sources: UsageSources;
  readonly #withHours: ReadonlySet<Day>;
  readonly #unsealed: ReadonlySet<Day>;

  constructor(query: UsageQuery, sources: UsageSources) {
    const { files } = sources;
    this.#query = query;
    this.#sources = sources;
    this.#unsealed = new Set([...files.openDays(), ...sources.liveDays()]);
    this.#withHours = new Set([...files.hourDays(), ...this.#unsealed]);
  }

  /** The months of which something is kept within the time of the query, in order. */
  months(): Month[] {
    const { fromMs, toMs } = this.#query;
    const known = new Set([...this.#sources.files.months(), ...[...this.#withHours].map(monthOf)]);
    const first = monthOf(dayOf(fromMs));
    const last = monthOf(dayOf(toMs - 1));
    return [...known].filter((month) => month >= first && month <= last).sort((one, other) => one - other);
  }

  /** The days of a month that the query touches. */
  ofMonth(month: Month): Day[] {
    const { fromMs, toMs } = this.#query;
    const first = Math.max(firstDay(month), dayOf(fromMs));
    const last = Math.min(firstDay(month + 1) - 1, dayOf(toMs - 1));
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }

  /** True if the sums of the whole day are used. */
  isWhole(day: Day): boolean {
    const { fromMs, toMs, bucket, tzMinutes } = this.#query;
    if (this.#unsealed.has(day)) return false;
    if (!this.#withHours.has(day)) return true;
    const isByDay = bucket === 'none' || (bucket === 'day' && tzMinutes % (24 * 60) === 0);
    return isByDay && day * DAY_MS >= fromMs && (day + 1) * DAY_MS <= toMs;
  }

  /** True if the query needs no more of a day than its two parts, before and after midnight in its time zone. */
  isCut(day: Day): boolean {
    const { fromMs, toMs, bucket } = this.#query;
    const isInside = day * DAY_MS >= fromMs && (day + 1) * DAY_MS <= toMs;
    return bucket === 'day' && isInside && this.#withHours.has(day) && !this.#unsealed.has(day);
  }

  async addHalves(aggregation: Aggregation, day: Day): Promise<void> {
    const startMs = day * DAY_MS;
    const first = bucketOf(startMs, this.#query);
    let cutHour = 1;
    while (cutHour < 24 && bucketOf(startMs + cutHour * HOUR_MS, this.#query) === first) cutHour += 1;
    const table = await this.#sources.files.loadHalves(day, cutHour).catch(() => null);
    if (table === null) return;
    aggregation.add({ table, slots: 0b11, timeOf: (half) => startMs + half * cutHour * HOUR_MS });
  }

  async addHours(aggregation: Aggregation, day: Day): Promise<void> {
    const { files } = this.#sources;
    const live = await this.#sources.liveTable(day);
    const table = live ?? (await files.loadHours(day).catch(() => null));
    if (table === null) return;
    const startMs = day * DAY_MS;
    const slots = this.#slotsIn(24, (slot) => startMs + slot * HOUR_MS);
    aggregation.add({ table, slots, timeOf: (slot) => startMs + slot * HOUR_MS });
  }

  async addDays(aggregation: Aggregation, month: Month, days: readonly Day[]): Promise<void> {
    const table = await this.#sources.files.loadMonth(month).catch(() => null);
    if (table === null) {
      // Without the month's file its days are added up from their hours, as long as these are kept.
      for (const day of days) await this.addHours(aggregation, day);
      return;
    }
    const timeOf = (slot: number): number => (firstDay(month) + slot - 1) * DAY_MS;
    const wanted = days.reduce((slots, day) => slots | (1 << dayOfMonth(day)), 0);
    aggregation.add({ table, slots: wanted & this.#slotsIn(32, timeOf), timeOf });
  }

  /** The slots that begin within the time of the query, one bit for each. */
  #slotsIn(count: number, timeOf: (slot: number) => number): number {
    const { fromMs, toMs } = this.#query;
    let slots = 0;
    for (let slot = 0; slot < count; slot++) {
      const timeMs = timeOf(slot);
      if (timeMs >= fromMs && timeMs < toMs) slots |= 1 << slot;
    }
    return slots;
  }
}
