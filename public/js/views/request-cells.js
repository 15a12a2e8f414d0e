/** What lists of requests show in their cells. */
import { number, plural, requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';

/** @import { LoggedRequest } from './traffic-types.js' */

export const nothing = () => h('span', { class: 'muted' }, '–');

/** @param {number} count of the attempts of a request */
export function triesBadge(count) {
  return count > 1 && h('span', { class: 'badge nowrap', title: plural(count, 'attempt') }, `${count} tries`);
}

/** @param {LoggedRequest} request */
export function tokensText({ promptTokens, completionTokens, estimated }) {
  if (promptTokens === null && completionTokens === null) return nothing();
  const text = (/** @type {number | null} */ tokens) => (tokens === null ? '–' : number(tokens));
  return h(
    'span',
    { title: estimated ? 'Estimated: the provider reported no tokens' : null },
    estimated && '≈\u00a0',
    text(promptTokens),
    h('span', { class: 'muted' }, ' → '),
    text(completionTokens),
  );
}

/**
 * What a request cost. Without a price it is not free, and neither is $0.
 * @param {LoggedRequest} request
 */
export function costText(request) {
  const { costUsd } = request;
  if (costUsd === 0) return h('span', { class: 'muted' }, 'free');
  if (costUsd !== null) return requestCost(costUsd);
  return isUnpriced(request) ? h('span', { class: 'badge warn' }, 'no price') : nothing();
}

/** Something was used, and it has no price. @param {LoggedRequest} request */
export function isUnpriced({ costUsd, promptTokens, completionTokens, audioSeconds, images }) {
  const used = [promptTokens, completionTokens, audioSeconds, images];
  return costUsd === null && used.some((value) => value !== null);
}
