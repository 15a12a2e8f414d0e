import { bucketStarts } from '../charts/buckets.js';
import { COUNT, MONEY, MS, TOKENS } from '../charts/units.js';
import { compact, milliseconds, money, number, percent, signedPercent } from '../lib/format.js';
import { DAY_MS, dayStart } from './time-range.js';
import { spanText } from './time-text.js';
import { groupOf } from './traffic-names.js';
import { errorsOf, nanoCostOf, timeOf, tokensOf } from './usage-data.js';

/**
 * @import { Unit, SeriesInput } from '../charts/types.js'
 * @import { MetricValue } from '../lib/metric-tabs.js'
 * @import { TimeRange } from './time-range.js'
 * @import { Names } from './traffic-names.js'
 * @import { Figures, GroupName, UsageRow } from './traffic-types.js'
 * @import { UsageAnswer } from './usage-data.js'
 */

/**
 * What the chart can show. title: of the chart; none: the value of a bucket without requests; spark: the value of the small
 * line, where it is another one.
 * @typedef {{
 *   id: string, label: string, title: string, unit: Unit, none: 0 | null, value: (row: Figures) => number | null,
 *   spark?: (row: Figures) => number | null,
 * }} Metric
 */

/** @type {readonly Metric[]} */
export const METRICS = [
  {
    id: 'cost',
    label: 'Spend',
    title: 'Spend',
    unit: MONEY,
    none: 0,
    // Requests without a price are not free: what they cost is not known.
    value: (row) => nanoCostOf(row) ?? (row.unpricedRequests > 0 ? null : 0),
  },
  {
    id: 'requests',
    label: 'Requests',
    title: 'Requests',
    unit: COUNT,
    none: 0,
    value: (row) => row.requests,
  },
  { id: 'tokens', label: 'Tokens', title: 'Tokens', unit: TOKENS, none: 0, value: tokensOf },
  {
    id: 'errors',
    label: 'Errors',
    title: 'Failed requests',
    unit: COUNT,
    none: 0,
    value: errorsOf,
    spark: errorShare,
  },
  {
    id: 'ttft',
    label: 'First token, p95',
    title: 'First token, p95,',
    unit: MS,
    none: null,
    value: (row) => row.ttftMs.p95,
  },
];

/** @param {string | null} id */
export function metricOf(id) {
  return METRICS.find((metric) => metric.id === id) ?? METRICS[0];
}

/** @param {Figures} figures */
export function errorShare(figures) {
  return figures.requests === 0 ? null : errorsOf(figures) / figures.requests;
}

/**
 * Rows of usage as series of the chart.
 * @param {readonly UsageRow[]} rows
 * @param {{ starts: readonly number[], metric: Metric, group: GroupName, names: Names }} options
 * @returns {SeriesInput[]}
 */
export function seriesOf(rows, { starts, metric, group, names }) {
  const indexes = new Map(starts.map((start, index) => [start, index]));
  /** @type {Map<string, { id: string, name: string, values: (number | null)[] }>} */
  const series = new Map();
  for (const row of rows) {
    const index = indexes.get(timeOf(row));
    if (index === undefined) continue;
    const { id, name } = groupOf(row, group, names);
    const key = seriesId(group, id);
    const one = series.get(key) ?? { id: key, name, values: starts.map(() => metric.none) };
    one.values[index] = metric.value(row);
    series.set(key, one);
  }
  return [...series.values()];
}

/**
 * @param {GroupName} group
 * @param {string | null} id
 */
export function seriesId(group, id) {
  return id === null ? `${group}` : `${group}:${id}`;
}

/**
 * The figures of the metric tabs.
 * @param {UsageAnswer} answer
 * @param {{ range: TimeRange, nowMs: number }} options
 * @returns {Record<string, MetricValue>}
 */
export function metricValues({ course, now, before }, { range, nowMs }) {
  const { totals } = course;
  const starts = bucketStarts(range);
  const byTime = new Map(course.data.map((row) => [timeOf(row), row]));
  const spark = (/** @type {Metric} */ { value, spark: own, none }) =>
    starts.map((start) => {
      const row = byTime.get(start);
      return row === undefined ? (own ? null : none) : (own ?? value)(row);
    });
  const cached = totals.promptTokens > 0 ? totals.cachedTokens / totals.promptTokens : 0;
  const tokens = change(tokensOf(now), tokensOf(before));
  const [share, shareBefore] = [errorShare(now), errorShare(before)];
  const shown = {
    cost: {
      value: spendText(totals),
      change: spendChange(now, before, beforeText(range, nowMs)),
    },
    requests: { value: number(totals.requests), change: change(now.requests, before.requests) },
    tokens: {
      value: compact(tokensOf(totals)),
      change: cached > 0 ? `${tokens} · ${percent(cached)} cached` : tokens,
    },
    errors: {
      value: percent(errorShare(totals)),
      change: shareBefore === null ? 'no earlier data' : `${percent(shareBefore)} before`,
      isWorse: share !== null && shareBefore !== null && share > shareBefore * 1.2 + 0.005,
    },
    ttft: { value: milliseconds(totals.ttftMs.p95), change: change(now.ttftMs.p95, before.ttftMs.p95) },
  };
  return Object.fromEntries(
    METRICS.map((metric) => {
      const { value, ...rest } = shown[/** @type {keyof typeof shown} */ (metric.id)];
      return [metric.id, { ...withUnit(value), ...rest, spark: spark(metric) }];
    }),
  );
}

/**
 * Money with its sign for "about"; never $0 for what is free or has no price.
 * @param {Figures} figures
 */
function spendText({ costUsd, unpricedRequests }) {
  if (costUsd === null) return unpricedRequests > 0 ? 'no price' : '–';
  return costUsd === 0 ? 'free' : `≈ ${money(costUsd)}`;
}

/**
 * The first of the changes says what all of them are compared with.
 * @param {Figures} now
 * @param {Figures} before
 * @param {string} span
 */
function spendChange(now, before, span) {
  return before.costUsd ? `${change(now.costUsd, before.costUsd)} on ${span}` : change(now.costUsd, null);
}

/**
 * The time with which a range is compared: `28 Sep – 27 Oct`. The clock is said within one day only, for more there is no room.
 * @param {TimeRange} range
 * @param {number} nowMs
 */
function beforeText(range, nowMs) {
  if (range.id === '24h') return 'the 24 hours before';
  const { beforeMs, zone } = range;
  const [fromMs, toMs] = [range.fromMs - beforeMs, range.toMs - beforeMs];
  const [firstDay, lastDay] = [dayStart(fromMs, zone), dayStart(toMs - 1, zone)];
  const span = firstDay === lastDay ? { fromMs, toMs } : { fromMs: firstDay, toMs: lastDay + DAY_MS };
  return spanText({ ...span, zone }, nowMs);
}

/**
 * @param {number | null} now
 * @param {number | null} before
 */
function change(now, before) {
  // Two empty times say nothing, above all while the first requests are still coming in.
  if (!before) return now ? 'no earlier data' : '\u00a0';
  const share = ((now ?? 0) - before) / before;
  return Math.abs(share) < 0.0005 ? 'no change' : signedPercent(share);
}

/** The unit stands smaller than the figure. @param {string} text */
function withUnit(text) {
  const [value = '', unit] = text.split('\u202f');
  return text.split('\u202f').length === 2 && unit ? { value, unit } : { value: text };
}
