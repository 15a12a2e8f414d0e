import { svg } from '../lib/h.js';
import { axisLabel, bucketAt } from './buckets.js';
import { timeTicks } from './ticks.js';

/**
 * @import { Layout } from './layout.js'
 * @import { ChartData } from './types.js'
 */

/** Labels closer to that of the running bucket give way. */
const PX_AROUND_NOW = 48;

/**
 * The grid with its values, and the times below it.
 * @param {Layout} layout
 * @param {ChartData} data
 */
export function drawAxes(layout, data) {
  return svg('g', { 'aria-hidden': 'true' }, ...drawLines(layout), ...drawTimes(layout, data));
}

/** @param {Layout} layout */
function drawLines({ lines, left, width }) {
  return lines.flatMap(({ y, label }, index) => [
    svg('line', {
      class: index === 0 ? 'chart-base' : 'chart-grid',
      x1: left,
      x2: width,
      y1: y + 0.5,
      y2: y + 0.5,
    }),
    svg('text', { x: left - 8, y: y + 4, 'text-anchor': 'end' }, label),
  ]);
}

/**
 * @param {Layout} layout
 * @param {ChartData} data
 */
function drawTimes({ slot, center, left, width, height }, data) {
  const { starts, bucket, zone } = data;
  const now = starts.findIndex((_, index) => bucketAt(data, index).isNow);
  const word = (/** @type {number} */ index, /** @type {string} */ text, isNow = false) => {
    // Half of a label, so that the outermost ones stay inside.
    const half = text.length * 3.5;
    const x = Math.min(width - half, Math.max(left + half - 6, center(index)));
    const name = isNow ? 'chart-time chart-time-now' : 'chart-time';
    return svg('text', { class: name, x, y: height - 6, 'text-anchor': 'middle' }, text);
  };
  const words = timeTicks({ starts, bucket, zone, slotPx: slot })
    .filter((index) => now < 0 || Math.abs(now - index) * slot >= PX_AROUND_NOW)
    .map((index) => word(index, axisLabel(starts[index] ?? 0, bucket, zone)));
  if (now >= 0) words.push(word(now, bucket === 'hour' ? 'now' : 'today', true));
  return words;
}
