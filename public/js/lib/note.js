import { h } from './h.js';
import { icon } from './icons.js';

const ICONS = /** @type {const} */ ({ ok: 'ok', info: 'info', warn: 'warning', bad: 'alert' });

/**
 * A note inside a page: icon, sentence, one action.
 * @param {keyof typeof ICONS} kind
 * @param {import('./h.js').Child} text
 * @param {import('./h.js').Child} [action] a link or a `.link-btn`
 */
export function note(kind, text, action) {
  return h('div', { class: `note ${kind}` }, icon(ICONS[kind]), h('div', { class: 'grow' }, text), action);
}
