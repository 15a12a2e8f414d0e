import { Pace } from '../../turns.ts';
import type { CallEntry } from '../call-entry.ts';
import { type Day, dayOf, HOUR_MS } from './calendar.ts';
import {
  type Dimensions,
  type DimensionsKey,
  dimensionsOf,
  keyOfDimensions,
  OTHER,
  otherDimensions,
} from './dimensions.ts';
import { toLine } from './lines.ts';
import { addCall, COUNTS_LENGTH, MEASURE_COUNT } from './measures.ts';
import { UsageTable } from './usage-table.ts';

/** The most combinations of dimensions in one hour; the rest is counted together. */
const ROWS_LIMIT = 4_000;
/** The most distinct models in one day; the rest is counted together. */
const MODELS_LIMIT = 2_000;
/** How many lines are made between two turns of the event loop. */
const ROWS_PER_TURN = 200;

/** A day into which calls are booked. */
export class LiveDay {
  readonly day: Day;
  /** The rows of the day. Those of live hours are as they were at their last `fold`. */
  table: UsageTable;
  /** False: the files may hold more of this day. */
  isLoaded: boolean;
  readonly #models = new Set<string>();

  constructor(day: Day, table: UsageTable | null) {
    this.day = day;
    this.table = table ?? new UsageTable();
    this.isLoaded = table !== null;
    this.#noteModels();
  }

  /** Adds what the files held of this day. */
  load(table: UsageTable | null): void {
    this.isLoaded = true;
    if (table === null) return;
    this.table = table;
    this.#noteModels();
  }

  /** True if the model is one too many for this day. */
  isOtherModel(model: string | null): boolean {
    if (model === null || this.#models.has(model)) return false;
    if (this.#models.size >= MODELS_LIMIT) return true;
    this.#models.add(model);
    return false;
  }

  #noteModels(): void {
    for (const { model } of this.table.tuples) if (model !== null && model !== OTHER) this.#models.add(model);
  }
}

interface LiveRow {
  readonly key: DimensionsKey;
  readonly dimensions: Dimensions;
  readonly values: Float64Array;
  /** Both histograms. */
  readonly counts: Uint32Array;
  /** Its sums include what the files held of it before. */
  isSeeded: boolean;
  /** It changed since it was last written. */
  isDirty: boolean;
  /** The day's table has its present sums. */
  isFolded: boolean;
}

/** Counts the calls of one hour. */
export class LiveHour {
  readonly day: LiveDay;
  /** Hours since the epoch. */
  readonly hour: number;
  readonly #rows = new Map<DimensionsKey, LiveRow>();
  #dirty: LiveRow[] = [];
  /** Rows that are being written. */
  #taken: readonly LiveRow[] = [];

  constructor(hour: number, day: LiveDay) {
    this.hour = hour;
    this.day = day;
  }

  get slot(): number {
    return this.hour - this.day.day * 24;
  }

  get isDirty(): boolean {
    return this.#dirty.length > 0;
  }

  /** Adds a call to its row. */
  book(call: CallEntry): void {
    const dimensions = dimensionsOf(call, this.day.isOtherModel(call.modelId));
    const key = keyOfDimensions(dimensions);
    const row = this.#rows.get(key) ?? this.#add(key, dimensions);
    addCall(row.values, row.counts, call);
    row.isFolded = false;
    this.#mark(row);
  }

  /** Copies the rows that changed into the day's table. */
  fold(): void {
    for (const rows of [this.#dirty, this.#taken]) {
      for (const row of rows) {
        if (row.isFolded && row.isSeeded) continue;
        if (this.day.isLoaded && !row.isSeeded) this.#seedRow(row);
        row.isFolded = true;
        this.day.table.set(row.dimensions, this.slot, row.values, row.counts);
      }
    }
  }

  /**
   * Writes the rows that changed; calls may be booked meanwhile. Calls of this must not overlap. The day must be loaded.
   * @throws whatever `write` throws; the rows count as changed then.
   */
  async save(write: (lines: readonly string[]) => Promise<void>): Promise<void> {
    if (this.#dirty.length === 0) return;
    this.#taken = this.#dirty;
    this.#dirty = [];
    const pace = new Pace(ROWS_PER_TURN);
    const lines: string[] = [];
    this.fold();
    try {
      for (const row of this.#taken) {
        row.isDirty = false;
        lines.push(toLine(row.dimensions, this.slot, row.values, row.counts));
        if (pace.isDue(1)) await pace.giveTurn();
      }
      this.fold();
      await write(lines);
    } catch (error) {
      for (const row of this.#taken) this.#mark(row);
      throw error;
    } finally {
      this.#taken = [];
    }
  }

  #add(key: DimensionsKey, dimensions: Dimensions): LiveRow {
    if (this.#rows.size >= ROWS_LIMIT) {
      const other = otherDimensions(dimensions.outcome);
      const otherKey = keyOfDimensions(other);
      return this.#rows.get(otherKey) ?? this.#create(otherKey, other);
    }
    return this.#create(key, dimensions);
  }

  #create(key: DimensionsKey, dimensions: Dimensions): LiveRow {
    const row: LiveRow = {
      key,
      dimensions,
      values: new Float64Array(MEASURE_COUNT),
      counts: new Uint32Array(COUNTS_LENGTH),
      isSeeded: false,
      isDirty: false,
      isFolded: false,
    };
    if (this.day.isLoaded) this.#seedRow(row);
    this.#rows.set(key, row);
    return row;
  }

  #seedRow(row: LiveRow): void {
    row.isSeeded = true;
    const before = this.day.table.find(row.key, this.slot);
    if (before !== -1) this.day.table.addRowTo(before, row.values, row.counts);
  }

  #mark(row: LiveRow): void {
    if (row.isDirty) return;
    row.isDirty = true;
    this.#dirty.push(row);
  }
}

/** The hour of a time, since the epoch. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS);
}

/** The day of an hour since the epoch. */
export function dayOfHour(hour: number): Day {
  return dayOf(hour * HOUR_MS);
}
