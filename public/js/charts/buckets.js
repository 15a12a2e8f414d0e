/** @import { Bucket, BucketSize, SeriesInput, Zone } from './types.js' */

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No chart has more: a year of days, a month of hours. */
const MOST_BUCKETS = 1000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const FORMATS = new Map();

/**
 * A time as the clocks of a zone show it.
 * @param {number} ms
 * @param {Zone} zone
 * @returns {{ year: number, month: number, day: number, hour: number, minute: number }}
 */
export function localParts(ms, zone) {
  if (typeof zone === 'number') {
    const local = new Date(ms + zone * 60_000);
    return {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
    };
  }
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
  const options = /** @type {const} */ ({
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  for (const { type, value } of format(zone, options).formatToParts(ms)) {
    if (type in fields) Reflect.set(fields, type, Number(value));
  }
  return fields;
}

/**
 * The number of the local day since 1 January 1970.
 * @param {number} ms
 * @param {Zone} zone
 */
export function dayNumber(ms, zone) {
  const { year, month, day } = localParts(ms, zone);
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/**
 * The beginnings of all buckets that touch a time: whole hours of UTC, or days that begin with the first whole hour of UTC in
 * the zone's day, as the API cuts them.
 * @param {{ fromMs: number, toMs: number, bucket: BucketSize, zone: Zone }} options
 * @returns {number[]}
 */
export function bucketStarts({ fromMs, toMs, bucket, zone }) {
  const starts = [];
  let hour = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  if (bucket === 'day') {
    const day = dayNumber(hour, zone);
    while (dayNumber(hour - HOUR_MS, zone) === day) hour -= HOUR_MS;
  }
  while (hour < toMs && starts.length < MOST_BUCKETS) {
    starts.push(hour);
    hour = bucketEnd(hour, bucket, zone);
  }
  return starts;
}

/**
 * @param {number} startMs
 * @param {BucketSize} bucket
 * @param {Zone} zone
 */
export function bucketEnd(startMs, bucket, zone) {
  if (bucket === 'hour') return startMs + HOUR_MS;
  const day = dayNumber(startMs, zone);
  // Days of 23 and 25 hours exist.
  let end = startMs + DAY_MS - 2 * HOUR_MS;
  while (dayNumber(end, zone) === day) end += HOUR_MS;
  return end;
}

/**
 * @param {{ starts: readonly number[], bucket: BucketSize, zone: Zone, nowMs: number }} data
 * @param {number} index
 * @returns {Bucket}
 */
export function bucketAt({ starts, bucket, zone, nowMs }, index) {
  const startMs = starts[index] ?? 0;
  const endMs = bucketEnd(startMs, bucket, zone);
  return { index, startMs, endMs, isNow: startMs <= nowMs && nowMs < endMs };
}

/**
 * A bucket's word on the axis: `15:00`, or the date at midnight; `17 Nov`.
 * @param {number} startMs
 * @param {BucketSize} bucket
 * @param {Zone} zone
 */
export function axisLabel(startMs, bucket, zone) {
  const isMidnight = localParts(startMs, zone).hour === 0;
  return bucket === 'hour' && !isMidnight
    ? write(startMs, zone, { hour: '2-digit', minute: '2-digit' })
    : write(startMs, zone, { day: 'numeric', month: 'short' });
}

/**
 * A bucket's full name: `Wed 25 Nov, 15:00 to 16:00`, `Tue 17 November`.
 * @param {number} startMs
 * @param {BucketSize} bucket
 * @param {Zone} zone
 */
export function bucketName(startMs, bucket, zone) {
  if (bucket === 'day') return write(startMs, zone, { weekday: 'short', day: 'numeric', month: 'long' });
  const day = write(startMs, zone, { weekday: 'short', day: 'numeric', month: 'short' });
  const clock = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit' });
  return `${day}, ${write(startMs, zone, clock)} to ${write(startMs + HOUR_MS, zone, clock)}`;
}

/**
 * Turns rows of the usage API into series. A bucket without a row is 0.
 * @template {{ time?: string }} Row
 * @param {readonly Row[]} rows
 * @param {{ starts: readonly number[], id: (row: Row) => string, name: (row: Row) => string, value: (row: Row) => number | null }} options
 * @returns {SeriesInput[]}
 */
export function seriesOfRows(rows, { starts, id, name, value }) {
  const indexes = new Map(starts.map((start, index) => [start, index]));
  /** @type {Map<string, { id: string, name: string, values: (number | null)[] }>} */
  const series = new Map();
  for (const row of rows) {
    const index = indexes.get(Date.parse(row.time ?? ''));
    if (index === undefined) continue;
    const key = id(row);
    const entry = series.get(key) ?? { id: key, name: name(row), values: starts.map(() => 0) };
    const number = value(row);
    const before = entry.values[index] ?? null;
    entry.values[index] = number === null ? before || null : (before ?? 0) + number;
    series.set(key, entry);
  }
  return [...series.values()];
}

/**
 * @param {number} ms
 * @param {Zone} zone
 * @param {Intl.DateTimeFormatOptions} options
 */
function write(ms, zone, options) {
  const text =
    typeof zone === 'number'
      ? format('UTC', options).format(ms + zone * 60_000)
      : format(zone, options).format(ms);
  return text.replace(/^(\p{L}+), /u, '$1 ').replace(/\bSept\b/, 'Sep');
}

/**
 * Making a format takes a hundred times as long as using one.
 * @param {string} timeZone
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(timeZone, options) {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  let made = FORMATS.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat('en-GB', { ...options, timeZone, hourCycle: 'h23' });
    FORMATS.set(key, made);
  }
  return made;
}
