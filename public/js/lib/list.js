import { ApiError, messageOf } from './api.js';
import { searchField } from './form.js';
import { h } from './h.js';
import { compare, countText, hasAll, headerCell, noMatch, rememberFocus, toNodes } from './list-parts.js';
import { patchChildren } from './patch.js';
import { afterPress } from './press.js';
import { cachedList, cacheList, clearCachedLists, loadList } from './resource.js';
import { RowWindow } from './row-window.js';
import { failed, skeleton } from './states.js';
import { toast } from './toast.js';

/**
 * @template T
 * @typedef {{
 *   label: string, class?: string, sort?: (item: T) => string | number, cell: (item: T) => import('./h.js').Child, isLive?: boolean,
 * }} Column isLive: the cell shows state that changes by itself. Its elements with handlers need a `data-act` (see `patch.js`)
 */
/**
 * @template T
 * @typedef {{
 *   label: string, noun: string, columns: readonly Column<T>[], id: (item: T) => string, text: (item: T) => string,
 *   path: string, alsoLoad?: readonly string[], empty: () => Node, actions?: import('./h.js').Child[], signal: AbortSignal,
 *   onLoad?: (items: T[]) => void, toFixed?: (item: T) => unknown, head?: import('./page-head.js').PageHead,
 *   open?: { url: import('./url-state.js').UrlState, show: (item: T) => unknown },
 * }} ListOptions noun: `model`, for the search field and the count; text: what a search looks in; path: where the list is
 *   loaded from; alsoLoad: other lists that the rows need, loaded at the same time, before `onLoad`; toFixed: the part of an
 *   item that all but the live columns show; head: takes search and actions, else they stand above the table; open: shows
 *   the item that the address names (`?open=ID`)
 */

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
  /** @type {((item: T) => boolean) | null} */
  let isShown = null;
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
    render();
  });
  search.control.dataset.focusHome = '';
  const count = h('p', { class: 'muted small nowrap', role: 'status' });
  const headers = options.columns.map((column, index) => headerCell(column, () => sortBy(index)));
  const table = h(
    'table',
    { class: 'table fixed managed', role: 'table', 'aria-label': options.label },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...headers)),
  );
  const state = h('div');
  /** @type {RowWindow<T>} */
  const rows = new RowWindow({
    table,
    signal: options.signal,
    id: options.id,
    renderRow,
    bodyProps: { role: 'rowgroup' },
  });
  const actions = h('div', { class: 'row' }, ...(options.actions ?? []));
  const card = h('div', { class: 'table-box' }, table, state);
  const element = h('div', { class: 'stack' }, card);
  if (options.head) {
    count.classList.add('beside');
    options.head.set(count, search.element, actions);
  } else {
    actions.prepend(count);
    element.prepend(h('div', { class: 'row wrap between toolbar' }, search.element, actions));
  }
  const renderAfterPress = afterPress(card, render, options.signal);
  const renderLiveAfterPress = afterPress(card, renderLive, options.signal);

  /** @param {T} item */
  function renderRow(item) {
    const cells = options.columns.map((column, index) =>
      index === 0
        ? h('th', { role: 'rowheader', scope: 'row', class: column.class }, column.cell(item))
        : h('td', { role: 'cell', class: column.class }, column.cell(item)),
    );
    const isFresh = highlighted.delete(options.id(item));
    return h('tr', { role: 'row', class: isFresh ? 'fresh' : null }, ...cells);
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
    const found = all.filter(
      (item) =>
        (words.length === 0 || hasAll(searchText(item), words)) &&
        (isShown === null || isShown(item) || added.has(options.id(item))),
    );
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
    const restoreFocus = rememberFocus(table, rows, () =>
      isEmpty ? actions.querySelector('button') : search.control,
    );
    table.hidden = found.length === 0;
    search.element.classList.toggle('lone', isEmpty);
    rows.show(found);
    count.textContent = isEmpty ? '' : countText(found.length, items.length, options.noun);
    state.replaceChildren(...(isEmpty ? [options.empty()] : found.length === 0 ? [noMatch(query)] : []));
    restoreFocus?.();
  }

  /** Renders the live cells again, in the rows that are there. */
  function renderLive() {
    const byId = new Map(items?.map((item) => [options.id(item), item]));
    const restoreFocus = rememberFocus(table, rows, () => search.control);
    for (const tr of rows.rows) {
      const item = byId.get(tr.dataset.id ?? '');
      if (item === undefined) continue;
      options.columns.forEach((column, index) => {
        if (column.isLive) patchChildren(tr.cells[index], toNodes(column.cell(item)));
      });
    }
    if (!table.contains(document.activeElement)) restoreFocus?.();
  }

  async function reload() {
    if (items === null) {
      table.hidden = true;
      state.replaceChildren(skeleton({ count: 3 }));
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
      showNamed();
    } catch (error) {
      if (options.signal.aborted || read !== reads) return;
      if (items === null) state.replaceChildren(failed(messageOf(error), reload));
      // A banner already says that the server does not answer.
      else if (!(error instanceof ApiError && error.status === 0)) toast.error(messageOf(error));
    }
  }

  /** Shows the item that the address names, once. */
  function showNamed() {
    const id = options.open?.url.get('open') ?? null;
    if (id === null || options.open === undefined) return;
    options.open.url.set({ open: null }, { replace: true });
    const item = items?.find((one) => options.id(one) === id);
    if (item !== undefined) void options.open.show(item);
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

  /** @param {T[]} next */
  function showQuietly(next) {
    const isSameTable = fixedText(items ?? []) === fixedText(next);
    items = next;
    texts.clear();
    if (isSameTable) renderLiveAfterPress();
    else renderAfterPress();
  }

  /** @param {T[]} all */
  function fixedText(all) {
    return JSON.stringify(all.map((item) => options.toFixed?.(item) ?? item));
  }

  addEventListener('server-back', () => void reload(), { signal: options.signal });
  if (items === null) state.replaceChildren(skeleton({ count: 3 }));
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
    /** Shows only some items; null: all. @param {((item: T) => boolean) | null} next */
    filter(next) {
      isShown = next;
      render();
    },
    /** Marks the row of an item as opened, and brings it into sight. @param {string | null} id */
    select: (id) => rows.select(id),
    /** The item in the row above or below another one. @param {string} id @param {1 | -1} step */
    neighbour: (id, step) => rows.neighbour(id, step),
    /**
     * Loads the items again and changes only what differs. A change made here meanwhile wins.
     * @param {() => Promise<T[] | null>} load
     */
    async refresh(load) {
      const before = [changes, reads];
      const next = await load();
      if (next === null || items === null || options.signal.aborted) return;
      if (before[0] === changes && before[1] === reads) showQuietly(next);
      else cacheList(options.path, items);
    },
    /** Replaces an item whose state changed, without highlighting its row. @param {T} item */
    update(item) {
      if (items === null) return;
      changes++;
      const next = items.map((one) => (options.id(one) === options.id(item) ? item : one));
      cacheList(options.path, next);
      showQuietly(next);
    },
    renderLive: renderLiveAfterPress,
  };
}
