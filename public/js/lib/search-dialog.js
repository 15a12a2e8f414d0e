import { openDialog } from './dialog.js';
import { h } from './h.js';
import { icon } from './icons.js';

/**
 * @typedef {{
 *   label: string, icon: import('./icons.js').IconName, detail?: string, keywords?: string, onOpen: () => unknown,
 * }} Found keywords: searched too, such as the id
 */
/**
 * @typedef {{ title: string, load: () => Promise<readonly Found[]>, isShownAtOnce?: boolean }} SearchSource
 *   isShownAtOnce: listed before anything is typed
 */

const MAX_PER_SOURCE = 6;

/**
 * The search over everything: a field and a list of what fits (WAI-ARIA combobox with a listbox). Enter opens the chosen
 * one.
 * @param {readonly SearchSource[]} sources in the order of the list
 */
export function openSearch(sources) {
  if (document.querySelector('dialog[open]') !== null) return;
  /** @type {(readonly Found[])[]} */
  const loaded = sources.map(() => []);
  /** @type {{ found: Found, element: HTMLElement }[]} */
  let options = [];
  let chosen = 0;
  const list = h('div', { class: 'finder-list', role: 'listbox', id: 'finder-list', 'aria-label': 'Found' });
  const none = h('p', { class: 'finder-none', role: 'status' });
  const field = h('input', {
    type: 'text',
    role: 'combobox',
    'aria-label': 'Search',
    'aria-controls': 'finder-list',
    'aria-expanded': true,
    'aria-autocomplete': 'list',
    placeholder: 'Search everything …',
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'go',
    autofocus: true,
    oninput: () => {
      chosen = 0;
      render();
    },
    onkeydown: onKey,
  });
  const dialog = openDialog({
    title: 'Search',
    closable: true,
    body: [h('div', { class: 'finder-field' }, icon('search'), field, h('kbd', null, 'Esc')), list, none],
  });
  dialog.element.classList.add('finder');
  dialog.element.addEventListener('click', (event) => {
    if (event.target === dialog.element) dialog.close();
  });

  /** @param {Found} found @param {number} index */
  function option(found, index) {
    return h(
      'div',
      {
        class: 'item',
        role: 'option',
        id: `finder-${index}`,
        'aria-selected': false,
        onclick: () => open(found),
        onpointermove: () => choose(index),
      },
      icon(found.icon),
      h('span', { class: 'truncate' }, found.label),
      found.detail && h('span', { class: 'push tiny muted truncate' }, found.detail),
    );
  }

  function render() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    options = [];
    const groups = sources.flatMap(({ title, isShownAtOnce }, index) => {
      const fitting = words.length === 0 && !isShownAtOnce ? [] : bestFits(loaded[index], words);
      if (fitting.length === 0) return [];
      const elements = fitting.map((found) => {
        const element = option(found, options.length);
        options.push({ found, element });
        return element;
      });
      const id = `finder-group-${index}`;
      return [
        h(
          'div',
          { role: 'group', 'aria-labelledby': id },
          h('div', { class: 'pop-head', id, role: 'presentation' }, title),
          ...elements,
        ),
      ];
    });
    list.replaceChildren(...groups);
    list.hidden = options.length === 0;
    none.textContent = options.length === 0 ? `Nothing fits “${field.value.trim()}”.` : '';
    choose(Math.min(chosen, options.length - 1));
  }

  /** @param {number} index */
  function choose(index) {
    chosen = Math.max(index, 0);
    options.forEach(({ element }, at) => {
      element.setAttribute('aria-selected', String(at === chosen));
    });
    const { element } = options[chosen] ?? {};
    if (element) field.setAttribute('aria-activedescendant', element.id);
    else field.removeAttribute('aria-activedescendant');
    element?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.isComposing || options.length === 0) return;
    const last = options.length - 1;
    if (event.key === 'ArrowDown') choose(chosen === last ? 0 : chosen + 1);
    else if (event.key === 'ArrowUp') choose(chosen === 0 ? last : chosen - 1);
    else if (event.key === 'Enter') open(options[chosen].found);
    else return;
    event.preventDefault();
  }

  /** @param {Found} found */
  function open(found) {
    dialog.close();
    // Afterwards, because closing gives the focus back.
    void dialog.closed.then(found.onOpen);
  }

  sources.forEach(({ load }, index) => {
    load().then(
      (items) => {
        loaded[index] = items;
        if (dialog.element.open) render();
      },
      // The others can still be found.
      () => {},
    );
  });
  render();
}

/**
 * Those whose words begin with what is typed come first.
 * @param {readonly Found[]} all
 * @param {readonly string[]} words
 */
function bestFits(all, words) {
  const fitting = all
    .map((found) => ({
      found,
      text: `${found.label} ${found.detail ?? ''} ${found.keywords ?? ''}`.toLowerCase(),
    }))
    .filter(({ text }) => words.every((word) => text.includes(word)));
  const [first = ''] = words;
  const begins = (/** @type {Found} */ { label }) => label.toLowerCase().startsWith(first);
  const sorted =
    words.length === 0 ? fitting : fitting.sort((a, b) => Number(begins(b.found)) - Number(begins(a.found)));
  return sorted.slice(0, words.length === 0 ? all.length : MAX_PER_SOURCE).map(({ found }) => found);
}
