import { svg } from '../lib/h.js';
import { bucketAt } from './buckets.js';

/** @import { Drawing } from './bars.js' */

/**
 * One line for each series, with gaps where there is no data. The way to the running bucket is dashed.
 * @param {Drawing} drawing
 */
export function drawLines(drawing) {
  const { data, layout, paint, series } = drawing;
  const now = data.starts.findIndex((_, index) => bucketAt(data, index).isNow);
  const empty = data.starts
    .map((_, index) => index)
    .filter((index) => series.length > 0 && series.every(({ values }) => (values[index] ?? null) === null));
  const height = layout.bottom - layout.top;
  return svg(
    'g',
    { 'aria-hidden': 'true' },
    ...empty.map((index) =>
      svg('rect', {
        ...paint.none,
        class: 'chart-none',
        x: layout.barX(index),
        y: layout.top,
        width: layout.bar,
        height,
      }),
    ),
    ...series.flatMap((one) => drawLine(drawing, one, now)),
  );
}

/**
 * @param {Drawing} drawing
 * @param {Drawing['series'][number]} series
 * @param {number} now
 */
function drawLine({ layout, slots }, { id, values }, now) {
  const line = { class: `chart-line chart-stroke-${slots.get(id) ?? 0}`, 'data-series': id };
  const point = (/** @type {number} */ index) =>
    `${round(layout.center(index))} ${round(layout.y(values[index] ?? 0))}`;
  const elements = runs(values, now).map(({ from, to }) =>
    from === to
      ? svg('circle', {
          ...line,
          class: `chart-dot chart-slot-${slots.get(id) ?? 0}`,
          ...place(layout, values, from),
          r: 2,
        })
      : svg('path', { ...line, d: `M${range(from, to).map(point).join('L')}` }),
  );
  const before = values[now - 1] ?? null;
  if (now > 0 && before !== null && (values[now] ?? null) !== null) {
    elements.push(
      svg('path', { ...line, class: `${line.class} chart-running`, d: `M${point(now - 1)}L${point(now)}` }),
    );
  }
  return elements;
}

/**
 * A dot on each line at the chosen bucket.
 * @param {Drawing} drawing
 * @param {number} index
 */
export function drawDots({ layout, series, slots }, index) {
  return series
    .filter(({ values }) => (values[index] ?? null) !== null)
    .map(({ id, values }) =>
      svg('circle', {
        class: `chart-dot chart-slot-${slots.get(id) ?? 0}`,
        ...place(layout, values, index),
        r: 3.5,
      }),
    );
}

/**
 * The stretches without gaps; the running bucket is a point of its own.
 * @param {readonly (number | null)[]} values
 * @param {number} now
 * @returns {{ from: number, to: number }[]}
 */
export function runs(values, now) {
  const found = [];
  let from = -1;
  for (let index = 0; index <= values.length; index++) {
    const isGap = (values[index] ?? null) === null || index === now;
    if (!isGap && from < 0) from = index;
    if (isGap && from >= 0) {
      found.push({ from, to: index - 1 });
      from = -1;
    }
    if (index === now && (values[index] ?? null) !== null) found.push({ from: index, to: index });
  }
  return found;
}

/**
 * @param {import('./layout.js').Layout} layout
 * @param {readonly (number | null)[]} values
 * @param {number} index
 */
function place(layout, values, index) {
  return { cx: round(layout.center(index)), cy: round(layout.y(values[index] ?? 0)) };
}

/**
 * @param {number} from
 * @param {number} to
 */
function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** @param {number} px */
function round(px) {
  return Math.round(px * 10) / 10;
}
