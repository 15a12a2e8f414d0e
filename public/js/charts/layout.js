import { valueTicks } from './ticks.js';

/** @import { Unit } from './types.js' */

const WIDEST_BAR_PX = 36;
const BAR_SHARE = 0.72;
const TOP_PX = 12;

/**
 * Where everything stands in a chart, in pixels.
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {number} left where the plot begins, right of the axis
 * @property {number} top
 * @property {number} bottom where zero is
 * @property {number} slot the width of one bucket
 * @property {number} bar the width of a bar
 * @property {{ y: number, label: string }[]} lines of the grid, from zero up
 * @property {(value: number) => number} y
 * @property {(index: number) => number} barX
 * @property {(index: number) => number} center
 * @property {(x: number) => number} indexAt -1 beside the plot
 */

/**
 * @param {{ width: number, height: number, count: number, max: number, unit: Unit, fontPx: number }} options
 * @returns {Layout}
 */
export function layOut({ width, height, count, max, unit, fontPx }) {
  const bottom = height - 2 * fontPx;
  const {
    step,
    top: topValue,
    values,
  } = valueTicks({ max, heightPx: bottom - TOP_PX, leastStep: unit.leastStep });
  const labels = values.map((value) => unit.tick(value, step));
  const longest = Math.max(...labels.map((label) => label.length));
  const left = Math.ceil(longest * fontPx * 0.6) + 8;
  const slot = Math.max(0, width - left) / Math.max(1, count);
  const bar = Math.max(1, Math.min(WIDEST_BAR_PX, Math.floor(slot * BAR_SHARE)));
  const y = (/** @type {number} */ value) => bottom - (value / topValue) * (bottom - TOP_PX);
  return {
    width,
    height,
    left,
    top: TOP_PX,
    bottom,
    slot,
    bar,
    lines: values.map((value, index) => ({ y: Math.round(y(value)), label: labels[index] ?? '' })),
    y,
    barX: (index) => Math.round(left + slot * index + (slot - bar) / 2),
    center: (index) => left + slot * (index + 0.5),
    indexAt: (x) => (x < left || slot === 0 ? -1 : Math.min(count - 1, Math.floor((x - left) / slot))),
  };
}
