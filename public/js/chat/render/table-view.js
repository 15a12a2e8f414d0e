/** Shows tables. The rows of a long one are laid out apart from each other, because the browser would lay out all for each. */
import { h } from '../../lib/h.js';
import { createInline } from './inline-view.js';
import { createParts, createSequence } from './sequence.js';

/** @typedef {Extract<import('./blocks.js').Block, { type: 'table' }>} Table */
/**
 * @template T
 * @typedef {import('./sequence.js').View<T>} View
 */

const ROWS_PER_PART = 50;
/** Longer tables get columns of fixed shares. Their first rows say which. */
const LONG_ROWS = 100;
const MIN_COLUMN = '5rem';
/** A column is as wide as its longest cell, within these bounds. */
const MIN_SHARE_CHARS = 6;
const MAX_SHARE_CHARS = 40;

/** @param {Table} table @returns {View<import('./blocks.js').Block>} */
export function createTable({ header, align, rows }) {
  const head = JSON.stringify([header, align]);
  const table = h('table', null, h('thead', null, createRow('th', header, align).element));
  const add = () => table.appendChild(h('tbody'));
  const parts = createParts({ size: ROWS_PER_PART, first: add(), add });
  const showRows = createSequence(parts, (/** @type {string[]} */ cells) => createRow('td', cells, align));
  const element = h('div', { class: 'md-table', tabindex: 0, role: 'group', 'aria-label': 'Table' }, table);
  let isLong = false;

  /** @param {string[][]} all */
  function show(all) {
    showRows(all);
    if (isLong === all.length > LONG_ROWS) return;
    isLong = !isLong;
    element.classList.toggle('is-long', isLong);
    const columns = isLong ? columnsOf([header, ...all.slice(0, LONG_ROWS)]) : '';
    table.style.setProperty('--md-columns', columns);
    table.style.setProperty('min-width', isLong ? `calc(${header.length} * ${MIN_COLUMN})` : '');
  }

  show(rows);
  return {
    element,
    update(next) {
      if (next.type !== 'table' || JSON.stringify([next.header, next.align]) !== head) return false;
      show(next.rows);
      return true;
    },
  };
}

/** @param {readonly string[][]} rows the first is the header */
function columnsOf(rows) {
  const shares = rows[0]?.map((_, column) => {
    const chars = Math.max(...rows.map((cells) => cells[column]?.length ?? 0));
    return Math.min(Math.max(chars, MIN_SHARE_CHARS), MAX_SHARE_CHARS);
  });
  return (shares ?? []).map((share) => `minmax(${MIN_COLUMN}, ${share}fr)`).join(' ');
}

/** @param {'th' | 'td'} tag @param {string[]} cells @param {string[]} align @returns {View<string[]>} */
function createRow(tag, cells, align) {
  const key = JSON.stringify(cells);
  const elements = cells.map((text, column) => {
    const cell = h(tag, align[column] ? { class: `md-${align[column]}` } : null);
    createInline(cell)(text);
    return cell;
  });
  return { element: h('tr', null, elements), update: (next) => JSON.stringify(next) === key };
}
