/**
 * The spans of time of the traffic card. No DOM.
 *
 * @typedef {{ fromMs: number, toMs: number }} Span whole hours; `toMs` does not count
 * @typedef {Span & {
 *   bucket: 'hour' | 'day', zone: number, name: string, whole: Span | null, before: Span | null, beforeName: string,
 * }} TrafficSpan
 *   zone: minutes east of UTC; name: `last 24 hours`; whole: the span up to the last full hour, to be compared with `before`,
 *   which is as long; beforeName: `vs 24 h before`
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The choices of the Overview. */
export const RANGES = /** @type {const} */ ([
  { value: '24h', label: '24 hours', days: 1, beforeName: 'vs 24 h before' },
  { value: '7d', label: '7 days', days: 7, beforeName: 'vs 7 days before' },
  { value: '30d', label: '30 days', days: 30, beforeName: 'vs 30 days before' },
]);

/**
 * The span of a choice, up to now. A day is one of the reader's days, so that the first is a whole one.
 * @param {string | null} value anything else than a choice: the last 24 hours
 * @param {number} nowMs
 * @param {number} zone minutes east of UTC
 * @returns {TrafficSpan}
 */
export function rangeSpan(value, nowMs, zone) {
  const { days, label, beforeName } = RANGES.find((one) => one.value === value) ?? RANGES[0];
  const hourMs = hourOf(nowMs);
  const fromMs = days === 1 ? hourMs - 23 * HOUR_MS : dayStart(nowMs, zone) - (days - 1) * DAY_MS;
  return {
    ...compared({ fromMs, beforeMs: fromMs - days * DAY_MS, hourMs }),
    bucket: days === 1 ? 'hour' : 'day',
    zone,
    name: `last ${label}`,
    beforeName,
  };
}

/**
 * The running period of a budget, as far as it has come.
 * @param {{ period: string, resetsAt: string | null }} usage
 * @param {number} nowMs
 * @param {number} zone
 * @returns {TrafficSpan}
 */
export function periodSpan({ period, resetsAt }, nowMs, zone) {
  const fromMs = periodStart(period, resetsAt);
  if (fromMs === null) return rangeSpan('30d', nowMs, zone);
  const beforeMs = period === 'month' ? monthBefore(fromMs) : fromMs - (period === 'week' ? 7 : 1) * DAY_MS;
  const month = monthName(beforeMs);
  const isDay = period === 'day';
  return {
    ...compared({ fromMs, beforeMs, hourMs: hourOf(nowMs) }),
    bucket: isDay ? 'hour' : 'day',
    zone,
    name: isDay ? 'today' : period === 'week' ? 'this week' : monthName(fromMs),
    beforeName: isDay
      ? 'on yesterday by now'
      : period === 'week'
        ? 'on last week by now'
        : `on ${month} by then`,
  };
}

/**
 * When the running period of a budget began; null: it has no beginning.
 * @param {string} period
 * @param {string | null} resetsAt
 * @returns {number | null}
 */
export function periodStart(period, resetsAt) {
  if (resetsAt === null) return null;
  const endMs = Date.parse(resetsAt);
  if (period === 'month') return monthBefore(endMs);
  return endMs - (period === 'week' ? 7 : 1) * DAY_MS;
}

/**
 * The name of a period: `November`; `this week`, `today`, and `all time` for one without an end.
 * @param {{ period: string, resetsAt: string | null }} usage
 */
export function periodName({ period, resetsAt }) {
  const startMs = periodStart(period, resetsAt);
  if (startMs === null) return 'all time';
  return period === 'month' ? monthName(startMs) : period === 'week' ? 'this week' : 'today';
}

/**
 * @param {{ fromMs: number, beforeMs: number, hourMs: number }} times hourMs: where the running hour began
 */
function compared({ fromMs, beforeMs, hourMs }) {
  const span = { fromMs, toMs: hourMs + HOUR_MS };
  const length = Math.min(hourMs - fromMs, fromMs - beforeMs);
  if (length <= 0) return { ...span, whole: null, before: null };
  return {
    ...span,
    whole: { fromMs, toMs: hourMs },
    before: { fromMs: beforeMs, toMs: beforeMs + length },
  };
}

/** @param {number} ms */
function hourOf(ms) {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/**
 * The first whole hour of UTC in the zone's day.
 * @param {number} nowMs
 * @param {number} zone
 */
function dayStart(nowMs, zone) {
  const offsetMs = zone * 60_000;
  const midnightMs = Math.floor((nowMs + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
  return Math.ceil(midnightMs / HOUR_MS) * HOUR_MS;
}

/** Budgets run by UTC. @param {number} ms */
function monthBefore(ms) {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1);
}

const month = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' });

/** @param {number} ms */
function monthName(ms) {
  return month.format(ms);
}
