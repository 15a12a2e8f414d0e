/** The list of models to choose from, with a search (WAI-ARIA combobox with a listbox). */
import { searchField } from '../../lib/form.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { openPopup } from '../../lib/popup.js';
import { priceText } from '../../lib/prices.js';
import { KIND_NAMES } from '../request/models.js';
import { visionMark } from './vision-mark.js';

/** @typedef {import('../types.js').Model} Model */

/** More than these are found by typing. */
const MOST_SHOWN = 200;

let count = 0;

/**
 * Opens the list at a button.
 * @param {HTMLElement} anchor
 * @param {{ models: readonly Model[], chosen: string | null, query?: string, onChoose: (model: Model) => void }} options
 *   query: what was typed before the list was there
 */
export function openModelList(anchor, { models, chosen, query: typed = '', onChoose }) {
  const id = `models-${++count}`;
  /** @type {{ model: Model, element: HTMLElement }[]} */
  let options = [];
  let at = 0;
  const list = h('div', { class: 'model-list', role: 'listbox', id, 'aria-label': 'Models' });
  const none = h('p', { class: 'model-none', role: 'status' });
  const { element, control } = searchField('Search models', (query) => {
    at = 0;
    render(query);
  });
  for (const [name, value] of /** @type {const} */ ([
    ['role', 'combobox'],
    ['aria-controls', id],
    ['aria-expanded', 'true'],
    ['aria-autocomplete', 'list'],
  ]))
    control.setAttribute(name, value);
  control.addEventListener('keydown', onKey);

  /** @param {Model} model */
  function option(model) {
    const price = priceText(model.price);
    const index = options.length;
    const item = h(
      'div',
      {
        class: 'item',
        role: 'option',
        id: `${id}-${index}`,
        'aria-selected': false,
        onclick: () => choose(model),
        onpointermove: () => mark(index),
      },
      h('span', { class: 'truncate' }, model.name),
      model.name !== model.id && h('span', { class: 'tiny muted truncate' }, model.id),
      model.hasVision && visionMark(),
      model.id === chosen && icon('check'),
      price !== null &&
        h('span', { class: 'push tiny muted num', title: 'For a million tokens in / out' }, price),
    );
    options.push({ model, element: item });
    return item;
  }

  function render(query = '') {
    options = [];
    const words = query.split(/\s+/).filter(Boolean);
    const fitting = models.filter((model) => {
      const text = `${model.name} ${model.id}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const shown = fitting.slice(0, MOST_SHOWN);
    const kinds = /** @type {import('../types.js').Kind[]} */ (Object.keys(KIND_NAMES));
    const groups = kinds.flatMap((kind) => {
      const members = shown.filter((model) => model.kind === kind);
      if (members.length === 0) return [];
      const head = `${id}-${kind}`;
      return [
        h(
          'div',
          { role: 'group', 'aria-labelledby': head },
          h('div', { class: 'pop-head', id: head, role: 'presentation' }, KIND_NAMES[kind]),
          ...members.map(option),
        ),
      ];
    });
    list.replaceChildren(...groups);
    list.hidden = options.length === 0;
    none.textContent = noneText(fitting.length, query);
    mark(
      query === ''
        ? Math.max(
            0,
            options.findIndex(({ model }) => model.id === chosen),
          )
        : at,
    );
  }

  /** @param {number} found @param {string} query */
  function noneText(found, query) {
    if (found > MOST_SHOWN) return `${found - MOST_SHOWN} more. Type to find them.`;
    return found === 0 ? `No model fits “${query}”.` : '';
  }

  /** @param {number} index */
  function mark(index) {
    at = Math.min(index, options.length - 1);
    options.forEach(({ element: item }, position) => {
      item.setAttribute('aria-selected', String(position === at));
    });
    const marked = options[at]?.element;
    if (marked) control.setAttribute('aria-activedescendant', marked.id);
    else control.removeAttribute('aria-activedescendant');
    marked?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.isComposing || options.length === 0) return;
    const last = options.length - 1;
    const found = options[at];
    if (event.key === 'ArrowDown') mark(at === last ? 0 : at + 1);
    else if (event.key === 'ArrowUp') mark(at <= 0 ? last : at - 1);
    else if (event.key === 'Enter' && found) choose(found.model);
    else return;
    event.preventDefault();
  }

  /** @param {Model} model */
  function choose(model) {
    popup.close();
    onChoose(model);
  }

  // Before it opens: where it opens depends on its height.
  control.value = typed;
  render(typed.trim().toLowerCase());
  const popup = openPopup(anchor, [h('div', { class: 'pop-search' }, element), list, none], {
    label: 'Choose a model',
    role: 'dialog',
    class: 'models-pop',
  });
  options[at]?.element.scrollIntoView({ block: 'nearest' });
}
