import { h } from './h.js';
import { icon } from './icons.js';

/**
 * An error in a list's or card's place, with a way to try again.
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
    h('h2', null, 'This could not be loaded'),
    h('p', null, message),
    again,
  );
}

/**
 * An empty list: what belongs here and how to begin.
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
    h('div', { class: 'row' }, ...actions),
  );
}

/** Lines in the place of what is on its way. */
export function skeleton() {
  const line = () =>
    h(
      'div',
      { class: 'skeleton-row' },
      h('div', { class: 'skeleton wide' }),
      h('div', { class: 'skeleton narrow' }),
    );
  return h(
    'div',
    { 'aria-busy': 'true' },
    h('span', { class: 'visually-hidden' }, 'Loading'),
    line(),
    line(),
    line(),
  );
}
