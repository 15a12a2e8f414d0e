import { DAY_MS, HOUR_MS } from './time-range.js';

/** @typedef {Pick<import('./time-range.js').TimeRange, 'fromMs' | 'toMs' | 'zone'>} Span */

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const yearFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'long', timeZone: 'UTC' });

/**
 * A span in words: `28 Oct – 26 Nov`, `26 Nov`, `26 Nov, 10:00 – 11:00`.
 * @param {Span} span
 * @param {number} nowMs
 */
export function spanText({ fromMs, toMs, zone }, nowMs) {
  const offsetMs = zone * 60_000;
  const from = fromMs + offsetMs;
  const to = toMs + offsetMs;
  const day = (/** @type {number} */ ms) => {
    const isThisYear = new Date(ms).getUTCFullYear() === new Date(nowMs + offsetMs).getUTCFullYear();
    return (isThisYear ? dayFormat : yearFormat).format(ms).replace('Sept', 'Sep');
  };
  const isDays =
    from % DAY_MS < HOUR_MS && (to % DAY_MS < HOUR_MS || (toMs > nowMs && to - from > 2 * DAY_MS));
  const [first, last] = [day(from), day(to - 1)];
  if (isDays) return first === last ? first : `${first} – ${last}`;
  const [start, end] = [clockFormat.format(from), clockFormat.format(to)];
  return day(from) === day(to - 1) ? `${first}, ${start} – ${end}` : `${first}, ${start} – ${last}, ${end}`;
}

/**
 * The month of a time: `November`.
 * @param {number} ms
 * @param {number} zone
 */
export function monthName(ms, zone) {
  return monthFormat.format(ms + zone * 60_000);
}

/**
 * A day for a date field: `2026-11-30`.
 * @param {number} ms
 * @param {number} zone
 */
export function dateValue(ms, zone) {
  return new Date(ms + zone * 60_000).toISOString().slice(0, 10);
}
