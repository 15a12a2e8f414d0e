import { ApiError, messageOf } from './api.js';
import { number } from './format.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { afterPress } from './press.js';
import { forgetLists, knownList, loadList, rememberList } from './resource.js';
import { failed, skeleton } from './states.js';
import { toast } from './toast.js';
import { createWindow, endMark } from './window.js';

/**
 * @template T
 * @typedef {{ label: string, class?: string, sort?: (item: T) => string | number, cell: (item: T) => import('./h.js').Child }} Column
 */
/**
 * @template T
 * @typedef {{
 *   label: string, search: string, columns: readonly Column<T>[], id: (item: T) => string, text: (item: T) => string,
 *   path: string, beside?: readonly string[], empty: () => Node, actions?: import('./h.js').Child[], signal: AbortSignal,
 *   onLoad?: (items: T[]) => void,
 * }} ListOptions path: where it is read; beside: other lists of which its rows speak, read with it before `onLoad`
 */

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/**
 * A table with search, sorting and its loading, empty and error states; thousands of rows stay fluid.
 * The first column names the row.
 * @template T
 * @param {ListOptions<T>} options
 */
export function createList(options) {
  /** @type {T[] | null} */
  let items = knownList(options.path);
  /** How often `put` and `remove` were called. */
  let changes = 0;
  let reads = 0;
  let query = '';
  let sortIndex = -1;
  let isDescending = false;
  /** What is searched, made once per item. @type {Map<T, string>} */
  const texts = new Map();
  /** @type {Set<string>} */
  const fresh = new Set();
  /** Those that were added here come first, whatever the list holds, until it is sorted. @type {Set<string>} */
  const added = new Set();

  const input = h('input', {
    class: 'input',
    type: 'search',
    'aria-label': options.search,
    placeholder: options.search,
    autocomplete: 'off',
    spellcheck: 'false',
    'data-focus-home': '',
    oninput: () => {
      query = input.value.trim().toLowerCase();
      windowed.rewind();
      drawNow();
    },
  });
  const count = h('p', { class: 'muted small nowrap', role: 'status' });
  const heads = options.columns.map((column, index) => head(column, () => sortBy(index)));
  const body = h('tbody', { role: 'rowgroup' });
  const table = h(
    'table',
    { class: 'table', role: 'table', 'aria-label': options.label },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads)),
    body,
  );
  const state = h('div');
  const end = endMark();
  const windowed = createWindow({ host: body, end, draw: row });
  const toolbar = h(
    'div',
    { class: 'row between toolbar' },
    h('div', { class: 'search' }, icon('search'), input),
    h('div', { class: 'row' }, count, ...(options.actions ?? [])),
  );
  const card = h('div', { class: 'card flush list' }, table, state, end);
  const element = h('div', { class: 'stack' }, toolbar, card);
  const draw = afterPress(card, drawNow, options.signal);

  /** @param {T} item */
  function row(item) {
    const id = options.id(item);
    const cells = options.columns.map((column, index) =>
      index === 0
        ? h('th', { role: 'rowheader', scope: 'row', class: column.class }, column.cell(item))
        : h('td', { role: 'cell', class: column.class }, column.cell(item)),
    );
    return h('tr', { role: 'row', 'data-id': id, class: fresh.delete(id) ? 'fresh' : null }, ...cells);
  }

  /** @param {number} index */
  function sortBy(index) {
    added.clear();
    isDescending = sortIndex === index && !isDescending;
    sortIndex = index;
    heads.forEach((cell, at) => {
      if (at === index) cell.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    windowed.rewind();
    drawNow();
  }

  /** @param {T} item */
  function searchText(item) {
    let text = texts.get(item);
    if (text === undefined) {
      text = options.text(item).toLowerCase();
      texts.set(item, text);
    }
    return text;
  }

  function words() {
    return query.split(/\s+/).filter(Boolean);
  }

  /** @param {T[]} all */
  function arranged(all) {
    const wanted = words();
    const found = wanted.length === 0 ? all.slice() : all.filter((item) => hasAll(searchText(item), wanted));
    return addedFirst(sorted(found));
  }

  /** @param {T[]} found */
  function sorted(found) {
    const key = options.columns[sortIndex]?.sort;
    if (key === undefined) return found;
    const sign = isDescending ? -1 : 1;
    return found
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => sign * compare(a.key, b.key))
      .map(({ item }) => item);
  }

  /** @param {T[]} found */
  function addedFirst(found) {
    if (added.size === 0) return found;
    const isAdded = (/** @type {T} */ item) => added.has(options.id(item));
    return [...found.filter(isAdded).reverse(), ...found.filter((item) => !isAdded(item))];
  }

  function drawNow() {
    if (items === null) return;
    const found = arranged(items);
    const isEmpty = items.length === 0;
    const keep = focusedControl(body, () => (isEmpty ? toolbar.querySelector('button') : input));
    table.hidden = found.length === 0;
    toolbar.classList.toggle('lone', isEmpty);
    windowed.show(found);
    count.textContent = isEmpty ? '' : counted(found.length, items.length);
    state.replaceChildren(...(isEmpty ? [options.empty()] : found.length === 0 ? [noMatch(query)] : []));
    keep?.();
  }

  async function reload() {
    if (items === null) {
      table.hidden = true;
      state.replaceChildren(skeleton());
    }
    const changesBefore = changes;
    const read = ++reads;
    try {
      const [loaded = []] = await Promise.all([options.path, ...(options.beside ?? [])].map(loadList));
      if (options.signal.aborted || read !== reads) return;
      // It may have been read before the change: it would take what is on the screen away again.
      if (changes !== changesBefore) return reload();
      items = loaded;
      texts.clear();
      options.onLoad?.(loaded);
      draw();
    } catch (error) {
      if (options.signal.aborted || read !== reads) return;
      if (items === null) state.replaceChildren(failed(messageOf(error), reload));
      // A server that does not answer has a strip of its own.
      else if (!(error instanceof ApiError && error.status === 0)) toast.error(messageOf(error));
    }
  }

  /** @param {T[]} next */
  function change(next) {
    changes++;
    items = next;
    // The view was left: another may have read the list since.
    if (options.signal.aborted) return forgetLists(options.path);
    rememberList(options.path, next);
    draw();
  }

  addEventListener('server-back', () => void reload(), { signal: options.signal });
  if (items === null) state.replaceChildren(skeleton());
  else draw();
  table.hidden ||= items === null;

  return {
    element,
    reload,
    /** Puts a changed item in its old one's place, or a new one in sight, and lights it up. @param {T} item */
    put(item) {
      const id = options.id(item);
      fresh.add(id);
      if (items === null) void reload();
      else if (items.some((one) => options.id(one) === id))
        change(items.map((one) => (options.id(one) === id ? item : one)));
      else {
        added.add(id);
        if (!hasAll(searchText(item), words())) input.value = query = '';
        change([...items, item]);
      }
    },
    /** @param {string} id */
    remove(id) {
      if (items !== null) change(items.filter((one) => options.id(one) !== id));
    },
    items: () => items ?? [],
  };
}

/**
 * @param {Column<any>} column
 * @param {() => void} onclick
 */
function head(column, onclick) {
  const content = column.sort
    ? h('button', { type: 'button', class: 'sort', onclick }, column.label)
    : column.label;
  const hidden = column.class?.includes('actions-cell');
  return h(
    'th',
    { role: 'columnheader', scope: 'col', class: column.class },
    hidden ? h('span', { class: 'visually-hidden' }, column.label) : content,
  );
}

/**
 * Remembers which control of which row has the focus, and gives it back after the rows are drawn anew; where the row
 * is gone, to another element.
 * @param {HTMLElement} body
 * @param {() => HTMLElement | null} home
 */
function focusedControl(body, home) {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !body.contains(active)) return null;
  const tr = active.closest('tr');
  const controls = [...(tr?.querySelectorAll('button, input, a') ?? [])];
  const index = controls.indexOf(active);
  const id = tr?.dataset.id ?? '';
  return () => {
    const twin = body.querySelector(`tr[data-id="${CSS.escape(id)}"]`)?.querySelectorAll('button, input, a')[
      index
    ];
    if (twin instanceof HTMLElement) twin.focus({ preventScroll: true });
    else home()?.focus({ preventScroll: true });
  };
}

/**
 * @param {string} text
 * @param {readonly string[]} words
 */
function hasAll(text, words) {
  return words.every((word) => text.includes(word));
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}

/**
 * @param {number} found
 * @param {number} all
 */
function counted(found, all) {
  return found === all ? `${number(all)} in all` : `${number(found)} of ${number(all)}`;
}

/** @param {string} query */
function noMatch(query) {
  return h(
    'div',
    { class: 'empty' },
    icon('search'),
    h('h2', null, 'Nothing found'),
    h('p', { class: 'wrap-anywhere' }, `Nothing here matches “${query}”.`),
  );
}
