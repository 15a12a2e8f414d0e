import assert from 'node:assert/strict';

/** One line of a scrape: a name with its labels, and a value. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const HEAD = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;

/**
 * Reads a scrape and holds it to the rules of the text format 0.0.4 and to the conventions that `promtool check metrics`
 * checks. @throws AssertionError that names the line.
 */
export function readScrape(text: string): ReadSample[] {
  assert.ok(text.endsWith('\n') && !text.includes('\r'));
  const samples: ReadSample[] = [];
  const types = new Map<string, string>();
  const helped = new Set<string>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name = '', rest = ''] = HEAD.exec(line) ?? [];
    if (word === 'HELP') {
      assert.ok(!helped.has(name) && rest !== '', line);
      helped.add(name);
      current = name;
    } else if (word === 'TYPE') {
      assert.ok(name === current && !types.has(name), line);
      assert.ok(['counter', 'gauge', 'histogram'].includes(rest), line);
      assert.equal(name.endsWith('_total'), rest === 'counter', line);
      types.set(name, rest);
    } else samples.push(checkSample(line, { name: current, type: types.get(current) }));
  }
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]));
  assert.equal(new Set(keys).size, keys.length, 'a sample stands there twice');
  for (const [name, type] of types) if (type === 'histogram') checkHistogram(name, samples);
  return samples;
}

function checkSample(line: string, metric: { name: string; type: string | undefined }): ReadSample {
  const [, name = '', text = '', value = ''] = SAMPLE.exec(line) ?? [];
  const suffix = name.slice(metric.name.length);
  const isOwn = metric.type === 'histogram' ? /^_(bucket|sum|count)$/.test(suffix) : suffix === '';
  assert.ok(name.startsWith(metric.name) && isOwn && metric.type !== undefined, line);
  assert.match(value, VALUE, line);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let end = 0; end < text.length; end = LABEL.lastIndex) {
    const [, label = '', quoted = ''] = LABEL.exec(text) ?? assert.fail(line);
    assert.ok(!(label in labels) && !label.startsWith('__'), line);
    assert.equal(label === 'le', suffix === '_bucket' && label === 'le', line);
    labels[label] = quoted.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return { name, labels, value: value.endsWith('Inf') ? Number(`${value}inity`) : Number(value) };
}

/** Buckets rise and do not shrink, the last is `+Inf` and equals the count. */
function checkHistogram(name: string, samples: readonly ReadSample[]): void {
  for (const count of samples.filter((sample) => sample.name === `${name}_count`)) {
    const same = (labels: ReadSample['labels']): boolean =>
      Object.entries(count.labels).every(([label, value]) => labels[label] === value);
    const own = samples.filter((sample) => same(sample.labels));
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) =>
      labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
    );
    assert.deepEqual(
      bounds,
      bounds.toSorted((one, other) => one - other),
      name,
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, name);
    const values = buckets.map(({ value }) => value);
    assert.deepEqual(
      values,
      values.toSorted((one, other) => one - other),
      name,
    );
    assert.equal(values.at(-1), count.value, name);
    assert.equal(own.filter((sample) => sample.name === `${name}_sum`).length, 1, name);
  }
}

/** The value of a sample; undefined: there is none. */
export function sampleValue(
  samples: readonly ReadSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return samples.find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;
}
