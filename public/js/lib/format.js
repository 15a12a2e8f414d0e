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

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dayOfMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
/** Stands between a number and its unit. */
const NARROW = '\u202f';
/** In place of a number that is not known. */
const NOTHING = '–';

/**
 * A sum in dollars: `$7.01`, `$1,204.50`; `<$0.01` where two decimals would say nothing.
 * @param {number | null | undefined} usd
 */
export function money(usd) {
  return dollars(usd, 2);
}

/**
 * What one request cost: four decimals below a dollar, `$0` for a free one.
 * @param {number | null | undefined} usd
 */
export function requestCost(usd) {
  if (usd === 0) return '$0';
  return dollars(usd, typeof usd === 'number' && Math.abs(usd) >= 1 ? 2 : 4);
}

/**
 * @param {number | null | undefined} usd
 * @param {number} decimals
 */
function dollars(usd, decimals) {
  if (usd === null || usd === undefined) return NOTHING;
  const least = 10 ** -decimals;
  if (usd > 0 && usd < least / 2) return `<$${least.toFixed(decimals)}`;
  const text = fixed(Math.abs(usd), decimals);
  return usd < 0 ? `−$${text}` : `$${text}`;
}

/** @type {Map<number, Intl.NumberFormat>} */
const fixedFormats = new Map();

/**
 * @param {number} value
 * @param {number} decimals
 */
function fixed(value, decimals) {
  let format = fixedFormats.get(decimals);
  if (format === undefined) {
    format = new Intl.NumberFormat('en', {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    fixedFormats.set(decimals, format);
  }
  return format.format(value);
}

/** @type {readonly [number, string][]} */
const SCALES = [
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const LEAST_SCALED = 10_000;

/**
 * A count, from 10,000 on in three figures: `1,030`, `18.2 k`, `35.9 M`, `1.20 B`.
 * @param {number | null | undefined} value
 */
export function compact(value) {
  if (value === null || value === undefined) return NOTHING;
  for (const [scale, unit] of SCALES) {
    // 999,950 would be rounded to 1000 k.
    if (value >= scale * 0.9995 && value >= LEAST_SCALED)
      return `${threeFigures(value / scale)}${NARROW}${unit}`;
  }
  return whole.format(value);
}

/** @param {number} value from 1 to 999 */
function threeFigures(value) {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/**
 * `820 ms`, `1.86 s`, `12.4 s`, `2 min 5 s`.
 * @param {number | null | undefined} ms
 */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms < 999.5) return `${Math.round(ms)}${NARROW}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)}${NARROW}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds >= 3600)
    return `${Math.floor(seconds / 3600)}${NARROW}h ${Math.floor((seconds % 3600) / 60)}${NARROW}min`;
  return `${Math.floor(seconds / 60)}${NARROW}min ${seconds % 60}${NARROW}s`;
}

/**
 * A share from 0 to 1: `0 %`, `1.8 %`, `92 %`, `<0.1 %`.
 * @param {number | null | undefined} share
 */
export function percent(share) {
  if (share === null || share === undefined) return NOTHING;
  const value = Math.abs(share * 100);
  if (value === 0) return `0${NARROW}%`;
  if (value < 0.05) return `<0.1${NARROW}%`;
  return `${share < 0 ? '−' : ''}${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)}${NARROW}%`;
}

/**
 * A change: `−5 %`, `+12 %`, `0 %`; `× 25` from ten times on.
 * @param {number | null | undefined} share
 */
export function signedPercent(share) {
  if (typeof share === 'number' && share >= 9) return `×${NARROW}${number(Math.round(share + 1))}`;
  return typeof share === 'number' && share > 0 ? `+${percent(share)}` : percent(share);
}

/**
 * How long ago, in a few letters: `now`, `8 s ago`, `26 min ago`, `3 h ago`, `25 Nov`.
 * @param {string | number | null | undefined} at an ISO time or milliseconds since the epoch
 */
export function shortAge(at) {
  if (at === null || at === undefined) return NOTHING;
  const seconds = (serverNow() - new Date(at).getTime()) / 1000;
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)}${NARROW}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${NARROW}min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${NARROW}h ago`;
  return day(at);
}

/**
 * `14:32:11`, in the browser's time zone.
 * @param {string | number | null | undefined} at
 */
export function clockTime(at) {
  return at === null || at === undefined ? NOTHING : clock.format(new Date(at));
}

/**
 * `25 Nov`; with the year when it is another one.
 * @param {string | number | null | undefined} at
 */
export function day(at) {
  if (at === null || at === undefined) return NOTHING;
  const date = new Date(at);
  return (date.getFullYear() === new Date(serverNow()).getFullYear() ? dayOfMonth : dayAndYear).format(date);
}

/** The browser's time zone, to be said once per page: `Europe/Berlin, UTC+1`. */
export function zoneName() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return timeZone === 'UTC' ? 'UTC' : `${timeZone}, UTC`;
  const hours = Math.abs(minutes) / 60;
  const text = Number.isInteger(hours) ? String(hours) : `${Math.floor(hours)}:${Math.abs(minutes) % 60}`;
  return `${timeZone}, UTC${minutes < 0 ? '−' : '+'}${text}`;
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
