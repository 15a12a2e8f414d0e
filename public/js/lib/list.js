import { ApiError, messageOf } from './api.js';
import { searchField } from './form.js';
import { number, plural } from './format.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { createLazyItems, createSentinel } from './lazy-items.js';
import { afterPress } from './press.js';
import { cachedList, cacheList, clearCachedLists, loadList } from './resource.js';
import { failed, skeleton } from './states.js';
import { toast } from './toast.js';

/**
 * @template T
 * @typedef {{ label: string, class?: string, sort?: (item: T) => string | number, cell: (item: T) => import('./h.js').Child }} Column
 */
/**
 * @template T
 * @typedef {{
 *   label: string, noun: string, columns: readonly Column<T>[], id: (item: T) => string, text: (item: T) => string,
 *   path: string, alsoLoad?: readonly string[], empty: () => Node, actions?: import('./h.js').Child[], signal: AbortSignal,
 *   onLoad?: (items: T[]) => void,
 * }} ListOptions noun: `model`, for the search field and the count; text: what a search looks in; path: where the list is
 *   loaded from; alsoLoad: other lists that the rows need, loaded at the same time, before `onLoad`
 */

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/**
 * A table with search, sorting, and loading, empty and error states. Thousands of rows scroll smoothly.
 * The first column is the header of the row.
 * @template T
 * @param {ListOptions<T>} options
 */
export function createList(options) {
  /** @type {T[] | null} */
  let items = cachedList(options.path);
  /** How often `put` and `remove` were called. */
  let changes = 0;
  let reads = 0;
  let query = '';
  let sortIndex = -1;
  let isDescending = false;
  /** The text to search in, per item. @type {Map<T, string>} */
  const texts = new Map();
  /** Ids of rows to highlight once. @type {Set<string>} */
  const highlighted = new Set();
  /** Ids that were added here. Their rows come first until the list is sorted. @type {Set<string>} */
  const added = new Set();

  const search = searchField(`Search ${options.noun}s`, (text) => {
    query = text;
    rows.reset();
    render();
  });
  search.control.dataset.focusHome = '';
  const count = h('p', { class: 'muted small nowrap', role: 'status' });
  const headers = options.columns.map((column, index) => headerCell(column, () => sortBy(index)));
  const body = h('tbody', { role: 'rowgroup' });
  const table = h(
    'table',
    { class: 'table', role: 'table', 'aria-label': options.label },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...headers)),
    body,
  );
  const state = h('div');
  const sentinel = createSentinel();
  const rows = createLazyItems({ host: body, sentinel, renderItem: renderRow });
  const toolbar = h(
    'div',
    { class: 'row between toolbar' },
    search.element,
    h('div', { class: 'row' }, count, ...(options.actions ?? [])),
  );
  const card = h('div', { class: 'card flush list' }, table, state, sentinel);
  const element = h('div', { class: 'stack' }, toolbar, card);
  const renderAfterPress = afterPress(card, render, options.signal);

  /** @param {T} item */
  function renderRow(item) {
    const id = options.id(item);
    const cells = options.columns.map((column, index) =>
      index === 0
        ? h('th', { role: 'rowheader', scope: 'row', class: column.class }, column.cell(item))
        : h('td', { role: 'cell', class: column.class }, column.cell(item)),
    );
    return h('tr', { role: 'row', 'data-id': id, class: highlighted.delete(id) ? 'fresh' : null }, ...cells);
  }

  /** @param {number} index */
  function sortBy(index) {
    added.clear();
    isDescending = sortIndex === index && !isDescending;
    sortIndex = index;
    headers.forEach((cell, at) => {
      if (at === index) cell.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    rows.reset();
    render();
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

  function queryWords() {
    return query.split(/\s+/).filter(Boolean);
  }

  /** @param {T[]} all */
  function findRows(all) {
    const words = queryWords();
    const found = words.length === 0 ? all.slice() : all.filter((item) => hasAll(searchText(item), words));
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

  function render() {
    if (items === null) return;
    const found = findRows(items);
    const isEmpty = items.length === 0;
    const restoreFocus = rememberFocus(body, () =>
      isEmpty ? toolbar.querySelector('button') : search.control,
    );
    table.hidden = found.length === 0;
    toolbar.classList.toggle('lone', isEmpty);
    rows.show(found);
    count.textContent = isEmpty ? '' : countText(found.length, items.length, options.noun);
    state.replaceChildren(...(isEmpty ? [options.empty()] : found.length === 0 ? [noMatch(query)] : []));
    restoreFocus?.();
  }

  async function reload() {
    if (items === null) {
      table.hidden = true;
      state.replaceChildren(skeleton({ count: 3, itemClass: 'skeleton-row' }));
    }
    const changesBefore = changes;
    const read = ++reads;
    try {
      const [loaded = []] = await Promise.all([options.path, ...(options.alsoLoad ?? [])].map(loadList));
      if (options.signal.aborted || read !== reads) return;
      // The answer may be older than a change made here, and would undo the change on the screen.
      if (changes !== changesBefore) return reload();
      items = loaded;
      texts.clear();
      options.onLoad?.(loaded);
      renderAfterPress();
    } catch (error) {
      if (options.signal.aborted || read !== reads) return;
      if (items === null) state.replaceChildren(failed(messageOf(error), reload));
      // A banner already says that the server does not answer.
      else if (!(error instanceof ApiError && error.status === 0)) toast.error(messageOf(error));
    }
  }

  /** @param {T[]} next */
  function change(next) {
    changes++;
    items = next;
    // This view is closed, and another one may have loaded the list since.
    if (options.signal.aborted) return clearCachedLists(options.path);
    cacheList(options.path, next);
    renderAfterPress();
  }

  addEventListener('server-back', () => void reload(), { signal: options.signal });
  if (items === null) state.replaceChildren(skeleton({ count: 3, itemClass: 'skeleton-row' }));
  else renderAfterPress();
  table.hidden ||= items === null;

  return {
    element,
    reload,
    /** Replaces a changed item, or adds a new one at the top; highlights its row. @param {T} item */
    put(item) {
      const id = options.id(item);
      highlighted.add(id);
      if (items === null) void reload();
      else if (items.some((one) => options.id(one) === id))
        change(items.map((one) => (options.id(one) === id ? item : one)));
      else {
        added.add(id);
        if (!hasAll(searchText(item), queryWords())) search.control.value = query = '';
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
function headerCell(column, onclick) {
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
 * Remembers which control of which row has the focus. Rendering replaces the rows.
 * @param {HTMLElement} body
 * @param {() => HTMLElement | null} fallback where the focus goes when the row is gone
 * @returns {(() => void) | null} gives the focus back after rendering; null when no row had it
 */
function rememberFocus(body, fallback) {
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
    else fallback()?.focus({ preventScroll: true });
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
 * @param {string} noun
 */
function countText(found, all, noun) {
  return found === all ? plural(all, noun) : `${number(found)} of ${plural(all, noun)}`;
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
