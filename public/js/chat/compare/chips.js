/** The models that are compared, in the composer: each can be exchanged, a third can be added. */
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { openModelList } from '../composer/model-list.js';

/** @typedef {import('../types.js').Model} Model */

const MOST_MODELS = 3;

/**
 * @param {{
 *   host: HTMLElement, models: readonly Model[], columns: import('./compare.js').Column[], add: (model: Model) => void,
 *   onColumns: () => void,
 * }} options
 */
export function createChips({ host, models, columns, add, onColumns }) {
  /** Models that do not take part yet. */
  const others = () => models.filter(({ id }) => !columns.some(({ model }) => model.id === id));

  /** @param {number} index @param {number} slot */
  function chip(index, slot) {
    const column = columns[index];
    const button = h(
      'button',
      {
        type: 'button',
        class: 'btn quiet small model-btn',
        title: 'Choose another model',
        'aria-haspopup': 'dialog',
      },
      h('span', { class: `swatch k${slot}`, 'aria-hidden': 'true' }),
      h('span', { class: 'truncate' }, column?.model.name ?? ''),
    );
    button.setAttribute('aria-label', `Model ${index + 1}: ${column?.model.name}`);
    button.addEventListener('click', () =>
      openModelList(button, {
        models: others(),
        chosen: null,
        onChoose(model) {
          if (column) column.model = model;
          onColumns();
          focusChip(index);
        },
      }),
    );
    if (columns.length < MOST_MODELS) return [button];
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'btn quiet small square',
        'aria-label': `Remove ${column?.model.name}`,
        title: 'Remove',
        onclick: () => {
          columns.splice(index, 1);
          onColumns();
          host.querySelector('button')?.focus();
        },
      },
      icon('close'),
    );
    return [h('span', { class: 'compare-chip' }, button, remove)];
  }

  /** The button that was pressed is gone; on a phone the new one may be out of sight. @param {number} index */
  function focusChip(index) {
    /** @type {NodeListOf<HTMLElement>} */
    const buttons = host.querySelectorAll('.model-btn');
    buttons[index]?.focus();
  }

  return {
    /** @param {ReadonlyMap<string, number>} slots */
    render(slots) {
      const chips = columns.flatMap(({ model }, index) => chip(index, slots.get(model.id) ?? 1));
      const canAdd = columns.length < MOST_MODELS && others().length > 0;
      /** @type {HTMLButtonElement} */
      const more = h(
        'button',
        {
          type: 'button',
          class: 'btn quiet small square',
          'aria-label': 'Add a third model',
          title: 'Add a third model',
          'aria-haspopup': 'dialog',
          onclick: () =>
            openModelList(more, {
              models: others(),
              chosen: null,
              onChoose(model) {
                add(model);
                focusChip(columns.length - 1);
              },
            }),
        },
        icon('plus'),
      );
      host.replaceChildren(...chips, ...(canAdd ? [more] : []));
    },
    close: () => host.replaceChildren(),
  };
}
