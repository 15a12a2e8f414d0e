import { serverNow } from './server-clock.js';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const whole = new Intl.NumberFormat('en');

/** @type {readonly [Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/**
 * `3 minutes ago`, `in 2 days`; `never` without a time.
 * @param {string | null | undefined} iso
 */
export function relativeTime(iso) {
  if (!iso) return 'never';
  const seconds = (Date.parse(iso) - serverNow()) / 1000;
  for (const [unit, length] of UNITS) {
    // Times in the future are rounded: "in 7 days" should not become "in 6 days" a second later.
    const inUnits = seconds / length;
    if (Math.abs(inUnits) >= 1)
      return relative.format(inUnits > 0 ? Math.round(inUnits) : Math.trunc(inUnits), unit);
  }
  return 'just now';
}

/**
 * Date and time in the browser's language.
 * @param {string | null | undefined} iso
 */
export function dateTime(iso) {
  return iso ? absolute.format(new Date(iso)) : '';
}

/**
 * `3 d 4 h`, `12 min`, `8 s`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** @param {number} value */
export function number(value) {
  return whole.format(value);
}

/**
 * `1 model`, `3 models`.
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function plural(value, one, many = `${one}s`) {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

/**
 * `640 B`, `12 KB`, `3.4 MB`.
 * @param {number} value
 */
export function bytes(value) {
  if (value < 1024) return `${value} B`;
  if (value < 1_048_576) return `${Math.round(value / 1024)} KB`;
  return `${(value / 1_048_576).toFixed(1)} MB`;
}
