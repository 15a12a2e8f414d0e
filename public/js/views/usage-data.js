import { api } from '../lib/api.js';
import { HOUR_MS, isoTime } from './time-range.js';
import { queryOf } from './traffic-filters.js';

/**
 * @import { TimeRange } from './time-range.js'
 * @import { FilterName, Figures, GroupName, LoggedRequest, TrafficFilters, UsageReport, UsageRow } from './traffic-types.js'
 */

/** Requests that are looked at for when something was last used. */
const RECENT = 100;

/** A group may show what else its requests have in common: a model its provider, a key its user. @type {Partial<Record<GroupName, GroupName>>} */
export const SECOND_GROUP = { model: 'provider', key: 'user' };

/** @typedef {{ range: TimeRange, filters: TrafficFilters, group: GroupName, nowMs: number }} UsageQuestion */
/**
 * What the page shows. course: by bucket; parts: by bucket and group; lines: by group; now and before: the totals that are
 * compared, without the hour that is not over; recent: the latest requests.
 * @typedef {{
 *   course: UsageReport, parts: UsageReport, lines: UsageReport, now: Figures, before: Figures, recent: LoggedRequest[],
 * }} UsageAnswer
 */

/**
 * The query of the ledger for one question.
 * @param {UsageQuestion} question
 * @param {{ bucket?: string, groupBy?: string, format?: string, fromMs?: number, toMs?: number }} [options]
 */
export function usagePath({ range, filters }, options = {}) {
  const { bucket, groupBy, format, fromMs = range.fromMs, toMs = range.toMs } = options;
  const times = { from: isoTime(fromMs), to: isoTime(toMs), tz: range.zone };
  return `/api/admin/usage?${queryOf({ ...times, ...filters, bucket, groupBy, format })}`;
}

/**
 * @param {UsageQuestion} question
 * @param {AbortSignal} signal
 * @returns {Promise<UsageAnswer>}
 */
export async function loadUsage(question, signal) {
  const { range, filters, group, nowMs } = question;
  /** @param {Parameters<typeof usagePath>[1]} options @returns {Promise<UsageReport>} */
  const ask = (options) => api.get(usagePath(question, options), { signal });
  const second = SECOND_GROUP[group];
  const end = range.isRunning ? Math.floor(nowMs / HOUR_MS) * HOUR_MS : range.toMs;
  const whole = end > range.fromMs ? end : range.toMs;
  const [course, parts, lines, now, before, recent] = await Promise.all([
    ask({ bucket: range.bucket }),
    ask({ bucket: range.bucket, groupBy: group }),
    ask({ groupBy: second === undefined ? group : `${group},${second}` }),
    ask({ toMs: whole }),
    ask({ fromMs: range.fromMs - range.beforeMs, toMs: whole - range.beforeMs }),
    range.isRunning
      ? api.get(`/api/admin/requests?${queryOf({ ...filters, limit: RECENT })}`, { signal })
      : { data: [] },
  ]);
  return { course, parts, lines, now: now.totals, before: before.totals, recent: recent.data };
}

/** Requests that failed for any reason but the client's leaving. @param {Figures} figures */
export function errorsOf({ clientErrors, providerErrors, limited, broken }) {
  return clientErrors + providerErrors + limited + broken;
}

/** @param {Figures} figures */
export function tokensOf({ promptTokens, completionTokens }) {
  return promptTokens + completionTokens;
}

/**
 * In nano-dollars, so that sums are exact; null: nothing was priced.
 * @param {Figures} figures
 */
export function nanoCostOf({ costUsd }) {
  return costUsd === null ? null : Math.round(costUsd * 1e9);
}

/** The request's field for a group. @type {Record<FilterName, keyof LoggedRequest>} */
const FIELDS = {
  key: 'keyId',
  user: 'userId',
  model: 'model',
  provider: 'provider',
  endpoint: 'endpoint',
  outcome: 'outcome',
};

/**
 * When each of a group was last used: the time of a recent request, else the beginning of its last bucket.
 * @param {UsageAnswer} answer
 * @param {GroupName} group
 * @returns {Map<string | null, { atMs: number, isExact: boolean }>}
 */
export function lastUses({ parts, recent }, group) {
  const last = new Map();
  for (const row of parts.data) last.set(row[group] ?? null, { atMs: timeOf(row), isExact: false });
  // The latest stands first, and must be the last that is set.
  for (const request of recent.toReversed())
    last.set(request[FIELDS[group]], { atMs: Date.parse(request.at), isExact: true });
  return last;
}

/**
 * The whole hour with which a row's bucket begins: in zones of half hours the day begins within an hour of UTC.
 * @param {UsageRow} row
 */
export function timeOf({ time = '' }) {
  return Math.ceil(Date.parse(time) / HOUR_MS) * HOUR_MS;
}
