/** One number of several rounds. */
export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly unit: 'µs' | 'ms' | 'MiB' | 'KiB' | '1/s' | 'count';
  /** The first column: the bare relay under the same load; null where it has nothing to compare. */
  readonly bare: Sample | null;
  readonly proxy: Sample;
}

/** What a measurement gets to know of the run that it is part of. */
export interface Run {
  /** Small counts, to see that everything works; the figures mean little. */
  readonly isQuick: boolean;
  readonly rounds: number;
  /** A folder of this run, deleted at its end. */
  readonly folder: string;
  /** Takes the first value in a full run and the second in a quick one. */
  pick(full: number, quick: number): number;
}

/** One file of bench/rows/ exports one of these as `measurement`. */
export interface Measurement {
  /** What `npm run bench -- NAME` calls it. */
  readonly name: string;
  readonly title: string;
  /** Heads of the two columns, where they are not the bare relay and the proxy. */
  readonly columns?: readonly [string, string];
  measure(run: Run): Promise<Row[]>;
}

/** Median, least and most of the rounds' values. */
export function sampleOf(values: readonly number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** The value below which a share of the sorted values lies, e.g. 0.99 for the 99th percentile. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/**
 * Runs every task once per round, in turn and each other round backwards, so that a drift of the machine meets all alike.
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
