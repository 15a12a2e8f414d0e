import { type Dimensions, type DimensionsKey, keyOfDimensions } from './dimensions.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';

/** A row holds the sums of one combination of dimensions in one slot: an hour of a day (0 to 23) or a day of a month. */
export const SLOTS = 32;

const FIRST_ROWS = 32;
const FIRST_POOL = 128;
/** Estimates of what the engine needs for an object of dimensions, beside its texts. */
const TUPLE_BYTES = 120;

/** A row as a list of numbers. */
export interface RowList {
  /** The slot, all measures, then pairs of bucket and count. */
  readonly list: Float64Array;
  /** How many numbers of the list count. */
  readonly length: number;
  /** The table certainly has no such row. */
  readonly isNew: boolean;
}

/**
 * The rows of one day or month, as columns of typed arrays. `values` holds all measures of a row side by side. A histogram
 * is stored as pairs of bucket and count, in a pool.
 */
export class UsageTable {
  readonly tuples: Dimensions[] = [];
  /** By row: the index of its dimensions in `tuples`. */
  tupleOf = new Uint32Array(FIRST_ROWS);
  slotOf = new Uint8Array(FIRST_ROWS);
  values = new Float64Array(FIRST_ROWS * MEASURE_COUNT);
  pairStart = new Uint32Array(FIRST_ROWS);
  pairLength = new Uint8Array(FIRST_ROWS);
  pairBuckets = new Uint8Array(FIRST_POOL);
  pairCounts = new Uint32Array(FIRST_POOL);
  #length = 0;
  #pairEnd = 0;
  #unusedPairs = 0;
  /** null: made when it is needed. */
  #tupleIndex: Map<DimensionsKey, number> | null = null;
  #rowIndex: Map<number, number> | null = null;

  get length(): number {
    return this.#length;
  }

  /** About the memory that it takes. */
  get bytes(): number {
    const columns = this.values.byteLength + this.tupleOf.byteLength * 2 + this.slotOf.byteLength * 2;
    const pairs = this.pairBuckets.byteLength + this.pairCounts.byteLength;
    let texts = 0;
    for (const { key, user, provider, model, upstreamModel } of this.tuples) {
      texts += TUPLE_BYTES + 2 * (length(key) + length(user) + length(provider));
      texts += 2 * (length(model) + length(upstreamModel));
    }
    return columns + pairs + texts;
  }

  /** The row of some dimensions in a slot, or -1. */
  find(key: DimensionsKey, slot: number): number {
    const tuple = this.#tuples().get(key);
    return tuple === undefined ? -1 : (this.#rows().get(tuple * SLOTS + slot) ?? -1);
  }

  /** Sets a row, whatever it held before. `counts` holds both histograms. */
  set(dimensions: Dimensions, slot: number, values: Float64Array, counts: Uint32Array): void {
    const row = this.#rowOf(this.tupleOfDimensions(dimensions), slot);
    this.values.set(values, row * MEASURE_COUNT);
    let size = 0;
    for (let bucket = 0; bucket < COUNTS_LENGTH; bucket++) if (counts[bucket] !== 0) size += 1;
    let at = this.#takePairs(row, size);
    for (let bucket = 0; bucket < COUNTS_LENGTH; bucket++) {
      const count = counts[bucket] ?? 0;
      if (count === 0) continue;
      this.pairBuckets[at] = bucket;
      this.pairCounts[at] = count;
      at += 1;
    }
  }

  /**
   * Sets a row from a list, whatever it held before.
   * @param tuple as `tupleOfDimensions` returned it
   */
  setList(tuple: number, { list, length, isNew }: RowList): void {
    const slot = list[0] ?? 0;
    const row = isNew ? this.#append(tuple, slot) : this.#rowOf(tuple, slot);
    const start = row * MEASURE_COUNT;
    for (let measure = 0; measure < MEASURE_COUNT; measure++) {
      this.values[start + measure] = list[1 + measure] ?? 0;
    }
    const first = 1 + MEASURE_COUNT;
    let at = this.#takePairs(row, (length - first) / 2);
    for (let index = first; index < length; index += 2) {
      this.pairBuckets[at] = list[index] ?? 0;
      this.pairCounts[at] = list[index + 1] ?? 0;
      at += 1;
    }
  }

  /** The index of some dimensions, which are added if they are new. */
  tupleOfDimensions(dimensions: Dimensions): number {
    const tuples = this.#tuples();
    const key = keyOfDimensions(dimensions);
    const known = tuples.get(key);
    if (known !== undefined) return known;
    const tuple = this.tuples.push(dimensions) - 1;
    tuples.set(key, tuple);
    return tuple;
  }

  /** Adds the sums and histograms of a row to others. */
  addRowTo(row: number, values: Float64Array, counts: Uint32Array): void {
    for (let measure = 0; measure < MEASURE_COUNT; measure++) {
      values[measure] = (values[measure] ?? 0) + (this.values[row * MEASURE_COUNT + measure] ?? 0);
    }
    const start = this.pairStart[row] ?? 0;
    const end = start + (this.pairLength[row] ?? 0);
    for (let at = start; at < end; at++) {
      const bucket = this.pairBuckets[at] ?? 0;
      counts[bucket] = (counts[bucket] ?? 0) + (this.pairCounts[at] ?? 0);
    }
  }

  /** Gives back memory that is not needed as long as no row is set. */
  trim(): void {
    if (this.#unusedPairs > 0) this.#packPairs();
    this.pairBuckets = this.pairBuckets.slice(0, this.#pairEnd);
    this.pairCounts = this.pairCounts.slice(0, this.#pairEnd);
    this.tupleOf = this.tupleOf.slice(0, this.#length);
    this.slotOf = this.slotOf.slice(0, this.#length);
    this.values = this.values.slice(0, this.#length * MEASURE_COUNT);
    this.pairStart = this.pairStart.slice(0, this.#length);
    this.pairLength = this.pairLength.slice(0, this.#length);
    this.#tupleIndex = null;
    this.#rowIndex = null;
  }

  #rowOf(tuple: number, slot: number): number {
    return this.#rows().get(tuple * SLOTS + slot) ?? this.#append(tuple, slot);
  }

  #append(tuple: number, slot: number): number {
    const row = this.#length;
    if (row >= this.tupleOf.length) this.#growRows();
    this.#length += 1;
    this.tupleOf[row] = tuple;
    this.slotOf[row] = slot;
    this.#rowIndex?.set(tuple * SLOTS + slot, row);
    return row;
  }

  /** Room for the pairs of a row: where they were, if they fit there. Returns where to write. */
  #takePairs(row: number, size: number): number {
    const before = this.pairLength[row] ?? 0;
    this.pairLength[row] = size;
    if (size <= before) {
      this.#unusedPairs += before - size;
      return this.pairStart[row] ?? 0;
    }
    this.#unusedPairs += before;
    if (this.#pairEnd + size > this.pairCounts.length) {
      this.pairLength[row] = 0;
      this.#growPairs(size);
      this.pairLength[row] = size;
    }
    const start = this.#pairEnd;
    this.pairStart[row] = start;
    this.#pairEnd += size;
    return start;
  }

  #growRows(): void {
    const rows = Math.max(FIRST_ROWS, this.#length * 2);
    this.tupleOf = grown(this.tupleOf, new Uint32Array(rows));
    this.slotOf = grown(this.slotOf, new Uint8Array(rows));
    this.values = grown(this.values, new Float64Array(rows * MEASURE_COUNT));
    this.pairStart = grown(this.pairStart, new Uint32Array(rows));
    this.pairLength = grown(this.pairLength, new Uint8Array(rows));
  }

  /** Makes room in the pool: unused pairs are given up first. */
  #growPairs(size: number): void {
    if (this.#unusedPairs > 0) this.#packPairs();
    const length = Math.max(FIRST_POOL, (this.#pairEnd + size) * 2);
    if (length <= this.pairCounts.length) return;
    this.pairBuckets = grown(this.pairBuckets, new Uint8Array(length));
    this.pairCounts = grown(this.pairCounts, new Uint32Array(length));
  }

  #packPairs(): void {
    const size = this.#pairEnd - this.#unusedPairs;
    const buckets = new Uint8Array(size);
    const counts = new Uint32Array(size);
    let end = 0;
    for (let row = 0; row < this.#length; row++) {
      const start = this.pairStart[row] ?? 0;
      const length = this.pairLength[row] ?? 0;
      buckets.set(this.pairBuckets.subarray(start, start + length), end);
      counts.set(this.pairCounts.subarray(start, start + length), end);
      this.pairStart[row] = end;
      end += length;
    }
    this.pairBuckets = buckets;
    this.pairCounts = counts;
    this.#pairEnd = end;
    this.#unusedPairs = 0;
  }

  #tuples(): Map<DimensionsKey, number> {
    this.#tupleIndex ??= new Map(this.tuples.map((tuple, index) => [keyOfDimensions(tuple), index]));
    return this.#tupleIndex;
  }

  #rows(): Map<number, number> {
    if (this.#rowIndex !== null) return this.#rowIndex;
    const index = new Map<number, number>();
    for (let row = 0; row < this.#length; row++) {
      index.set((this.tupleOf[row] ?? 0) * SLOTS + (this.slotOf[row] ?? 0), row);
    }
    this.#rowIndex = index;
    return index;
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(before: T, after: T): T {
  after.set(before);
  return after;
}

function length(text: string | null): number {
  return text === null ? 0 : text.length;
}
