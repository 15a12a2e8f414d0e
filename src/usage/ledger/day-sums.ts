import { type Day, dayOfMonth } from './calendar.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';
import { SLOTS, UsageTable } from './usage-table.ts';

interface Sum {
  readonly values: Float64Array;
  readonly counts: Uint32Array;
}

/** The days of a month with the sums of one more day, which replace what they held of it. */
export function withDay(month: UsageTable | null, day: Day, hours: UsageTable): UsageTable {
  const slot = dayOfMonth(day);
  const table = new UsageTable();
  if (month !== null) copyRows(month, table, slot);
  copyRows(regrouped(hours, Array<number>(24).fill(slot)), table, -1);
  table.trim();
  return table;
}

/** A table with fewer slots: rows that get the same slot are added up. @param slots by slot: its new one; -1: it is left out */
export function regrouped(table: UsageTable, slots: readonly number[]): UsageTable {
  const sums = new Map<number, Sum>();
  for (let row = 0; row < table.length; row++) {
    const slot = slots[table.slotOf[row] ?? 0] ?? -1;
    if (slot === -1) continue;
    const key = (table.tupleOf[row] ?? 0) * SLOTS + slot;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { values: new Float64Array(MEASURE_COUNT), counts: new Uint32Array(COUNTS_LENGTH) };
      sums.set(key, sum);
    }
    table.addRowTo(row, sum.values, sum.counts);
  }
  const result = new UsageTable();
  for (const [key, { values, counts }] of sums) {
    const dimensions = table.tuples[Math.floor(key / SLOTS)];
    if (dimensions !== undefined) result.set(dimensions, key % SLOTS, values, counts);
  }
  result.trim();
  return result;
}

/** Copies all rows but those of the slot `without`. */
function copyRows(from: UsageTable, to: UsageTable, without: number): void {
  const values = new Float64Array(MEASURE_COUNT);
  const counts = new Uint32Array(COUNTS_LENGTH);
  for (let row = 0; row < from.length; row++) {
    const own = from.slotOf[row] ?? 0;
    const dimensions = from.tuples[from.tupleOf[row] ?? 0];
    if (own === without || dimensions === undefined) continue;
    values.fill(0);
    counts.fill(0);
    from.addRowTo(row, values, counts);
    to.set(dimensions, own, values, counts);
  }
}

/** A table with the rows of several; where two have the same, that of the last one. */
export function merged(tables: readonly UsageTable[]): UsageTable {
  const [first, ...rest] = tables;
  if (first !== undefined && rest.length === 0) return first;
  const table = new UsageTable();
  for (const other of tables) copyRows(other, table, -1);
  table.trim();
  return table;
}
