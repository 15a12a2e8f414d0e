import { parseJson } from '../../json/value.ts';
import { type Dimensions, fromList, toList } from './dimensions.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';
import { SLOTS, UsageTable } from './usage-table.ts';

/**
 * A line of a file is a JSON array: the dimensions, then one array for each slot: the slot, all measures, and the pairs of
 * bucket and count of both histograms. Values are absolute: the last line of a slot counts.
 */
const PAIRS_START = 1 + MEASURE_COUNT;
const ROW_LENGTH = PAIRS_START + 2 * COUNTS_LENGTH;

/** The line of one row that is not in a table. */
export function toLine(
  dimensions: Dimensions,
  slot: number,
  values: Float64Array,
  counts: Uint32Array,
): string {
  const row = [slot, ...values];
  for (let bucket = 0; bucket < COUNTS_LENGTH; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count > 0) row.push(bucket, count);
  }
  return JSON.stringify([toList(dimensions), row]);
}

/** All rows of a table, one line for each combination of dimensions. */
export function* toLines(table: UsageTable): Generator<string> {
  const rows = Array.from({ length: table.length }, (_, row) => row);
  rows.sort((one, other) => (table.tupleOf[one] ?? 0) - (table.tupleOf[other] ?? 0));
  let line: unknown[] = [];
  let tuple = -1;
  for (const row of rows) {
    const own = table.tupleOf[row] ?? 0;
    const dimensions = table.tuples[own];
    if (own !== tuple && dimensions !== undefined) {
      if (line.length > 0) yield JSON.stringify(line);
      line = [toList(dimensions)];
      tuple = own;
    }
    line.push(rowOf(table, row));
  }
  if (line.length > 0) yield JSON.stringify(line);
}

function rowOf(table: UsageTable, row: number): number[] {
  const first = row * MEASURE_COUNT;
  const list = [table.slotOf[row] ?? 0, ...table.values.subarray(first, first + MEASURE_COUNT)];
  const start = table.pairStart[row] ?? 0;
  const end = start + (table.pairLength[row] ?? 0);
  for (let at = start; at < end; at++) list.push(table.pairBuckets[at] ?? 0, table.pairCounts[at] ?? 0);
  return list;
}

/** Puts the lines of a file into a table. */
export class LineReader {
  readonly table = new UsageTable();

  /** Returns false if the line holds something else, of which nothing is taken. */
  read(text: string): boolean {
    const line = parseJson(text);
    if (!Array.isArray(line)) return false;
    const [first, ...rows]: readonly unknown[] = line;
    const dimensions = fromList(first);
    if (dimensions === null || !rows.every(isRow)) return false;
    const tuple = this.table.tupleOfDimensions(dimensions);
    for (const row of rows) this.table.setList(tuple, row);
    return true;
  }
}

function isRow(row: unknown): row is number[] {
  if (!Array.isArray(row) || row.length < PAIRS_START || row.length > ROW_LENGTH) return false;
  if ((row.length - PAIRS_START) % 2 !== 0) return false;
  for (let at = 0; at < row.length; at++) {
    const value: unknown = row[at];
    if (typeof value !== 'number' || !(value >= 0) || !Number.isInteger(value)) return false;
    if (at === 0 && value >= SLOTS) return false;
    if (at >= PAIRS_START && (at - PAIRS_START) % 2 === 0 && value >= COUNTS_LENGTH) return false;
  }
  return true;
}
