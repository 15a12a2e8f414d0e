import { h } from '../lib/h.js';
import { bucketAt, bucketName } from './buckets.js';
import { share, totalAt } from './series.js';
import { swatch } from './slots.js';

/** @import { ChartData, Cursor, Series } from './types.js' */

/** @typedef {{ data: ChartData, series: readonly Series[], slots: ReadonlyMap<string, number>, cursor: Cursor }} Chosen */

/**
 * The lines of the tip: the series of the bucket, largest first.
 * @param {Pick<Chosen, 'data' | 'series' | 'cursor'>} chosen
 * @returns {{ id: string, name: string, value: number, isChosen: boolean }[]}
 */
function tipRows({ data, series, cursor }) {
  const rows = [];
  for (const [number, { id, name, values }] of series.entries()) {
    const value = values[cursor.bucket] ?? null;
    if (value === null || (value === 0 && data.unit.isSummable)) continue;
    rows.push({ id, name, value, isChosen: number === cursor.series });
  }
  return rows.sort((a, b) => b.value - a.value);
}

/**
 * @param {Chosen} chosen
 * @param {{ hint: Node | string | null }} options the hint says how to go on
 * @returns {Node[]}
 */
export function tipContent({ data, series, slots, cursor }, { hint }) {
  const { unit, starts, bucket, zone } = data;
  const total = totalAt(series, cursor.bucket);
  const sum = unit.isSummable && total !== null ? h('span', null, unit.value(total)) : null;
  const rows = tipRows({ data, series, cursor }).map(({ id, name, value, isChosen }) =>
    h(
      'li',
      { class: isChosen ? 'is-chosen' : null },
      swatch(slots.get(id) ?? 0),
      h('span', { class: 'chart-name' }, name),
      h('span', null, unit.value(value)),
      unit.isSummable && h('span', null, share(value, total ?? 0)),
    ),
  );
  const notes = [
    total === null ? 'No data' : null,
    bucketAt(data, cursor.bucket).isNow ? 'Not over yet' : null,
  ];
  const note = notes.filter(Boolean).join(' · ');
  return [
    h(
      'p',
      { class: 'chart-when' },
      h('span', null, bucketName(starts[cursor.bucket] ?? 0, bucket, zone)),
      sum,
    ),
    ...(rows.length > 0 ? [h('ul', null, rows)] : []),
    ...(note === '' ? [] : [h('p', { class: 'chart-hint' }, note)]),
    ...(hint === null || total === null ? [] : [h('p', { class: 'chart-hint' }, hint)]),
  ];
}

/**
 * The chosen value in one sentence, for the live region.
 * @param {Pick<Chosen, 'data' | 'series' | 'cursor'>} chosen
 */
export function spokenValue({ data, series, cursor }) {
  const { unit, starts, bucket, zone } = data;
  const name = bucketName(starts[cursor.bucket] ?? 0, bucket, zone);
  const when = bucketAt(data, cursor.bucket).isNow ? `${name}, not over yet` : name;
  const total = totalAt(series, cursor.bucket);
  if (total === null) return `${when}: no data`;
  const one = cursor.series === null ? undefined : series[cursor.series];
  if (one === undefined && unit.isSummable) return `${when}: ${unit.value(total)}`;
  if (one === undefined) {
    return `${when}: ${tipRows({ data, series, cursor })
      .map((row) => `${row.name} ${unit.value(row.value)}`)
      .join(', ')}`;
  }
  const value = one.values[cursor.bucket] ?? null;
  if (value === null) return `${when}, ${one.name}: no data`;
  const part = unit.isSummable && total > 0 ? `, ${share(value, total)}` : '';
  return `${when}, ${one.name}: ${unit.value(value)}${part}`;
}
