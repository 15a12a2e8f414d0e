import type { HistogramSample, Sample } from './registry.ts';

/** The value of a label that stands for all values beyond a bound. */
export const OTHER = 'other';

export interface LabelsOptions {
  readonly names: readonly string[];
  /** Labels whose values are not from a short list: beyond the limit they are `other`. */
  readonly open: readonly string[];
  /** The most sets of values, so that a scrape stays small. */
  readonly limit: number;
}

interface LabelSet<T> {
  readonly labels: Readonly<Record<string, string>>;
  readonly held: T;
}

/** What follows the first values of a set. */
class Branch<T> {
  readonly next = new Map<string, Branch<T>>();
  /** Of all values on the way to this branch; null: they have not occurred. */
  set: LabelSet<T> | null = null;
}

/** One value for each set of labels that occurs. */
class LabelSets<T> {
  readonly #options: LabelsOptions;
  readonly #create: () => T;
  /** A look-up for each value costs less than to join the values to one name. */
  readonly #root = new Branch<T>();
  readonly #sets: LabelSet<T>[] = [];

  constructor(options: LabelsOptions, create: () => T) {
    this.#options = options;
    this.#create = create;
  }

  /** The value for these labels, in the order of their names. */
  of(values: readonly string[]): T {
    const known = this.#find(values);
    if (known !== null) return known.held;
    if (this.#sets.length < this.#options.limit) return this.#add(values);
    const folded = this.#fold(values);
    return this.#find(folded)?.held ?? this.#add(folded);
  }

  all(): readonly LabelSet<T>[] {
    return this.#sets;
  }

  #find(values: readonly string[]): LabelSet<T> | null {
    let branch = this.#root;
    for (const value of values) {
      const next = branch.next.get(value);
      if (next === undefined) return null;
      branch = next;
    }
    return branch.set;
  }

  #add(values: readonly string[]): T {
    let branch = this.#root;
    for (const value of values) {
      const next = branch.next.get(value) ?? new Branch<T>();
      branch.next.set(value, next);
      branch = next;
    }
    const pairs = this.#options.names.map((name, index) => [name, values[index] ?? '']);
    const set = { labels: Object.fromEntries(pairs), held: this.#create() };
    branch.set = set;
    this.#sets.push(set);
    return set.held;
  }

  #fold(values: readonly string[]): string[] {
    const { names, open } = this.#options;
    return values.map((value, index) => (open.includes(names[index] ?? '') ? OTHER : value));
  }
}

/** A counter with labels. */
export class LabelCounter {
  readonly #sets: LabelSets<{ value: number }>;

  constructor(options: LabelsOptions) {
    this.#sets = new LabelSets(options, () => ({ value: 0 }));
  }

  /** @param values of the labels, in the order of their names */
  add(values: readonly string[], amount = 1): void {
    this.#sets.of(values).value += amount;
  }

  /** @param unit what a sample counts in, such as 1000 for seconds out of milliseconds */
  samples(unit = 1): Sample[] {
    return this.#sets.all().map(({ labels, held }) => ({ labels, value: held.value / unit }));
  }
}

/** The upper bounds of the buckets, in milliseconds: an embedding takes tens of them, a long answer minutes. */
const BOUNDS_MS: readonly number[] = [
  10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
];
const MS_PER_SECOND = 1_000;
const BOUNDS_SECONDS = BOUNDS_MS.map((boundMs) => boundMs / MS_PER_SECOND);

/** A histogram of durations with labels. */
export class LabelHistogram {
  readonly #sets: LabelSets<{ readonly counts: number[]; sumMs: number }>;

  constructor(options: LabelsOptions) {
    const size = BOUNDS_MS.length + 1;
    this.#sets = new LabelSets(options, () => ({ counts: new Array<number>(size).fill(0), sumMs: 0 }));
  }

  /** Counts a duration. @param values of the labels, in the order of their names */
  observe(values: readonly string[], ms: number): void {
    const held = this.#sets.of(values);
    const found = BOUNDS_MS.findIndex((boundMs) => ms <= boundMs);
    const bucket = found === -1 ? BOUNDS_MS.length : found;
    held.counts[bucket] = (held.counts[bucket] ?? 0) + 1;
    held.sumMs += ms;
  }

  samples(): HistogramSample[] {
    return this.#sets.all().map(({ labels, held }) => ({
      labels,
      bounds: BOUNDS_SECONDS,
      counts: held.counts,
      sum: held.sumMs / MS_PER_SECOND,
    }));
  }
}
