import { bucketStarts, seriesOfRows } from '../charts/buckets.js';
import { createBarChart, createLineChart } from '../charts/time-chart.js';
import { api } from '../lib/api.js';
import { h } from '../lib/h.js';
import { createMetricTabs } from '../lib/metric-tabs.js';
import { serverNow } from '../lib/server-clock.js';
import { metricValues } from './traffic-figures.js';

/**
 * @import { TrafficSpan, Span } from '../lib/traffic-span.js'
 * @import { Figures, TrafficMetric } from './traffic-figures.js'
 */

const HOUR_MS = 3_600_000;
const MODEL = 'model:';

/**
 * @typedef {{
 *   path: string, metrics: readonly TrafficMetric[], actions?: () => Node[], heightPx?: number,
 *   onOpen?: (place: { fromMs: number, toMs: number, models: string[] }) => void, signal: AbortSignal,
 * }} TrafficOptions
 *   path: of the usage at the API; actions: for the head of the chart; onOpen: opens the requests of a bar
 */
/**
 * @typedef {{
 *   span: TrafficSpan, rows: readonly Figures[], byModel: readonly Figures[], totals: Figures,
 *   whole: Figures | null, before: Figures | null,
 * }} Traffic
 */

/**
 * The card with the figures of a span of time, each of which shows its course in the chart below.
 * @param {TrafficOptions} options
 */
export function createTraffic(options) {
  const [first] = options.metrics;
  let shown = first;
  /** @type {Traffic | null} */
  let traffic = null;
  const tabs = createMetricTabs({
    label: 'What the chart shows',
    metrics: options.metrics,
    selected: first.id,
    onSelect: (id) => {
      shown = options.metrics.find((metric) => metric.id === id) ?? first;
      drawChart();
    },
  });
  const headings = { bars: h('h2'), lines: h('h2') };
  const charts = {
    bars: createBarChart(chartOptions(headings.bars, options)),
    lines: createLineChart(chartOptions(headings.lines, options)),
  };
  const host = h('div', { class: 'traffic-chart' }, charts.bars.element);
  const element = h('section', { class: 'card traffic-card', 'aria-label': 'Traffic' }, tabs.element, host);
  options.signal.addEventListener('abort', () => {
    charts.bars.destroy();
    charts.lines.destroy();
  });

  function drawChart() {
    if (traffic === null) return;
    const { span } = traffic;
    const chart = charts[shown.chart];
    const starts = startsOf(span);
    const title = `${shown.name} per ${span.bucket}`;
    headings[shown.chart].textContent = shown.isByModel ? `${title} by model` : title;
    if (!chart.element.isConnected) host.replaceChildren(chart.element);
    chart.update({
      title: `${title}, ${span.name}`,
      unit: shown.unit,
      bucket: span.bucket,
      starts,
      nowMs: serverNow(),
      zone: span.zone,
      series: seriesOf(shown, traffic, starts),
    });
  }

  return {
    element,
    /**
     * Loads the figures of a span. The session is asked for again only where `isQuiet` is not set.
     * @param {TrafficSpan} span
     * @param {{ isQuiet?: boolean }} [how]
     * @returns {Promise<Traffic>}
     * @throws {import('../lib/api.js').ApiError}
     */
    load: (span, { isQuiet = false } = {}) => loadTraffic(options, span, { isQuiet, known: traffic }),
    /** @param {Traffic} next */
    show(next) {
      traffic = next;
      const byTime = new Map(next.rows.map((row) => [Date.parse(row.time ?? ''), row]));
      const buckets = startsOf(next.span).map((start) => byTime.get(start));
      const { totals, whole, before, span } = next;
      tabs.show(
        metricValues(options.metrics, { totals, whole, before, beforeName: span.beforeName, buckets }),
      );
      drawChart();
    },
  };
}

/**
 * @param {Node} heading
 * @param {TrafficOptions} options
 */
function chartOptions(heading, { actions, onOpen, heightPx = 236 }) {
  return {
    heading,
    actions: actions?.() ?? [],
    heightPx,
    isFilling: true,
    ...(onOpen && {
      /**
       * @param {import('../charts/types.js').Bucket} bucket
       * @param {import('../charts/time-chart.js').OpenedSeries | null} series
       */
      onOpen: ({ startMs, endMs }, series) => {
        const ids = series?.ids.filter((id) => id.startsWith(MODEL)) ?? [];
        onOpen({ fromMs: startMs, toMs: endMs, models: ids.map((id) => id.slice(MODEL.length)) });
      },
    }),
  };
}

/**
 * @param {Pick<TrafficOptions, 'path' | 'signal'>} options
 * @param {TrafficSpan} span
 * @param {{ isQuiet: boolean, known: Traffic | null }} how known: spares what cannot have changed
 * @returns {Promise<Traffic>}
 */
async function loadTraffic({ path, signal }, span, { isQuiet, known }) {
  /** @param {Span} time @param {Record<string, string>} [query] */
  const ask = ({ fromMs, toMs }, query = {}) => {
    const times = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
    return api.get(`${path}?${new URLSearchParams({ ...times, ...query })}`, {
      signal,
      keepSession: isQuiet,
    });
  };
  /** @param {'whole' | 'before'} part @returns {Promise<Figures | null>} */
  const sumOf = async (part) => {
    const time = span[part];
    const old = known?.span[part] ?? null;
    if (time === null) return null;
    if (known !== null && old?.fromMs === time.fromMs && old.toMs === time.toMs) return known[part];
    return (await ask(time)).totals;
  };
  const bucket = { bucket: span.bucket, tz: String(span.zone) };
  const [all, byModel, whole, before] = await Promise.all([
    ask(span, bucket),
    ask(span, { ...bucket, groupBy: 'model' }),
    sumOf('whole'),
    sumOf('before'),
  ]);
  return {
    span,
    rows: all.data.map(onWholeHour),
    byModel: byModel.data.map(onWholeHour),
    totals: all.totals,
    whole,
    before,
  };
}

/**
 * Days begin at a half hour in some zones, their buckets at the first whole hour.
 * @param {Figures} row
 * @returns {Figures}
 */
function onWholeHour(row) {
  const hour = Math.ceil(Date.parse(row.time ?? '') / HOUR_MS) * HOUR_MS;
  return { ...row, time: new Date(hour).toISOString() };
}

/** @param {TrafficSpan} span */
function startsOf({ fromMs, toMs, bucket, zone }) {
  return bucketStarts({ fromMs, toMs, bucket, zone });
}

/**
 * @param {TrafficMetric} metric
 * @param {Traffic} traffic
 * @param {readonly number[]} starts
 */
function seriesOf(metric, { rows, byModel }, starts) {
  const models = !metric.isByModel
    ? []
    : seriesOfRows(byModel, {
        starts,
        id: (row) => `${MODEL}${row.model ?? ''}`,
        name: (row) => row.model ?? 'no model',
        value: metric.value,
      });
  const used = models.filter(({ values }) => values.some((value) => value));
  if (used.length > 0) return used;
  const known = new Map(rows.map((row) => [Date.parse(row.time ?? ''), metric.value(row)]));
  const values = starts.map((start) => known.get(start) ?? (metric.isSummable ? 0 : null));
  if (metric.id === 'errors') return [{ id: 'failed', name: 'Failed', values, isBad: true }];
  return [{ id: 'total', name: 'All requests', values }];
}
