import { svg } from '../lib/h.js';
import { BAD_SLOT } from './slots.js';

let charts = 0;

/** Where the system's colours are forced, patterns tell the series apart: lines (angle, distance, width) on the ground. The style sheet has the same for the swatches. */
const FORCED = [
  [0, 2, 4],
  [45, 6, 2],
  [-45, 6, 2],
  [0, 6, 2],
  [90, 6, 2],
  [45, 4, 1],
  [-45, 4, 3],
];

/**
 * Fills of one chart. They are elements in it, with ids of its own.
 * @typedef {object} Paint
 * @property {SVGElement} defs
 * @property {Record<string, string>} now the hatch of the bucket that is not over
 * @property {Record<string, string>} none the hatch of no data
 * @property {Record<string, string>} bad lies on red parts
 * @property {(slot: number) => Record<string, string>} series
 */

/**
 * @param {{ isForced: boolean }} options
 * @returns {Paint}
 */
export function createPaint({ isForced }) {
  const id = `chart-${++charts}`;
  const fill = (/** @type {string} */ name) => ({ fill: `url(#${id}-${name})` });
  return {
    defs: svg(
      'defs',
      {},
      hatch(`${id}-now`, 45, 6, 'chart-hatch-now'),
      hatch(`${id}-none`, 45, 6, 'chart-hatch-none'),
      hatch(`${id}-bad`, -45, 5, 'chart-hatch-bad'),
      ...(isForced ? FORCED.map((lines, index) => forcedPattern(`${id}-${index + 1}`, lines)) : []),
    ),
    now: fill('now'),
    none: fill('none'),
    bad: fill('bad'),
    series: (slot) =>
      isForced
        ? { ...fill(String(Math.min(slot, BAD_SLOT))), class: 'chart-forced' }
        : { class: `chart-slot-${slot}` },
  };
}

/**
 * @param {string} id
 * @param {number} angle
 * @param {number} size
 * @param {string} name
 */
function hatch(id, angle, size, name) {
  return svg(
    'pattern',
    { id, width: size, height: size, patternUnits: 'userSpaceOnUse', patternTransform: `rotate(${angle})` },
    svg('line', { class: name, x1: 0, y1: 0, x2: 0, y2: size }),
  );
}

/**
 * @param {string} id
 * @param {readonly number[]} lines
 */
function forcedPattern(id, [angle = 0, size = 6, width = 2]) {
  const pattern = hatch(id, angle, size, 'chart-forced-line');
  pattern.firstElementChild?.setAttribute('stroke-width', String(width * 2));
  pattern.prepend(svg('rect', { class: 'chart-forced-ground', width: size, height: size }));
  return pattern;
}
