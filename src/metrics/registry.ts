/** A value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly read: () => readonly Sample[];
}

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
    for (const { name, type, help, read } of this.#metrics) {
      lines.push(
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
      );
      for (const { labels, value } of read()) lines.push(`${name}${toLabels(labels ?? {})} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function toLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
