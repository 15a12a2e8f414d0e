import { dayNumber, localParts } from './buckets.js';

const LEAST_PX_PER_VALUE_LINE = 36;
/** Time labels need this at least; about 80 px is the aim. */
const LEAST_PX_PER_TIME_LABEL = 64;
const HOUR_STEPS = [1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 168];
const DAY_STEPS = [1, 2, 3, 4, 7, 14, 28, 56, 112];

/**
 * The smallest step of 1, 2 or 5 times a power of ten whose lines stand at least 36 px apart; there may always be two.
 * @param {number} max above 0
 * @param {number} heightPx
 * @param {number} [least] the smallest step that makes sense
 */
function niceStep(max, heightPx, least = 0) {
  const lines = Math.max(2, Math.floor(heightPx / LEAST_PX_PER_VALUE_LINE));
  const rough = Math.max(max / lines, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  // Rounding may leave the quotient a little above a step that fits.
  const step = [1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-12)) ?? 10;
  // 10 * 1e-5 is not quite 1e-4.
  return Math.max(Number((step * power).toPrecision(1)), least);
}

/**
 * The lines of an axis that begins at 0 and holds the largest value. Where there is nothing, zero is the only line.
 * @param {{ max: number, heightPx: number, leastStep?: number }} options
 * @returns {{ step: number, top: number, values: number[] }}
 */
export function valueTicks({ max, heightPx, leastStep = 0 }) {
  if (!(max > 0 && Number.isFinite(max))) return { step: 1, top: 1, values: [0] };
  const step = niceStep(max, heightPx, leastStep);
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  return {
    step,
    top: count * step,
    // Multiplied, not added up: 0.1 + 0.2 is not 0.3.
    values: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/**
 * The buckets that get a label: at whole local hours or at local midnight, far enough from each other.
 * @param {{ starts: readonly number[], bucket: import('./types.js').BucketSize, zone: import('./types.js').Zone, slotPx: number }} options
 * @returns {number[]} indexes
 */
export function timeTicks({ starts, bucket, zone, slotPx }) {
  const steps = bucket === 'hour' ? HOUR_STEPS : DAY_STEPS;
  const step =
    steps.find((count) => count * slotPx >= LEAST_PX_PER_TIME_LABEL) ?? steps[steps.length - 1] ?? 1;
  const indexes = [];
  for (const [index, start] of starts.entries()) {
    if (bucket === 'hour' ? isHourTick(start, step, zone) : isDayTick(start, step, zone)) indexes.push(index);
  }
  return indexes;
}

/**
 * @param {number} start
 * @param {number} step hours
 * @param {import('./types.js').Zone} zone
 */
function isHourTick(start, step, zone) {
  const { hour } = localParts(start, zone);
  if (step < 24) return hour % step === 0;
  return hour === 0 && isDayTick(start, step / 24, zone);
}

/**
 * Weeks begin on Monday.
 * @param {number} start
 * @param {number} step days
 * @param {import('./types.js').Zone} zone
 */
function isDayTick(start, step, zone) {
  const day = dayNumber(start, zone);
  // The first day of the epoch was a Thursday.
  return (step % 7 === 0 ? day + 3 : day) % step === 0;
}
