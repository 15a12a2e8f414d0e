import { zoneName } from '../lib/format.js';
import { h } from '../lib/h.js';
import { placeLink } from './needs-card.js';

/**
 * The cards of the Overview.
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
    h('p', { class: 'tiny muted w12' }, `Times are those of ${zoneName()}.`),
  );
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
