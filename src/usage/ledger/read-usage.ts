import { DAY_MS, type Day, dayOf, dayOfMonth, firstDay, HOUR_MS, type Month, monthOf } from './calendar.ts';
import type { LedgerFiles } from './ledger-files.ts';
import { Aggregation, bucketStart, type UsageQuery, type UsageResult } from './query.ts';
import type { UsageTable } from './usage-table.ts';

/** Where a query finds its rows. */
export interface UsageSources {
  readonly files: Pick<
    LedgerFiles,
    'hourDays' | 'openDays' | 'months' | 'loadHours' | 'loadParts' | 'loadMonth'
  >;
  /** The days that are in memory. */
  liveDays(): Day[];
  /** The rows of such a day as they are now; null: it is not in memory. */
  liveTable(day: Day): Promise<UsageTable | null>;
}

/**
 * Answers a query. Where days by UTC are enough, whole days come from the months' files. Other sealed days, unless single hours
 * are asked for, come from the parts into which the time of the query and a midnight of its time zone cut them. Everything else
 * comes from hours. A day whose hours are no longer kept counts as if all of it had happened when it began.
 * @throws TooManyRowsError.
 */
export async function readUsage(query: UsageQuery, sources: UsageSources): Promise<UsageResult> {
  const aggregation = new Aggregation(query);
  const days = new Days(query, sources);
  for (const month of days.months()) {
    const whole: Day[] = [];
    for (const day of days.ofMonth(month)) {
      if (days.isWhole(day)) whole.push(day);
      else if (days.isInParts(day)) await days.addParts(aggregation, day);
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

  /** The months within the time of the query that have data, in order. */
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

  /** True for a day that is not open, unless the query asks for single hours. */
  isInParts(day: Day): boolean {
    return this.#query.bucket !== 'hour' && !this.#unsealed.has(day);
  }

  async addParts(aggregation: Aggregation, day: Day): Promise<void> {
    const startMs = day * DAY_MS;
    const { fromMs, toMs } = this.#query;
    const first = Math.max(0, (fromMs - startMs) / HOUR_MS);
    const end = Math.min(24, (toMs - startMs) / HOUR_MS);
    const bucketAt = (hour: number): number => bucketStart(startMs + hour * HOUR_MS, this.#query);
    const cuts = [first];
    for (let hour = first + 1; hour < end; hour++) if (bucketAt(hour) !== bucketAt(hour - 1)) cuts.push(hour);
    cuts.push(end);
    const loaded = await this.#sources.files.loadParts(day, cuts).catch(() => null);
    if (loaded === null) return;
    const { table, starts } = loaded;
    const timeOf = (slot: number): number => startMs + (starts[slot] ?? 0) * HOUR_MS;
    aggregation.add({ table, slots: this.#slotsIn(starts.length, timeOf), timeOf });
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
