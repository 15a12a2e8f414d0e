import { h } from './h.js';

/** An empty row as high as the rows that are not drawn. */
export function createGap() {
  const cell = h('td');
  const body = h('tbody', { class: 'gap', 'aria-hidden': 'true' }, h('tr', null, cell));
  let heightPx = 0;
  return {
    body,
    /** @param {number} next */
    set(next) {
      if (next !== heightPx) cell.style.setProperty('height', `${next}px`);
      heightPx = next;
    },
  };
}
