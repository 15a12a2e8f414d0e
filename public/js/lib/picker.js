import { searchField } from './form.js';
import { number, plural } from './format.js';
import { h } from './h.js';
import { createLazyItems, createSentinel } from './lazy-items.js';

/** @typedef {{ id: string, detail?: string, isFixed?: boolean, note?: string }} Choice */

/**
 * A searchable list of checkboxes, for one choice or a thousand.
 * @param {{ label: string, search: string, choices: readonly Choice[], selected?: Iterable<string>, onchange?: () => void }} options
 */
export function createPicker(options) {
  const selected = new Set(options.selected ?? []);
  const free = options.choices.filter((choice) => !choice.isFixed);
  let query = '';
  const host = h('ul', {
    class: 'picker-list',
    'aria-label': options.label,
    'aria-description': 'Use the arrow keys to move.',
    onkeydown: moveFocus,
    onfocusin: (event) => setTabStop(event.target),
  });
  const sentinel = createSentinel();
  const rows = createLazyItems({ host, sentinel, renderItem: renderChoice });
  const status = h('p', { class: 'muted small', role: 'status' });
  const all = h('button', { type: 'button', class: 'btn quiet small', onclick: () => toggleShown() });
  const search = searchField(options.search, (text) => {
    query = text;
    rows.reset();
    render();
  });

  /** @param {Choice} choice */
  function renderChoice(choice) {
    const box = h('input', {
      type: 'checkbox',
      checked: choice.isFixed || selected.has(choice.id),
      disabled: choice.isFixed,
      tabindex: -1,
      onchange: () => {
        if (box.checked) selected.add(choice.id);
        else selected.delete(choice.id);
        describe();
        options.onchange?.();
      },
    });
    const text = h(
      'span',
      { class: 'grow truncate', title: choice.id },
      choice.id,
      choice.detail && h('span', { class: 'muted small' }, ` ${choice.detail}`),
    );
    return h(
      'li',
      null,
      h('label', { class: 'check' }, box, text, choice.note && h('span', { class: 'badge' }, choice.note)),
    );
  }

  const matches = () =>
    options.choices.filter((choice) => `${choice.id} ${choice.detail ?? ''}`.toLowerCase().includes(query));
  const shownFree = () => matches().filter((choice) => !choice.isFixed);

  function toggleShown() {
    const shown = shownFree();
    const isAll = shown.every((choice) => selected.has(choice.id));
    for (const choice of shown) {
      if (isAll) selected.delete(choice.id);
      else selected.add(choice.id);
    }
    render();
    options.onchange?.();
  }

  function describe() {
    const shown = shownFree();
    const isAll = shown.length > 0 && shown.every((choice) => selected.has(choice.id));
    all.textContent = isAll ? 'Select none' : `Select ${query ? 'these' : 'all'} ${shown.length}`;
    all.hidden = shown.length === 0;
    status.textContent = `${number(selected.size)} of ${plural(free.length, 'model')} selected`;
  }

  function render() {
    rows.show(matches());
    const first = host.querySelector('input:enabled');
    if (first) setTabStop(first);
    // A list without an enabled checkbox takes the focus itself, to be scrolled with the keys.
    host.tabIndex = first ? -1 : 0;
    describe();
  }

  /** Makes one checkbox the list's only stop of the Tab key: the one that had the focus last. @param {EventTarget | null} box */
  function setTabStop(box) {
    if (!(box instanceof HTMLInputElement)) return;
    for (const other of host.querySelectorAll('input[tabindex="0"]')) other.setAttribute('tabindex', '-1');
    box.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  function moveFocus(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    const boxes = [...host.querySelectorAll('input:enabled')];
    const next = boxes[(event.target instanceof Element ? boxes.indexOf(event.target) : -1) + step];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
  }

  render();
  const element = h(
    'div',
    { class: 'stack tight' },
    h('div', { class: 'row between picker-head' }, search.element, all),
    h('div', { class: options.choices.length > 8 ? 'picker long' : 'picker' }, host, sentinel),
    status,
  );
  return { element, selected: () => [...selected] };
}
