/** Small parts that both kinds of messages have. */
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';

/**
 * A quiet button with an icon.
 * @param {string} label
 * @param {import('../../lib/icons.js').IconName} symbol
 * @param {() => unknown} onclick
 * @param {string} [extraClass]
 * @returns {HTMLButtonElement}
 */
export function iconButton(label, symbol, onclick, extraClass = '') {
  const props = { type: 'button', class: `btn quiet small square ${extraClass}`, 'aria-label': label };
  return h('button', { ...props, title: label, onclick }, icon(symbol));
}

/**
 * Moves between the versions of a message: ‹ 2 / 3 ›. Empty for a single version.
 * @param {{ at: number, count: number, onMove: (step: 1 | -1) => void }} options at: from 1
 */
export function versionSwitch({ at, count, onMove }) {
  if (count < 2) return null;
  const back = iconButton('Previous version', 'left', () => onMove(-1), 'when-idle');
  const next = iconButton('Next version', 'chevron', () => onMove(1), 'when-idle');
  back.disabled = at <= 1;
  next.disabled = at >= count;
  const text = h('span', { class: 'num' }, h('span', { class: 'sr' }, 'Version '), `${at} / ${count}`);
  return h('span', { class: 'branch', role: 'group', 'aria-label': 'Versions' }, back, text, next);
}
