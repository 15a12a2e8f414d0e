import { messageOf } from './api.js';
import { searchField } from './form.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { openPopup } from './popup.js';

/** With more choices than this there is a field to search them. */
const MAX_UNSEARCHED = 8;
/** More are not drawn; the search finds them. */
const MAX_DRAWN = 200;

/** @typedef {{ value: string, label: string, detail?: string }} FilterChoice detail: at the end of the line, such as a count */
/**
 * @typedef {{
 *   id: string, label: string, choices: readonly FilterChoice[] | (() => Promise<readonly FilterChoice[]>), isMultiple?: boolean,
 *   isGiven?: boolean, icon?: import('./icons.js').IconName, nameOf?: (value: string) => string | null,
 * }} Filter
 *   choices: a function is called when the chip is opened; isMultiple: several values may be chosen; isGiven: always has a
 *   value, such as the time range; nameOf: the label of a value whose choice was not loaded yet
 */
/** @typedef {Record<string, readonly string[]>} FilterValues */

/**
 * A row of filters: a chip is dashed while it is unset, and has its own × once it is set.
 * @param {{
 *   label: string, filters: readonly Filter[], values: FilterValues, onChange: (id: string, values: string[]) => void,
 *   end?: import('./h.js').Child,
 * }} options end: at the end of the row, such as a count
 */
export function createFilterChips(options) {
  const chips = options.filters.map((filter) =>
    createChip(filter, (values) => options.onChange(filter.id, values)),
  );
  /** @param {FilterValues} values of all filters; those left out are unset */
  function set(values) {
    options.filters.forEach((filter, index) => {
      chips[index].set(values[filter.id] ?? []);
    });
  }
  set(options.values);
  const element = h(
    'div',
    { class: 'filters scroll', role: 'group', 'aria-label': options.label },
    ...chips.map((chip) => chip.element),
    options.end,
  );
  return { element, set };
}

/**
 * @param {Filter} filter
 * @param {(values: string[]) => void} onChange
 */
function createChip(filter, onChange) {
  /** @type {readonly string[]} */
  let values = [];
  /** Labels of values, as far as the choices were loaded. @type {Map<string, string>} */
  const labels = new Map();
  if (typeof filter.choices !== 'function') learn(filter.choices);
  const main = h('button', {
    type: 'button',
    'aria-haspopup': 'dialog',
    'aria-expanded': false,
    onclick: () => void open(),
  });
  const remove = h(
    'button',
    {
      type: 'button',
      class: 'x',
      'aria-label': `Remove the filter ${filter.label}`,
      title: 'Remove this filter',
      onclick: () => {
        main.focus();
        choose([]);
      },
    },
    icon('close'),
  );
  const element = h('span', { class: 'chip' }, main);

  /** @param {readonly FilterChoice[]} choices */
  function learn(choices) {
    for (const { value, label } of choices) labels.set(value, label);
  }

  function render() {
    const isSet = values.length > 0;
    const text = valueText(values.map((value) => labels.get(value) ?? filter.nameOf?.(value) ?? value));
    element.className = `chip ${filter.isGiven ? 'given' : isSet ? 'set' : ''}`;
    if (filter.isGiven) main.replaceChildren(icon(filter.icon ?? 'calendar'), text);
    else if (isSet) main.replaceChildren(`${filter.label}: `, h('b', null, text));
    else main.replaceChildren(icon('plus'), filter.label);
    if (isSet && !filter.isGiven) element.append(remove);
    else remove.remove();
  }

  /** @param {readonly string[]} next */
  function choose(next) {
    values = next;
    render();
    onChange([...next]);
  }

  async function open() {
    const host = h('div', null, h('p', { class: 'pop-head', role: 'status' }, 'Loading …'));
    const popup = openPopup(main, host, { label: filter.label, role: 'dialog' });
    try {
      const choices = typeof filter.choices === 'function' ? await filter.choices() : filter.choices;
      learn(choices);
      render();
      host.replaceChildren(choiceList({ filter, choices, values: () => values, choose, close: popup.close }));
    } catch (error) {
      host.replaceChildren(h('p', { class: 'pop-head', role: 'alert' }, messageOf(error)));
      return;
    }
    const first = host.querySelector('input[type="search"], input:checked, input');
    if (first instanceof HTMLElement && popup.element.isConnected) first.focus({ preventScroll: true });
  }

  return {
    element,
    /** @param {readonly string[]} next */
    set(next) {
      values = next;
      render();
    },
  };
}

/**
 * @param {{
 *   filter: Filter, choices: readonly FilterChoice[], values: () => readonly string[],
 *   choose: (values: readonly string[]) => void, close: () => void,
 * }} options
 */
function choiceList({ filter, choices, values, choose, close }) {
  const list = h('div', {
    role: filter.isMultiple ? 'group' : 'radiogroup',
    'aria-label': filter.isMultiple ? `${filter.label}, several possible` : filter.label,
    onkeydown: moveFocus,
  });
  const search = searchField(`Search ${filter.label.toLowerCase()}`, (query) => render(query));
  /** @param {FilterChoice} choice */
  function row(choice) {
    const input = h('input', {
      type: filter.isMultiple ? 'checkbox' : 'radio',
      name: `filter-${filter.id}`,
      class: filter.isMultiple ? null : 'tick round',
      checked: values().includes(choice.value),
      onchange: () => {
        if (filter.isMultiple) choose(toggled(values(), choice.value));
        else choose([choice.value]);
      },
      onclick: (event) => {
        // The arrow keys also click, and only choose. A pointer, Enter or the space bar is the end of it.
        if (!filter.isMultiple && event.detail > 0) close();
      },
      onkeydown: (event) => {
        if (event.key === 'Enter') close();
      },
    });
    const detail = choice.detail ? h('span', { class: 'push muted small num' }, choice.detail) : null;
    return h('label', { class: 'item check' }, input, h('span', { class: 'truncate' }, choice.label), detail);
  }
  /** @param {string} query */
  function render(query) {
    const found = choices.filter(({ label, value }) => `${label} ${value}`.toLowerCase().includes(query));
    const none = h(
      'p',
      { class: 'pop-head' },
      choices.length === 0 ? 'Nothing to choose yet' : 'Nothing found',
    );
    list.replaceChildren(...(found.length > 0 ? found.slice(0, MAX_DRAWN).map(row) : [none]));
  }
  /** @param {KeyboardEvent} event */
  function moveFocus(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || !filter.isMultiple) return;
    event.preventDefault();
    const inputs = [...list.querySelectorAll('input')];
    const now = /** @type {(Element | null)[]} */ (inputs).indexOf(document.activeElement);
    inputs[now + step]?.focus();
  }
  render('');
  const isLong = choices.length > MAX_UNSEARCHED;
  return h('div', null, isLong && h('div', { class: 'pop-search' }, search.element), list);
}

/**
 * @param {readonly string[]} values
 * @param {string} value
 */
function toggled(values, value) {
  return values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
}

/** @param {readonly string[]} labels */
function valueText(labels) {
  return labels.length > 1 ? `${labels[0]} + ${labels.length - 1}` : (labels[0] ?? '');
}
