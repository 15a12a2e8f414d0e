import { zoneName } from '../lib/format.js';
import { h } from '../lib/h.js';
import { patchChildren } from '../lib/patch.js';
import { placeLink } from './needs-card.js';

/** @import { Traffic } from './traffic.js' */

/**
 * Says whether new requests appear by themselves.
 * @param {HTMLElement} live
 * @param {boolean} isLive
 */
export function showLive(live, isLive) {
  patchChildren(live, [
    h('span', { class: `dot ${isLive ? 'live' : 'off'}`, 'aria-hidden': 'true' }),
    h('span', null, isLive ? 'Live' : 'Not live'),
  ]);
}

/**
 * The cards of the Overview. The card with what needs the owner takes the place of `.needs-slot`.
 * @param {HTMLElement} trafficCard
 * @param {{ strips: { element: HTMLElement }, budgets: { element: HTMLElement }, latest: { element: HTMLElement } }} cards
 * @param {HTMLElement} live
 * @param {import('../pages/admin.js').Navigate} navigate
 */
export function wholePage(trafficCard, { strips, budgets, latest }, live, navigate) {
  return h(
    'div',
    { class: 'cols' },
    trafficCard,
    h('div', { class: 'needs-slot' }),
    strips.element,
    budgets.element,
    h(
      'section',
      { class: 'card w12', 'aria-labelledby': 'latest' },
      h(
        'div',
        { class: 'card-head' },
        h('h2', { id: 'latest' }, 'Latest requests'),
        live,
        h('span', { class: 'push' }, placeLink('All requests', { tab: 'requests' }, navigate)),
      ),
      latest.element,
    ),
    h('p', { class: 'tiny muted w12' }, `Times are in ${zoneName()}.`),
  );
}

/**
 * Requests without a price, by model.
 * @param {Traffic} traffic
 */
export function unpricedByModel({ byModel }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { model, unpricedRequests } of byModel)
    if (model) counts.set(model, (counts.get(model) ?? 0) + unpricedRequests);
  return counts;
}

/** Placeholders as large as the cards. */
export function bones() {
  const card = (/** @type {string} */ size) =>
    h(
      'div',
      { class: `card pad stack bones ${size}` },
      h('div', { class: 'bone bone-l' }),
      h('div', { class: 'bone bone-s' }),
    );
  return h(
    'div',
    { class: 'cols', 'aria-busy': 'true' },
    h('span', { class: 'sr' }, 'Loading'),
    card('w8'),
    card('w4'),
    card('w6'),
    card('w6'),
  );
}
