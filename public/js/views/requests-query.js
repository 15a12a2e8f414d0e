import { serverNow } from '../lib/server-clock.js';
import { isoTime, readRange, zoneMinutes } from './time-range.js';
import { monthName, spanText } from './time-text.js';
import { queryOf, readFilters } from './traffic-filters.js';

/** @typedef {import('../lib/url-state.js').UrlState} UrlState */

const ANY = 'any';
/** Of which requests the filters offer choices while any time is shown. */
const USUAL = '30d';

export function rangeChoices() {
  return [
    { value: ANY, label: 'Any time' },
    { value: '24h', label: 'Last 24 hours' },
    { value: '7d', label: 'Last 7 days' },
    { value: '30d', label: 'Last 30 days' },
    { value: 'month', label: monthName(serverNow(), zoneMinutes()) },
  ];
}

/** The time in the address; null: any. @param {UrlState} url */
export function rangeIn(url) {
  const named = { range: url.get('range'), from: url.get('from'), to: url.get('to') };
  if (named.range === null && named.from === null) return null;
  return readRange(named, { nowMs: serverNow(), zone: zoneMinutes(), usual: USUAL });
}

/** The value of the time filter. @param {UrlState} url */
export function rangeValue(url) {
  return rangeIn(url)?.id ?? ANY;
}

/**
 * What the time filter shows for its value.
 * @param {UrlState} url
 * @param {string} value
 */
export function rangeName(url, value) {
  const range = rangeIn(url);
  if (value === 'custom' && range !== null) return spanText(range, serverNow());
  return rangeChoices().find((choice) => choice.value === value)?.label ?? 'Any time';
}

/** The address after the choice of a time. @param {string} value */
export function rangeParams(value) {
  return { range: value === ANY ? null : value, from: null, to: null };
}

/**
 * The filters as the API takes them.
 * @param {UrlState} url
 * @returns {Record<string, string | null | undefined>}
 */
export function requestParams(url) {
  const range = rangeIn(url);
  const from = range === null ? null : isoTime(range.fromMs);
  const to = range === null || range.isRunning ? null : isoTime(range.toMs);
  return { from, to, ...readFilters(url), search: url.get('search') };
}

/** What was asked for, without the present time: changes only if somebody changes it. @param {UrlState} url */
export function questionKey(url) {
  const { from: _from, to: _to, ...filters } = requestParams(url);
  return queryOf({ ...filters, range: url.get('range'), from: url.get('from'), to: url.get('to') });
}

/** `from` and `to` for the ledger. @param {UrlState} url */
export function ledgerTimes(url) {
  const named = { range: USUAL, from: null, to: null };
  const options = { nowMs: serverNow(), zone: zoneMinutes(), usual: USUAL };
  const { fromMs, toMs } = rangeIn(url) ?? readRange(named, options);
  return { from: isoTime(fromMs), to: isoTime(toMs) };
}
