import { svg } from '../lib/h.js';
import { runs } from './lines.js';

/** Room for the line's width and the last dot. */
const EDGE_PX = 2;

/**
 * A small line without axes: the shape of a series, from its least to its largest value. Decoration, unless it has a label.
 * @param {{ values: readonly (number | null)[], width?: number, height?: number, label?: string }} options
 */
export function sparkline({ values, width = 72, height = 24, label }) {
  const known = values.filter((value) => value !== null);
  const least = known.length > 0 ? Math.min(...known) : 0;
  const most = known.length > 0 ? Math.max(...known) : 0;
  const x = (/** @type {number} */ index) => round((index / Math.max(1, values.length - 1)) * width);
  const y = (/** @type {number} */ value) => {
    // All the same: a line in the middle, or on the ground where all is zero.
    const part = most > least ? (value - least) / (most - least) : most > 0 ? 0.5 : 0;
    return round(height - EDGE_PX - part * (height - 2 * EDGE_PX));
  };
  const point = (/** @type {number} */ index) => `${x(index)} ${y(values[index] ?? 0)}`;
  const paths = runs(values, -1).map(({ from, to }) => {
    const points = Array.from({ length: to - from + 1 }, (_, index) => point(from + index));
    return svg('path', { d: `M${points.join('L')}` });
  });
  const last = values.findLastIndex((value) => value !== null);
  const dot = last < 0 ? [] : [svg('circle', { cx: x(last), cy: y(values[last] ?? 0), r: 2 })];
  /** @type {Record<string, string>} */
  const name = label === undefined ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': label };
  return svg(
    'svg',
    { class: 'chart-spark', width, height, viewBox: `0 0 ${width} ${height}`, ...name },
    ...paths,
    ...dot,
  );
}

/** @param {number} px */
function round(px) {
  return Math.round(px * 10) / 10;
}
