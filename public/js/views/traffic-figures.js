/**
 * What the figures of the usage API mean for the metric tabs and the chart. No DOM.
 *
 * @typedef {{
 *   time?: string, model?: string | null, requests: number, ok: number, clientErrors: number, providerErrors: number,
 *   limited: number, cancelled: number, broken: number, promptTokens: number, completionTokens: number,
 *   costUsd: number | null, unpricedRequests: number, ttftMs: { p50: number | null, p95: number | null },
 * }} Figures a row of the API, or its totals
 */

import { COUNT, MONEY, MS, TOKENS } from '../charts/units.js';
import { compact, milliseconds, money, percent, signedPercent } from '../lib/format.js';

const NANO = 1e9;
/** In percentage points: less is noise. */
const WORSE_POINTS = 0.1;
/** From here on a factor says more than a percentage. */
const MANY_TIMES = 10;

/**
 * @typedef {{
 *   id: string, label: string, chart: 'bars' | 'lines', unit: import('../charts/types.js').Unit, name: string, isByModel: boolean,
 *   value: (figures: Figures) => number | null, text: (figures: Figures) => string,
 *   change: (now: Figures, before: Figures) => { text: string, isWorse: boolean } | null,
 *   spark: (figures: Figures) => number | null, isSummable: boolean,
 * }} TrafficMetric
 *   name: begins the chart's title; value: in the unit, for the chart; text: the figure; isSummable: without requests it is 0, not unknown
 */

/** @type {TrafficMetric} */
const SPEND = {
  id: 'cost',
  label: 'Spend',
  name: 'Spend',
  chart: 'bars',
  unit: MONEY,
  isByModel: true,
  value: ({ costUsd }) => (costUsd === null ? null : Math.round(costUsd * NANO)),
  text: ({ costUsd }) => (costUsd === null ? '–' : `≈\u00a0${money(costUsd)}`),
  change: (now, before) => relativeChange(now.costUsd, before.costUsd),
  spark: ({ costUsd }) => costUsd ?? 0,
  isSummable: true,
};

/** @type {TrafficMetric} */
const REQUESTS = {
  id: 'requests',
  label: 'Requests',
  name: 'Requests',
  chart: 'bars',
  unit: COUNT,
  isByModel: true,
  value: ({ requests }) => requests,
  text: ({ requests }) => compact(requests),
  change: (now, before) => relativeChange(now.requests, before.requests),
  spark: ({ requests }) => requests,
  isSummable: true,
};

/** @type {TrafficMetric} */
const ERRORS = {
  id: 'errors',
  label: 'Errors',
  name: 'Failed requests',
  chart: 'bars',
  unit: COUNT,
  isByModel: false,
  value: failedRequests,
  text: (figures) => percent(errorShare(figures)),
  change(now, before) {
    const [share, shareBefore] = [errorShare(now), errorShare(before)];
    if (share === null || shareBefore === null) return null;
    const points = (share - shareBefore) * 100;
    const sign = points < 0 ? '−' : '+';
    const text = Math.abs(points) < 0.05 ? 'no change' : `${sign}${Math.abs(points).toFixed(1)} points`;
    return { text, isWorse: points >= WORSE_POINTS };
  },
  spark: (figures) => (errorShare(figures) ?? 0) * 100,
  isSummable: true,
};

/** @type {TrafficMetric} */
const FIRST_TOKEN = {
  id: 'ttft',
  label: 'First token, p95',
  name: 'First token, 95th percentile,',
  chart: 'lines',
  unit: MS,
  isByModel: false,
  value: ({ ttftMs }) => ttftMs.p95,
  text: ({ ttftMs }) => milliseconds(ttftMs.p95),
  change: (now, before) => relativeChange(now.ttftMs.p95, before.ttftMs.p95),
  spark: ({ ttftMs }) => ttftMs.p95,
  isSummable: false,
};

/** @type {TrafficMetric} */
const ALL_TOKENS = {
  id: 'tokens',
  label: 'Tokens',
  name: 'Tokens',
  chart: 'bars',
  unit: TOKENS,
  isByModel: true,
  value: tokensOf,
  text: (figures) => compact(tokensOf(figures)),
  change: (now, before) => relativeChange(tokensOf(now), tokensOf(before)),
  spark: tokensOf,
  isSummable: true,
};

/** Of the Overview. */
export const SERVER_METRICS = [SPEND, REQUESTS, ERRORS, FIRST_TOKEN];
/** Of a user's own page. */
export const OWN_METRICS = [SPEND, REQUESTS, ALL_TOKENS];

/**
 * Requests that failed for whoever sent them; those that the client ended itself did not.
 * @param {Figures} figures
 */
function failedRequests({ clientErrors, providerErrors, limited, broken }) {
  return clientErrors + providerErrors + limited + broken;
}

/**
 * @param {Figures} figures
 * @returns {number | null} null: there were no requests
 */
function errorShare(figures) {
  return figures.requests === 0 ? null : failedRequests(figures) / figures.requests;
}

/** @param {Figures} figures */
function tokensOf({ promptTokens, completionTokens }) {
  return promptTokens + completionTokens;
}

/**
 * @param {number | null} now
 * @param {number | null} before
 * @returns {{ text: string, isWorse: boolean } | null} null: there is nothing to compare
 */
function relativeChange(now, before) {
  if (now === null || before === null || before <= 0) return null;
  const factor = now / before;
  const text = factor >= MANY_TIMES ? `${compact(Math.round(factor))} times` : signedPercent(factor - 1);
  return { text: factor === 1 ? 'no change' : text, isWorse: false };
}

/**
 * What the metric tabs show. The first change says what it is compared with.
 * @param {readonly TrafficMetric[]} metrics
 * @param {{
 *   totals: Figures, whole: Figures | null, before: Figures | null, beforeName: string,
 *   buckets: readonly (Figures | undefined)[],
 * }} data whole, before: equally long
 * @returns {Record<string, import('../lib/metric-tabs.js').MetricValue>}
 */
export function metricValues(metrics, { totals, whole, before, beforeName, buckets }) {
  let isFirst = true;
  return Object.fromEntries(
    metrics.map((metric) => {
      const change = whole && before && metric.change(whole, before);
      const suffix = isFirst && change ? ` ${beforeName}` : '';
      isFirst &&= !change;
      return [
        metric.id,
        {
          ...inParts(metric.text(totals)),
          change: change ? `${change.text}${suffix}` : undefined,
          isWorse: change?.isWorse ?? false,
          spark: sparkOf(metric, buckets),
        },
      ];
    }),
  );
}

/**
 * The course of a metric. Where there were no requests, it has no percentile; the line leaves that out.
 * @param {TrafficMetric} metric
 * @param {readonly (Figures | undefined)[]} buckets
 */
function sparkOf({ spark, isSummable }, buckets) {
  const values = buckets.map((row) => (row === undefined ? null : spark(row)));
  return isSummable ? values.map((value) => value ?? 0) : values.filter((value) => value !== null);
}

/**
 * A figure and its unit, which is set smaller.
 * @param {string} text such as `1.62 s`
 */
function inParts(text) {
  const parts = text.split('\u202f');
  return parts.length === 2 ? { value: parts[0], unit: parts[1] } : { value: text };
}
