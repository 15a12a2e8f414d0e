import { dateTime, number, plural, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { countReadyKeys, KEY_MISSING, providerCondition } from '../lib/health.js';
import { errorDetails, errorLine, stateMark } from '../lib/state-mark.js';

/** @typedef {import('../lib/types.js').Provider} Provider */

/**
 * What the state of a provider rests on, in one line; empty when there is nothing to tell.
 * @param {Provider} provider
 * @returns {string}
 */
export function evidenceOf(provider) {
  const { state, lastSuccessAt, lastError, ttftMs } = provider.health;
  if (!provider.enabled || providerCondition(provider) === KEY_MISSING) return '';
  if (state === 'failing' || state === 'resting') return lastError === null ? '' : errorLine(lastError);
  if (state === 'slow' && ttftMs.p95 !== null) return `first byte after ${seconds(ttftMs.p95)}`;
  if (lastSuccessAt !== null) return relativeTime(lastSuccessAt);
  return '';
}

/**
 * The keys of a provider in a few words: `2 of 3 ready`, or the hint of the only one.
 * @param {Provider} provider
 */
export function keysText(provider) {
  const { apiKeys } = provider;
  if (apiKeys.length === 0) return 'none';
  const ready = countReadyKeys(provider);
  if (apiKeys.length === 1 && ready === 1 && apiKeys[0].hint) return apiKeys[0].hint;
  return ready === apiKeys.length
    ? `${number(ready)} ready`
    : `${number(ready)} of ${number(apiKeys.length)} ready`;
}

/**
 * The state of a provider with all that it rests on.
 * @param {Provider} provider
 */
export function providerStateDetails(provider) {
  const { health } = provider;
  const { requests5m, errors5m, ttftMs, lastSuccessAt, lastError, since } = health;
  const failed = errors5m === 0 ? 'none failed' : `${number(errors5m)} failed`;
  /** @type {[string, import('../lib/h.js').Child][]} */
  const rows = [
    ['State', [stateMark(providerCondition(provider)), since ? sinceText(since) : null]],
    ['Last success', timeText(lastSuccessAt)],
    ['Last error', lastError === null ? 'none' : errorDetails(lastError)],
    ['Last 5 minutes', requests5m === 0 ? 'no requests' : `${plural(requests5m, 'request')}, ${failed}`],
  ];
  if (ttftMs.p50 !== null && ttftMs.p95 !== null)
    rows.push(['First byte', `half within ${seconds(ttftMs.p50)}, 95 % within ${seconds(ttftMs.p95)}`]);
  return h(
    'dl',
    { class: 'details' },
    ...rows.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))),
  );
}

/** @param {string} since */
function sinceText(since) {
  return h('div', { class: 'since muted small' }, `since ${dateTime(since)}`);
}

/** @param {string | null} at */
function timeText(at) {
  return at === null ? 'none yet' : h('time', { datetime: at, title: dateTime(at) }, relativeTime(at));
}

/** @param {number} ms */
function seconds(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
