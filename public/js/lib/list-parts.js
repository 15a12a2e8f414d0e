/** The small parts of `list.js`. */
import { number, plural } from './format.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { rememberControl } from './row-control.js';

/**
 * Turns what a cell holds into nodes.
 * @param {import('./h.js').Child} child
 * @returns {Node[]}
 */
export function toNodes(child) {
  return [...h('div', null, child).childNodes];
}

/**
 * The header of a column, with a button where the column can be sorted.
 * @param {import('./list.js').Column<any>} column
 * @param {() => void} onclick
 */
export function headerCell(column, onclick) {
  const content = column.sort
    ? h('button', { type: 'button', class: 'sort', onclick }, column.label)
    : column.label;
  const hidden = column.class?.includes('acts-cell');
  return h(
    'th',
    { role: 'columnheader', scope: 'col', class: column.class },
    hidden ? h('span', { class: 'sr' }, column.label) : content,
  );
}

/**
 * `7 models`, `2 of 7 models`.
 * @param {number} found
 * @param {number} all
 * @param {string} noun
 */
export function countText(found, all, noun) {
  return found === all ? plural(all, noun) : `${number(found)} of ${plural(all, noun)}`;
}

/**
 * The text of a list in which nothing matches the search, or the filter without one.
 * @param {string} query
 */
export function noMatch(query) {
  return h(
    'div',
    { class: 'empty' },
    icon('search'),
    h('h2', null, 'Nothing found'),
    h(
      'p',
      { class: 'wrap-anywhere' },
      query ? `Nothing here matches “${query}”.` : 'Nothing here fits the filter.',
    ),
  );
}

/**
 * Remembers which control of which row has the focus. Rendering replaces the rows.
 * @param {HTMLTableElement} table
 * @param {{ draw: (id: string) => void }} rows
 * @param {() => HTMLElement | null} fallback where the focus goes when the row is gone
 * @returns {(() => void) | null} gives the focus back after rendering; null when no row had it
 */
export function rememberFocus(table, rows, fallback) {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !table.contains(active)) return null;
  const tr = active.closest('tr');
  if (tr?.parentElement === table.tHead) return null;
  const successor = rememberControl(active);
  return () => {
    rows.draw(tr?.dataset.id ?? '');
    (successor() ?? fallback())?.focus({ preventScroll: true });
  };
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/**
 * True where a text has all the words in it.
 * @param {string} text
 * @param {readonly string[]} words
 */
export function hasAll(text, words) {
  return words.every((word) => text.includes(word));
}

/**
 * The order of two cells.
 * @param {string | number} a
 * @param {string | number} b
 */
export function compare(a, b) {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}
