/** One figure, measured in several rounds. */
export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly unit: 'µs' | 'ms' | 's' | 'MiB' | 'KiB' | '1/s' | 'count';
  /** The first column: the bare relay under the same load; null if there is nothing to compare. */
  readonly bare: Sample | null;
  readonly proxy: Sample;
}

/** The run that a measurement is part of. */
export interface Run {
  /** Small counts, to check that everything works. The figures mean nothing. */
  readonly isQuick: boolean;
  readonly rounds: number;
  /** The folder of this run, deleted at the end. */
  readonly folder: string;
  /** Returns the first value in a full run and the second in a quick run. */
  pick(full: number, quick: number): number;
}

/** Each file of bench/rows/ exports a `measurement`. */
export interface Measurement {
  /** NAME in `npm run bench -- NAME`. */
  readonly name: string;
  readonly title: string;
  /** The titles of the two columns; by default the bare relay and the proxy. */
  readonly columns?: readonly [string, string];
  measure(run: Run): Promise<Row[]>;
}

/** Median, minimum and maximum of the values of all rounds. */
export function sampleOf(values: readonly number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** A percentile of sorted values; `share` is 0.99 for the 99th percentile. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/**
 * Runs every task once per round, and reverses the order in every second round, so that a drift of the machine affects
 * all tasks equally.
 * @returns the values of each task, one per round.
 */
export async function interleave<Name extends string, Value>(
  rounds: number,
  tasks: Readonly<Record<Name, () => Promise<Value>>>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(tasks) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as Value[]])) as Record<Name, Value[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) values[name].push(await tasks[name]());
  }
  return values;
}
