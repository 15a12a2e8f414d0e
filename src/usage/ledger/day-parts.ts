import type { Dimensions } from './dimensions.ts';
import { createRow, readLine } from './lines.ts';
import { COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';
import { UsageTable } from './usage-table.ts';

/** Hours, ascending, that cut a day: part `i` is the hours from `cuts[i]` up to `cuts[i + 1]`; the last cut only ends the last part. */
export type Cuts = readonly number[];

/** The sums of parts of a day. */
export interface DayParts {
  /** Must not be changed. */
  readonly table: UsageTable;
  /** By slot of the table: the hour with which it begins. */
  readonly starts: readonly number[];
}

const HOURS: readonly number[] = Array.from({ length: 24 }, (_, hour) => hour);

/** The hours of a day as its parts. */
export function hoursAsParts(hours: UsageTable | null): DayParts | null {
  return hours === null ? null : { table: hours, starts: HOURS };
}

/** By hour: the part that it belongs to; -1: none. */
export function partsOf(cuts: Cuts): readonly number[] {
  const end = cuts.at(-1) ?? 0;
  return HOURS.map((hour) => (hour < end ? cuts.findLastIndex((cut) => cut <= hour) : -1));
}

interface PartSums {
  readonly values: Float64Array;
  readonly counts: Uint32Array;
  isEmpty: boolean;
}

/** Adds up the hours of a sealed day to parts while it reads its lines, of which each combination of dimensions has one. */
export class PartReader {
  readonly table = new UsageTable();
  /** By hour: the sums of its part, of the line that is being read. */
  readonly #sums: readonly (PartSums | null)[];
  readonly #parts: readonly PartSums[];
  readonly #row = createRow();
  #dimensions: Dimensions | null = null;

  /** @param parts by hour, from `partsOf` */
  constructor(parts: readonly number[]) {
    const count = Math.max(...parts) + 1;
    this.#parts = Array.from({ length: count }, () => ({
      values: new Float64Array(MEASURE_COUNT),
      counts: new Uint32Array(COUNTS_LENGTH),
      isEmpty: true,
    }));
    this.#sums = parts.map((part) => this.#parts[part] ?? null);
  }

  /** Returns false at the first thing in a wanted hour, or between hours, that is something else; the hours before it are taken. */
  read(line: Buffer): boolean {
    const isSound = readLine(line, this.#row, this);
    for (const [part, sums] of this.#parts.entries()) {
      if (sums.isEmpty || this.#dimensions === null) continue;
      this.table.set(this.#dimensions, part, sums.values, sums.counts);
      sums.values.fill(0);
      sums.counts.fill(0);
      sums.isEmpty = true;
    }
    return isSound;
  }

  begin(dimensions: Dimensions): void {
    this.#dimensions = dimensions;
  }

  isWanted(hour: number): boolean {
    return (this.#sums[hour] ?? null) !== null;
  }

  take(hour: number, length: number): void {
    const sums = this.#sums[hour] ?? null;
    if (sums === null) return;
    const { values, counts } = sums;
    const row = this.#row;
    sums.isEmpty = false;
    for (let measure = 0; measure < MEASURE_COUNT; measure++) {
      values[measure] = (values[measure] ?? 0) + (row[1 + measure] ?? 0);
    }
    for (let at = 1 + MEASURE_COUNT; at < length; at += 2) {
      const bucket = row[at] ?? 0;
      counts[bucket] = (counts[bucket] ?? 0) + (row[at + 1] ?? 0);
    }
  }
}
