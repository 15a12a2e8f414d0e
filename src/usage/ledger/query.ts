import { CALL_OUTCOMES } from '../call-entry.ts';
import { DAY_MS } from './calendar.ts';
import type { Dimensions } from './dimensions.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';
import type { UsageTable } from './usage-table.ts';

/** What sums can be grouped and filtered by. */
export const GROUPS = ['key', 'user', 'model', 'provider', 'endpoint', 'outcome'] as const;
export type Group = (typeof GROUPS)[number];

export const BUCKETS = ['none', 'hour', 'day'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** Which calls are summed up, and how. */
export interface UsageQuery {
  /** Both are whole hours, in milliseconds since the epoch; `toMs` does not count. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly bucket: Bucket;
  /** Minutes east of UTC: where days begin. */
  readonly tzMinutes: number;
  /** At most two. */
  readonly groupBy: readonly Group[];
  readonly filters: Readonly<Partial<Record<Group, string>>>;
}

/** The sums of one group in one bucket of time. */
export interface UsageSums {
  /** In the order of `MEASURES`. */
  readonly values: Float64Array;
  /** Requests by outcome, in the order of `CALL_OUTCOMES`. */
  readonly outcomes: Float64Array;
  /** Both histograms: the time to the first byte, then the whole time from `MS_START` on. */
  readonly counts: Uint32Array;
}

export interface UsageRow extends UsageSums {
  /** The beginning of the bucket, in milliseconds since the epoch; null with the bucket `none`. */
  readonly timeMs: number | null;
  /** One value for each group of the query. */
  readonly group: readonly (string | null)[];
}

export interface UsageResult {
  /** By time, then the largest number of requests first. */
  readonly rows: readonly UsageRow[];
  readonly totals: UsageSums;
}

/** Too many rows for one answer. */
export class TooManyRowsError extends Error {
  override readonly name = 'TooManyRowsError';
}

export const ROWS_LIMIT = 50_000;

/** A part of a table: some of its slots, one bit for each, and the time at which a slot begins. */
export interface TablePart {
  readonly table: UsageTable;
  readonly slots: number;
  timeOf(slot: number): number;
}

interface GroupIndex {
  readonly index: number;
  readonly values: readonly (string | null)[];
}

/** Adds up tables for one query. Rows of the same bucket and group are one row; the totals are the sums of all rows. */
export class Aggregation {
  readonly #query: UsageQuery;
  readonly #groups = new Map<string, GroupIndex>();
  readonly #rows = new Map<number, Map<number, UsageRow>>();
  #size = 0;

  constructor(query: UsageQuery) {
    this.#query = query;
  }

  /** @throws TooManyRowsError. */
  add({ table, slots, timeOf }: TablePart): void {
    const groups = table.tuples.map((tuple) => this.#groupOf(tuple));
    const outcomes = table.tuples.map(({ outcome }) => CALL_OUTCOMES.indexOf(outcome));
    const bySlot: (Map<number, UsageRow> | undefined)[] = [];
    for (let row = 0; row < table.length; row++) {
      const slot = table.slotOf[row] ?? 0;
      const tuple = table.tupleOf[row] ?? 0;
      const group = groups[tuple];
      if ((slots & (1 << slot)) === 0 || group === null || group === undefined) continue;
      bySlot[slot] ??= this.#bucketRows(timeOf(slot));
      const rows = bySlot[slot];
      const sums = rows.get(group.index) ?? this.#addRow(rows, group, timeOf(slot));
      table.addRowTo(row, sums.values, sums.counts);
      const outcome = outcomes[tuple] ?? 0;
      sums.outcomes[outcome] = (sums.outcomes[outcome] ?? 0) + (table.values[row * MEASURE_COUNT] ?? 0);
    }
  }

  result(): UsageResult {
    const rows = [...this.#rows.values()].flatMap((byGroup) => [...byGroup.values()]);
    rows.sort(
      (one, other) =>
        (one.timeMs ?? 0) - (other.timeMs ?? 0) ||
        (other.values[0] ?? 0) - (one.values[0] ?? 0) ||
        (one.group.join() < other.group.join() ? -1 : 1),
    );
    const totals = emptySums();
    for (const { values, outcomes, counts } of rows) {
      addTo(totals.values, values);
      addTo(totals.outcomes, outcomes);
      for (let at = 0; at < COUNTS_LENGTH; at++)
        totals.counts[at] = (totals.counts[at] ?? 0) + (counts[at] ?? 0);
    }
    return { rows, totals };
  }

  /** null: the filters leave these dimensions out. */
  #groupOf(tuple: Dimensions): GroupIndex | null {
    const { groupBy, filters } = this.#query;
    for (const name of GROUPS) {
      const wanted = filters[name];
      if (wanted !== undefined && tuple[name] !== wanted) return null;
    }
    const values = groupBy.map((name) => tuple[name]);
    const key = JSON.stringify(values);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { index: this.#groups.size, values };
    this.#groups.set(key, group);
    return group;
  }

  #bucketRows(timeMs: number): Map<number, UsageRow> {
    const bucketMs = bucketStart(timeMs, this.#query);
    let rows = this.#rows.get(bucketMs);
    if (rows === undefined) {
      rows = new Map();
      this.#rows.set(bucketMs, rows);
    }
    return rows;
  }

  #addRow(rows: Map<number, UsageRow>, group: GroupIndex, timeMs: number): UsageRow {
    this.#size += 1;
    if (this.#size > ROWS_LIMIT) throw new TooManyRowsError(`more than ${ROWS_LIMIT} rows`);
    const isWhole = this.#query.bucket === 'none';
    const row: UsageRow = {
      timeMs: isWhole ? null : bucketStart(timeMs, this.#query),
      group: group.values,
      ...emptySums(),
    };
    rows.set(group.index, row);
    return row;
  }
}

function emptySums(): UsageSums {
  return {
    values: new Float64Array(MEASURE_COUNT),
    outcomes: new Float64Array(CALL_OUTCOMES.length),
    counts: new Uint32Array(COUNTS_LENGTH),
  };
}

function addTo(sums: Float64Array, values: Float64Array): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (values[at] ?? 0);
}

/** The beginning of the bucket of an hour, in UTC: an hour belongs to the day in which it begins at `tzMinutes`. */
export function bucketStart(timeMs: number, { bucket, tzMinutes }: UsageQuery): number {
  if (bucket === 'none') return 0;
  if (bucket === 'hour') return timeMs;
  const offsetMs = tzMinutes * 60_000;
  return Math.floor((timeMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
}
