import { serverNow } from '../lib/server-clock.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** A longer span is shown by days. */
const MOST_HOURS = 48;

/**
 * A span of time as Usage and Requests show it. beforeMs: how far the span lies back with which it is compared; isRunning:
 * it ends now.
 * @typedef {{
 *   id: string, fromMs: number, toMs: number, isRunning: boolean, bucket: 'hour' | 'day', beforeMs: number, zone: number,
 * }} TimeRange
 */

/** Minutes east of UTC, now. Days begin by this one offset, also where the clocks change in between. */
export function zoneMinutes() {
  return 0 - new Date(serverNow()).getTimezoneOffset();
}

/** `UTC+1`, `UTC−3:30`, `UTC`. @param {number} zone */
export function zoneText(zone) {
  const minutes = Math.abs(zone);
  if (minutes === 0) return 'UTC';
  const rest = minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`;
  return `UTC${zone < 0 ? '−' : '+'}${Math.floor(minutes / 60)}${rest}`;
}

/**
 * The range that an address names.
 * @param {{ range: string | null, from: string | null, to: string | null }} named
 * @param {{ nowMs: number, zone: number, usual: string }} options usual: without a name, or with an unknown one
 * @returns {TimeRange}
 */
export function readRange({ range, from, to }, { nowMs, zone, usual }) {
  const own = customRange(from, to, { nowMs, zone });
  if (own !== null) return own;
  return presetRange(range ?? usual, { nowMs, zone }) ?? must(presetRange(usual, { nowMs, zone }));
}

/**
 * @param {string | null} from
 * @param {string | null} to
 * @param {{ nowMs: number, zone: number }} options
 * @returns {TimeRange | null}
 */
function customRange(from, to, { nowMs, zone }) {
  const fromMs = Date.parse(from ?? '');
  const given = Date.parse(to ?? '');
  const toMs = Number.isNaN(given) ? nextHour(nowMs) : given;
  if (Number.isNaN(fromMs) || fromMs >= toMs) return null;
  const span = Math.ceil((toMs - fromMs) / HOUR_MS) * HOUR_MS;
  const bucket = span <= MOST_HOURS * HOUR_MS ? 'hour' : 'day';
  return { id: 'custom', fromMs, toMs, isRunning: toMs > nowMs, bucket, beforeMs: span, zone };
}

/**
 * @param {string} id
 * @param {{ nowMs: number, zone: number }} options
 * @returns {TimeRange | null}
 */
function presetRange(id, { nowMs, zone }) {
  const toMs = nextHour(nowMs);
  const shared = { id, toMs, isRunning: true, zone };
  if (id === '24h') return { ...shared, fromMs: toMs - 24 * HOUR_MS, bucket: 'hour', beforeMs: DAY_MS };
  const days = id === '7d' ? 7 : id === '30d' ? 30 : id === 'month' ? dayOfMonth(nowMs, zone) : 0;
  if (days === 0) return null;
  const fromMs = dayStart(nowMs - (days - 1) * DAY_MS, zone);
  return { ...shared, fromMs, bucket: 'day', beforeMs: days * DAY_MS };
}

/** @param {TimeRange | null} range */
function must(range) {
  if (range === null) throw new Error('There is no such range of time.');
  return range;
}

/** The first whole hour after a time. @param {number} ms */
function nextHour(ms) {
  return Math.floor(ms / HOUR_MS) * HOUR_MS + HOUR_MS;
}

/**
 * The first whole hour of UTC in the day of a time, because the ledger counts by those.
 * @param {number} ms
 * @param {number} zone
 */
export function dayStart(ms, zone) {
  const offsetMs = zone * 60_000;
  const midnight = Math.floor((ms + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
  return Math.ceil(midnight / HOUR_MS) * HOUR_MS;
}

/**
 * @param {number} ms
 * @param {number} zone
 */
function dayOfMonth(ms, zone) {
  return new Date(ms + zone * 60_000).getUTCDate();
}

/** A time as addresses and the API have it: `2026-11-30T10:00:00Z`. @param {number} ms */
export function isoTime(ms) {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
