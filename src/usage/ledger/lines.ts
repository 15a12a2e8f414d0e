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

/** Gets the rows of a line. */
export interface RowTaker {
  begin(dimensions: Dimensions): void;
  isWanted(slot: number): boolean;
  /** `length`: how many numbers of the row count. */
  take(slot: number, length: number): void;
}

/** Room for one row of a line. */
export function createRow(): Float64Array {
  return new Float64Array(ROW_LENGTH);
}

/**
 * Reads a line: each row that is wanted is put into `row`, then taken. Returns false at the first thing that is something else; the
 * rows before it are taken. Reads bytes, because a month as objects of JSON would need many times its memory.
 */
export function readLine(line: Buffer, row: Float64Array, taker: RowTaker): boolean {
  const end = endOfDimensions(line);
  const dimensions = fromList(parseJson(line.toString('utf8', 1, end)));
  if (line[0] !== OPEN || dimensions === null) return false;
  taker.begin(dimensions);
  let at = end;
  while (line[at] === COMMA) {
    const slot = slotAt(line, at + 1);
    if (slot === -1) return false;
    if (taker.isWanted(slot)) {
      const length = readRow(line, at + 1, row);
      if (!isRow(row, length)) return false;
      taker.take(slot, length);
    }
    at = line.indexOf(CLOSE, at) + 1;
  }
  return line[at] === CLOSE && at === line.length - 1;
}

/** The slot with which a row begins, or -1. @param start of the row */
function slotAt(line: Buffer, start: number): number {
  const first = digitAt(line, start + 1);
  if (line[start] !== OPEN || first === -1) return -1;
  if (line[start + 2] === COMMA) return first;
  const second = digitAt(line, start + 2);
  const slot = first * 10 + second;
  return second !== -1 && slot < SLOTS && line[start + 3] === COMMA ? slot : -1;
}

function digitAt(line: Buffer, at: number): number {
  const sign = line[at] ?? 0;
  return sign >= ZERO && sign <= NINE ? sign - ZERO : -1;
}

/** Reads an array of whole numbers that begins at `start`. Returns how many there are; 0: there is something else. */
function readRow(line: Buffer, start: number, row: Float64Array): number {
  let length = 0;
  let value = -1;
  for (let at = start + 1; at < line.length; at++) {
    const sign = line[at] ?? 0;
    if (sign >= ZERO && sign <= NINE) {
      // The digit is worked out first: the largest exact number and ZERO together would not be exact.
      value = (value === -1 ? 0 : value * 10) + (sign - ZERO);
      continue;
    }
    if (value === -1 || length >= ROW_LENGTH) return 0;
    row[length] = value;
    length += 1;
    value = -1;
    if (sign === CLOSE) return length;
    if (sign !== COMMA) return 0;
  }
  return 0;
}

/** Puts the lines of a file into a table. */
export class LineReader {
  readonly table = new UsageTable();
  readonly #row = createRow();
  #tuple = 0;
  #lastSlot = SLOTS;

  /** Returns false at the first thing in the line that is something else; the slots before it are taken. */
  read(line: Buffer): boolean {
    return readLine(line, this.#row, this);
  }

  begin(dimensions: Dimensions): void {
    const before = this.table.tuples.length;
    this.#tuple = this.table.tupleOfDimensions(dimensions);
    // In a file that was written as a whole, each combination has one line, with its slots in order.
    this.#lastSlot = this.#tuple === before ? -1 : SLOTS;
  }

  isWanted(): boolean {
    return true;
  }

  take(slot: number, length: number): void {
    const isNew = slot > this.#lastSlot;
    this.table.setList(this.#tuple, { list: this.#row, length, isNew });
    this.#lastSlot = isNew ? slot : SLOTS;
  }
}

const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;

/** Where the array of dimensions, the first one in the line, ends: before this byte. */
function endOfDimensions(line: Buffer): number {
  let isText = false;
  for (let at = 1; at < line.length; at++) {
    const sign = line[at];
    if (isText && sign === BACKSLASH) at += 1;
    else if (sign === QUOTE) isText = !isText;
    else if (!isText && sign === CLOSE) return at + 1;
  }
  return line.length;
}

function isRow(row: Float64Array, length: number): boolean {
  if (length < PAIRS_START || (length - PAIRS_START) % 2 !== 0) return false;
  for (let at = PAIRS_START; at < length; at += 2) {
    if ((row[at] ?? COUNTS_LENGTH) >= COUNTS_LENGTH) return false;
  }
  return true;
}
