/** What the lists of keys and users share: rows that open the drawer with budget and limits. */
import { h } from '../lib/h.js';
import { ratesText } from '../lib/limits.js';
import { memberPath } from '../lib/resource.js';
import { openLink } from '../lib/row.js';
import { hashOf } from '../lib/url-state.js';
import { openLimits } from './limits-drawer.js';

/** @typedef {import('../lib/limits.js').Limited & { id: string }} Owner */
/**
 * @template T
 * @typedef {{ open: (item: T) => void, refresh: () => void, reopen: (item: T) => void, closeIf: (id: string) => void }} Opener
 *   refresh: after the list was loaded or changed; reopen: after name, owner or models were edited
 */

/**
 * The first cell of a row: the name, which opens the drawer, and badges, with a detail below.
 * @param {{ name: string, tab: string, id: string, onOpen: (() => unknown) | null, detail: import('../lib/h.js').Child, badges: import('../lib/h.js').Child[] }} options
 *   onOpen: null where the row cannot be opened
 */
export function limitsTitle({ name, tab, id, onOpen, detail, badges }) {
  const title =
    onOpen === null
      ? h('span', { class: 'truncate', title: name }, name)
      : openLink(name, hashOf(tab, { open: id }), onOpen);
  return h(
    'div',
    { class: 'title-cell' },
    h('div', { class: 'title' }, title, ...badges),
    h('div', { class: 'muted small truncate' }, detail),
  );
}

/**
 * What all but the live cells show.
 * @template {object} T
 * @param {T & { usage?: unknown, lastUsedAt?: unknown }} item
 */
export function withoutUse({ usage, lastUsedAt, ...fixed }) {
  return fixed;
}

/**
 * Opens the drawer for items of a list, and marks the row of the opened one.
 * @template {Owner} T
 * @param {{
 *   drawer: import('../lib/drawer.js').Drawer, path: string, kind: 'key' | 'user', name: (item: T) => string,
 *   subtitle: (item: T) => import('../lib/h.js').Child, user?: (item: T) => import('../lib/types.js').User | null,
 *   list: () => {
 *     items: () => T[], update: (item: T) => void, select: (id: string | null) => void,
 *     neighbour: (id: string, step: 1 | -1) => T | null,
 *   },
 *   onEdit: (item: T) => unknown, onDelete: (item: T) => unknown,
 * }} options
 * @returns {Opener<T>}
 */
export function limitsOpener(options) {
  const { drawer, path } = options;
  /** @type {{ id: string, refresh: (item: T) => void, end: () => void } | null} */
  let shown = null;

  /** @param {T} item */
  function open(item) {
    shown?.end();
    shown = openLimits(item, {
      drawer,
      path: memberPath(path, item.id),
      kind: options.kind,
      name: options.name(item),
      subtitle: options.subtitle(item),
      user: options.user?.(item) ?? null,
      onEdit: () => options.onEdit(latest(item)),
      onDelete: () => options.onDelete(latest(item)),
      onChange: (changed) => options.list().update(changed),
      onMove: (step) => {
        const next = options.list().neighbour(item.id, step);
        if (next !== null) open(next);
      },
      onClose: () => {
        shown = null;
        options.list().select(null);
      },
    });
    options.list().select(item.id);
  }

  /** @param {T} item */
  function latest(item) {
    return (
      options
        .list()
        .items()
        .find((one) => one.id === item.id) ?? item
    );
  }

  return {
    open,
    refresh() {
      const next = options
        .list()
        .items()
        .find((one) => one.id === shown?.id);
      if (next !== undefined) shown?.refresh(next);
    },
    reopen(item) {
      if (shown?.id === item.id) open(item);
    },
    closeIf(id) {
      if (shown?.id === id) drawer.close();
    },
  };
}

/**
 * The rates of limits in one cell of a table.
 * @param {import('../lib/limits.js').Limits | null | undefined} limits
 */
export function ratesCell(limits) {
  const text = ratesText(limits);
  return text ? h('div', { class: 'truncate', title: text }, text) : h('span', { class: 'muted' }, '–');
}
