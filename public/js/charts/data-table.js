import { h } from '../lib/h.js';
import { bucketAt, bucketName } from './buckets.js';
import { totalAt } from './series.js';

/** @import { ChartData, Series } from './types.js' */

/**
 * The same data as a table: a row for each bucket, a column for each series, and the total.
 * @param {ChartData} data
 * @param {readonly Series[]} series
 */
export function dataTable(data, series) {
  const { title, unit, starts, bucket, zone } = data;
  const cell = (/** @type {number | null} */ value) =>
    h('td', null, value === null ? 'no data' : unit.value(value));
  const rows = starts.map((start, index) => {
    const note = bucketAt(data, index).isNow ? ' (not over yet)' : '';
    return h(
      'tr',
      null,
      h('th', { scope: 'row' }, bucketName(start, bucket, zone) + note),
      series.map(({ values }) => cell(values[index] ?? null)),
      unit.isSummable && cell(totalAt(series, index)),
    );
  });
  return h(
    'table',
    null,
    h('caption', null, title),
    h(
      'thead',
      null,
      h(
        'tr',
        null,
        h('th', { scope: 'col' }, bucket === 'hour' ? 'Hour' : 'Day'),
        series.map(({ name }) => h('th', { scope: 'col' }, h('span', { class: 'chart-name' }, name))),
        unit.isSummable && h('th', { scope: 'col' }, 'Total'),
      ),
    ),
    h('tbody', null, rows),
  );
}
