/** A value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The counts of a histogram, with their labels. */
export interface HistogramSample {
  readonly labels?: Readonly<Record<string, string>>;
  /** The upper bounds of the buckets, rising; the bucket `+Inf` is not among them. */
  readonly bounds: readonly number[];
  /** How many values are in each bucket alone; the last is the bucket `+Inf`. */
  readonly counts: readonly number[];
  /** The sum of all values. */
  readonly sum: number;
}

interface ValueMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly read: () => readonly Sample[];
}

interface HistogramMetric {
  readonly name: string;
  readonly type: 'histogram';
  readonly help: string;
  readonly read: () => readonly HistogramSample[];
}

export type Metric = ValueMetric | HistogramMetric;

/** Writes all metrics in the Prometheus text format 0.0.4 (prometheus.io, exposition formats). */
export class Registry {
  readonly #metrics: Metric[] = [];

  /** Adds a metric; `read` runs at each scrape. @throws Error if the name is registered already. */
  register(metric: Metric): void {
    if (this.#metrics.some(({ name }) => name === metric.name))
      throw new Error(`metric ${metric.name} exists`);
    this.#metrics.push(metric);
  }

  /** The body of an answer to `GET /metrics`. */
  expose(): string {
    const lines: string[] = [];
    for (const metric of this.#metrics) {
      const { name, type, help } = metric;
      lines.push(
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
      );
      if (metric.type === 'histogram') {
        for (const sample of metric.read()) lines.push(...histogramLines(name, sample));
      } else {
        for (const sample of metric.read()) lines.push(toLine(name, sample.labels ?? {}, sample.value));
      }
    }
    return `${lines.join('\n')}\n`;
  }
}

/** The buckets, each with the values of all lower ones, then sum and count. */
function histogramLines(name: string, { labels = {}, bounds, counts, sum }: HistogramSample): string[] {
  let total = 0;
  const lines = counts.map((count, index) => {
    total += count;
    const bound = bounds[index] ?? Number.POSITIVE_INFINITY;
    return toLine(`${name}_bucket`, { ...labels, le: toNumber(bound) }, total);
  });
  return [...lines, toLine(`${name}_sum`, labels, sum), toLine(`${name}_count`, labels, total)];
}

function toLine(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  return `${name}${toLabels(labels)} ${toNumber(value)}`;
}

/** As Go's ParseFloat reads it. */
function toNumber(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function toLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
