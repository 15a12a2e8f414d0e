import { h } from '../lib/h.js';

/** @import { Child } from '../lib/h.js' */

/**
 * The head of a chart: what the view puts there, and the switch between chart and table, which stands before both.
 * @param {{ heading: Child, actions: readonly Node[], hasToggle: boolean, onSwitch: (isTable: boolean) => void }} options
 */
export function createHead({ heading, actions, hasToggle, onSwitch }) {
  const choice = (/** @type {string} */ name, /** @type {boolean} */ isTable) =>
    h('button', { type: 'button', 'aria-pressed': !isTable, onclick: () => press(isTable) }, name);
  const chart = choice('Chart', false);
  const table = choice('Table', true);
  const press = (/** @type {boolean} */ isTable) => {
    chart.setAttribute('aria-pressed', String(!isTable));
    table.setAttribute('aria-pressed', String(isTable));
    onSwitch(isTable);
  };
  return h(
    'div',
    { class: 'chart-head' },
    heading,
    h(
      'div',
      { class: 'chart-actions' },
      actions,
      hasToggle && h('div', { class: 'chart-toggle', role: 'group', 'aria-label': 'View' }, chart, table),
    ),
  );
}
