import { svg } from '../lib/h.js';
import { bucketAt } from './buckets.js';
import { stackParts, totalAt } from './series.js';
import { BAD_SLOT } from './slots.js';

/**
 * @import { Layout } from './layout.js'
 * @import { Paint } from './paint.js'
 * @import { ChartData, Series } from './types.js'
 */

/**
 * What a drawing needs: the shown series only, and their colours.
 * @typedef {{ layout: Layout, data: ChartData, series: readonly Series[], slots: ReadonlyMap<string, number>, paint: Paint }} Drawing
 */

/**
 * One stacked bar for each bucket. Parts carry the id of their series.
 * @param {Drawing} drawing
 */
export function drawBars(drawing) {
  return svg(
    'g',
    { 'aria-hidden': 'true' },
    ...drawing.data.starts.flatMap((_, index) => drawBar(drawing, index)),
  );
}

/**
 * @param {Drawing} drawing
 * @param {number} index
 */
function drawBar({ layout, data, series, slots, paint }, index) {
  const x = layout.barX(index);
  const width = layout.bar;
  const total = totalAt(series, index);
  if (total === null && series.length > 0) {
    const height = layout.bottom - layout.top;
    return [svg('rect', { ...paint.none, class: 'chart-none', x, y: layout.top, width, height })];
  }
  const elements = [];
  for (const part of stackParts(series, index, layout.y)) {
    const { id = '' } = series[part.series] ?? {};
    const slot = slots.get(id) ?? 0;
    const place = { x, y: part.y, width, height: part.height, rx: part.height > 3 && width > 5 ? 1.5 : 0 };
    elements.push(svg('rect', { ...paint.series(slot), ...place, 'data-series': id }));
    if (slot === BAD_SLOT)
      elements.push(svg('rect', { ...paint.bad, ...place, class: 'chart-over', 'data-series': id }));
  }
  if (total && bucketAt(data, index).isNow) {
    const y = layout.y(total);
    elements.push(svg('rect', { ...paint.now, class: 'chart-over', x, y, width, height: layout.bottom - y }));
  }
  return elements;
}
