import { bucketStarts } from '../charts/buckets.js';
import { createBarChart, createLineChart } from '../charts/time-chart.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { openMenu } from '../lib/menu.js';
import { spanText } from './time-text.js';
import { seriesOf } from './usage-metrics.js';

/**
 * @import { Metric } from './usage-metrics.js'
 * @import { GroupName } from './traffic-types.js'
 */

const HEIGHT_PX = 272;

/** What can be grouped by, with its plural. */
export const GROUPS = /** @type {const} */ ([
  { id: 'model', label: 'Model', many: 'models' },
  { id: 'key', label: 'Key', many: 'keys' },
  { id: 'user', label: 'User', many: 'users' },
  { id: 'provider', label: 'Provider', many: 'providers' },
  { id: 'endpoint', label: 'Endpoint', many: 'endpoints' },
]);

/** @param {string | null} id */
export function groupNamed(id) {
  return GROUPS.find((group) => group.id === id) ?? GROUPS[0];
}

/**
 * The chart of a metric by a group. Sums are bars, percentiles are lines.
 * @param {{
 *   onGroup: (group: GroupName) => void,
 *   onOpen: (bucket: { startMs: number, endMs: number }, seriesId: string | null) => void,
 * }} options
 */
export function createUsageChart({ onGroup, onOpen }) {
  const title = h('span');
  const groupText = h('span');
  const group = h(
    'button',
    { type: 'button', class: 'btn small', 'aria-haspopup': 'menu', 'aria-expanded': false },
    groupText,
    icon('down'),
  );
  group.addEventListener('click', () =>
    openMenu(
      group,
      GROUPS.map(({ id, label }) => ({ label, onSelect: () => onGroup(id) })),
      { label: 'Group by', align: 'start' },
    ),
  );
  const heading = h('h2', { class: 'row' }, title, group);
  const element = h('div');
  /** @type {import('../charts/time-chart.js').TimeChart | null} */
  let chart = null;
  let isLines = false;

  /** @param {boolean} wantsLines */
  function ensure(wantsLines) {
    if (chart !== null && wantsLines === isLines) return chart;
    chart?.destroy();
    isLines = wantsLines;
    const create = wantsLines ? createLineChart : createBarChart;
    chart = create({
      heading,
      heightPx: HEIGHT_PX,
      onOpen: (bucket, series) => onOpen(bucket, series === null || series.isOther ? null : series.id),
    });
    element.replaceChildren(chart.element);
    return chart;
  }

  return {
    element,
    /**
     * @param {{
     *   metric: Metric, question: import('./usage-data.js').UsageQuestion, answer: import('./usage-data.js').UsageAnswer,
     *   names: import('./traffic-names.js').Names,
     * }} shown
     */
    show({ metric, question, answer, names }) {
      const { range, nowMs } = question;
      const starts = bucketStarts(range);
      const what = `${metric.title} per ${range.bucket}`;
      title.textContent = `${what} by`;
      const { label } = groupNamed(question.group);
      groupText.textContent = label;
      group.setAttribute('aria-label', `Group by: ${label}`);
      ensure(!metric.unit.isSummable).update({
        title: `${what}, ${spanText(range, nowMs)}`,
        unit: metric.unit,
        bucket: range.bucket,
        starts,
        nowMs,
        zone: range.zone,
        series: seriesOf(answer.parts.data, { starts, metric, group: question.group, names }),
      });
    },
    /** @param {string} id */
    slotOf: (id) => chart?.slotOf(id) ?? 6,
    destroy: () => chart?.destroy(),
  };
}
