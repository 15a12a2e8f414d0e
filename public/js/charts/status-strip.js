import { svg } from '../lib/h.js';
import { bucketName } from './buckets.js';

/** @import { Zone } from './types.js' */

const HOURS = 24;
const HOUR_MS = 3_600_000;
const BAR_PX = 5;
const PITCH_PX = 7;
const HEIGHT_PX = 20;
const STUB_PX = 4;
/** A failing part can be seen however small it is, and so can the rest. */
const LEAST_PART_PX = 3;

/** @typedef {{ startMs: number, requests: number, failed: number, isSlow?: boolean }} StripHour */

/**
 * The last 24 hours of a provider, one bar each: from the top the failing part in red, below it what worked (amber where
 * it was slow); a stub where there were no answers.
 * @param {{ name: string, hours: readonly StripHour[], nowMs: number, zone: Zone }} options
 */
export function statusStrip({ name, hours, nowMs, zone }) {
  const filled = lastHours(hours, nowMs);
  const width = (HOURS - 1) * PITCH_PX + BAR_PX;
  return svg(
    'svg',
    {
      class: 'chart-strip',
      role: 'img',
      'aria-label': `${name}: ${stripSummary(filled, zone)}`,
      width,
      height: HEIGHT_PX,
      viewBox: `0 0 ${width} ${HEIGHT_PX}`,
    },
    ...filled.map((hour, index) => drawHour(hour, index * PITCH_PX, zone)),
  );
}

/**
 * The last 24 hours up to the running one; those that are not there had no answers.
 * @param {readonly StripHour[]} hours
 * @param {number} nowMs
 * @returns {StripHour[]}
 */
export function lastHours(hours, nowMs) {
  const known = new Map(hours.map((hour) => [Math.floor(hour.startMs / HOUR_MS), hour]));
  const last = Math.floor(nowMs / HOUR_MS);
  return Array.from({ length: HOURS }, (_, index) => {
    const hour = last - HOURS + 1 + index;
    return known.get(hour) ?? { startMs: hour * HOUR_MS, requests: 0, failed: 0 };
  });
}

/**
 * The height of the failing part of a bar.
 * @param {StripHour} hour
 */
export function failedPx({ requests, failed }) {
  if (failed <= 0 || requests <= 0) return 0;
  if (failed >= requests) return HEIGHT_PX;
  const height = Math.round((failed / requests) * HEIGHT_PX);
  return Math.min(HEIGHT_PX - LEAST_PART_PX, Math.max(LEAST_PART_PX, height));
}

/**
 * @param {readonly StripHour[]} hours
 * @param {Zone} zone
 */
function stripSummary(hours, zone) {
  const busy = hours.filter(({ requests }) => requests > 0);
  if (busy.length === 0) return 'no answers in the last 24 hours';
  const sum = (/** @type {'requests' | 'failed'} */ field) =>
    busy.reduce((total, hour) => total + hour[field], 0);
  const bad = busy.filter(({ failed }) => failed > 0);
  const slow = busy.filter(({ isSlow }) => isSlow).length;
  const last = bad[bad.length - 1];
  return [
    `${sum('failed')} of ${sum('requests')} requests failed in the last 24 hours`,
    last && `last on ${bucketName(last.startMs, 'hour', zone)}`,
    slow > 0 && `slow in ${hoursOf(slow)}`,
    busy.length < hours.length && `no answers in ${hoursOf(hours.length - busy.length)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/**
 * @param {StripHour} hour
 * @param {number} x
 * @param {Zone} zone
 */
function drawHour(hour, x, zone) {
  const title = svg('title', {}, `${bucketName(hour.startMs, 'hour', zone)}: ${hourText(hour)}`);
  const rect = (/** @type {string} */ kind, /** @type {number} */ y, /** @type {number} */ height) =>
    svg('rect', { class: `chart-strip-${kind}`, x, y, width: BAR_PX, height, rx: 1 });
  // Catches the pointer beside the bar and above a stub.
  const area = svg('rect', { class: 'chart-strip-area', x: x - 1, y: 0, width: PITCH_PX, height: HEIGHT_PX });
  if (hour.requests <= 0) return svg('g', {}, title, area, rect('none', HEIGHT_PX - STUB_PX, STUB_PX));
  const failed = failedPx(hour);
  const kind = hour.isSlow ? 'slow' : 'ok';
  const gap = failed > 0 ? 1 : 0;
  return svg(
    'g',
    {},
    title,
    area,
    ...(failed > 0 ? [rect('bad', 0, failed)] : []),
    ...(failed < HEIGHT_PX ? [rect(kind, failed + gap, HEIGHT_PX - failed - gap)] : []),
  );
}

/** @param {StripHour} hour */
function hourText({ requests, failed, isSlow }) {
  if (requests <= 0) return 'no answers';
  const slow = isSlow ? ', slow' : '';
  return failed > 0 ? `${failed} of ${requests} failed${slow}` : `${requests} worked${slow}`;
}

/** @param {number} count */
function hoursOf(count) {
  return count === 1 ? '1 hour' : `${count} hours`;
}
