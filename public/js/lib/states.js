import { h } from './h.js';
import { icon } from './icons.js';

/**
 * An error message in place of a list or card, with a button to try again.
 * @param {string} message
 * @param {() => unknown} retry
 */
export function failed(message, retry) {
  const again = h(
    'button',
    { type: 'button', class: 'btn', onclick: () => void retry() },
    icon('refresh'),
    'Try again',
  );
  return h(
    'div',
    { class: 'empty', role: 'alert' },
    icon('warning'),
    h('h2', null, 'Loading failed'),
    h('p', null, message),
    again,
  );
}

/**
 * The text of an empty list: what belongs here and how to begin.
 * @param {import('./icons.js').IconName} symbol
 * @param {string} title
 * @param {string} text
 * @param {...import('./h.js').Child} actions
 */
export function emptyState(symbol, title, text, ...actions) {
  return h(
    'div',
    { class: 'empty' },
    icon(symbol),
    h('h2', null, title),
    h('p', null, text),
    h('div', { class: 'row wrap' }, ...actions),
  );
}

/**
 * Placeholders while content is loading.
 * @param {{ count: number, itemClass?: string, class?: string }} options itemClass: lines of a list by default
 */
export function skeleton({ count, itemClass = 'bone-row', class: className }) {
  const item = () =>
    h('div', { class: itemClass }, h('div', { class: 'bone bone-l' }), h('div', { class: 'bone bone-s' }));
  return h(
    'div',
    { class: className, 'aria-busy': 'true' },
    h('span', { class: 'sr' }, 'Loading'),
    ...Array.from({ length: count }, item),
  );
}
