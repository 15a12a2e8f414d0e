/** The presets that fit `/name` in the message field (WAI-ARIA combobox pattern: the field keeps the focus). */
import { h } from '../../lib/h.js';

/** @typedef {import('../history/types.js').Preset} Preset */

const MOST_SHOWN = 8;

/**
 * @param {{ field: HTMLTextAreaElement, host: HTMLElement, presets: () => readonly Preset[], onUse: (preset: Preset) => void }} options
 *   host: the list is its first child; onUse: the field has been emptied
 */
export function createPresetMenu({ field, host, presets, onUse }) {
  const list = h('div', {
    class: 'preset-menu pop',
    role: 'listbox',
    id: 'chat-presets',
    'aria-label': 'Presets',
    hidden: true,
  });
  /** @type {Preset[]} */
  let shown = [];
  let at = 0;
  host.prepend(list);

  function update() {
    const query = /^\/(\S*)$/.exec(field.value)?.[1]?.toLowerCase();
    shown =
      query === undefined
        ? []
        : presets()
            .filter(({ name }) => name.toLowerCase().replace(/\s+/g, '-').includes(query))
            .slice(0, MOST_SHOWN);
    at = 0;
    list.hidden = shown.length === 0;
    list.replaceChildren(...shown.map(option));
    mark();
  }

  /** @param {Preset} preset @param {number} index */
  function option(preset, index) {
    return h(
      'div',
      {
        class: 'item',
        role: 'option',
        id: `chat-preset-${index}`,
        'aria-selected': false,
        // The field keeps the focus.
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => use(preset),
      },
      h('span', { class: 'medium truncate' }, `/${preset.name.replace(/\s+/g, '-')}`),
      h('span', { class: 'push tiny muted truncate' }, preset.system || (preset.modelId ?? '')),
    );
  }

  function mark() {
    [...list.children].forEach((child, index) => {
      child.setAttribute('aria-selected', String(index === at));
    });
    const marked = list.children[at];
    if (marked) field.setAttribute('aria-activedescendant', marked.id);
    else field.removeAttribute('aria-activedescendant');
    if (list.hidden) field.removeAttribute('aria-controls');
    else field.setAttribute('aria-controls', list.id);
  }

  /** @param {Preset} preset */
  function use(preset) {
    field.value = '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    onUse(preset);
  }

  field.addEventListener('input', update);
  field.addEventListener('blur', () => {
    list.hidden = true;
  });
  // Before the composer hears of the keys.
  field.addEventListener(
    'keydown',
    (event) => {
      if (list.hidden || event.isComposing) return;
      const { key } = event;
      const chosen = shown[at];
      if (key === 'ArrowDown') at = (at + 1) % shown.length;
      else if (key === 'ArrowUp') at = (at + shown.length - 1) % shown.length;
      else if (key === 'Escape') list.hidden = true;
      else if ((key === 'Enter' || key === 'Tab') && chosen) use(chosen);
      else return;
      event.preventDefault();
      event.stopPropagation();
      mark();
    },
    { capture: true },
  );
}
