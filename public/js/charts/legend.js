import { h } from '../lib/h.js';
import { shownPart } from './series.js';
import { swatch } from './slots.js';

/** @import { Series, Unit } from './types.js' */

/**
 * The legend: a button for each series, which hides it. A series under the pointer or the focus is lit in the chart.
 * @param {{ onToggle: (id: string) => void, onLight: (id: string | null) => void }} options
 */
export function createLegend({ onToggle, onLight }) {
  const part = h('span', { class: 'chart-part' });
  const list = h('div', { class: 'chart-legend', role: 'group', 'aria-label': 'Series: press to hide' });
  /** @type {Map<string, HTMLButtonElement>} */
  let buttons = new Map();
  let drawn = '';

  const button = (/** @type {Series} */ { id, name }, /** @type {number} */ slot) =>
    h(
      'button',
      {
        type: 'button',
        onclick: () => onToggle(id),
        onpointerenter: () => onLight(id),
        onpointerleave: () => onLight(null),
        onfocus: () => onLight(id),
        onblur: () => onLight(null),
      },
      swatch(slot),
      h('span', { class: 'chart-name' }, name),
    );

  return {
    element: list,
    /**
     * Buttons stay the same elements while the series do, so that the focus stays.
     * @param {{ series: readonly Series[], slots: ReadonlyMap<string, number>, hidden: ReadonlySet<string>, unit: Unit, isUsed: boolean }} shown
     */
    update({ series, slots, hidden, unit, isUsed }) {
      const key = JSON.stringify(series.map(({ id, name }) => [id, name, slots.get(id)]));
      if (key !== drawn) {
        drawn = key;
        buttons = new Map(series.map((one) => [one.id, button(one, slots.get(one.id) ?? 0)]));
        list.replaceChildren(...buttons.values(), part);
      }
      for (const [id, element] of buttons) element.setAttribute('aria-pressed', String(!hidden.has(id)));
      part.textContent = shownPart(series, hidden, unit);
      list.hidden = series.length < 2 || !isUsed;
    },
  };
}
