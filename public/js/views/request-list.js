import { h } from '../lib/h.js';
import { RowWindow } from '../lib/row-window.js';
import { COLUMNS, requestRow } from './request-row.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** A list of many requests, the newest first. */
export class RequestList {
  /** @type {Map<string, LoggedRequest>} */
  #byId = new Map();
  #table = h(
    'table',
    { class: 'table dense fixed requests' },
    h('caption', { class: 'sr' }, 'Latest requests, newest first'),
    h(
      'thead',
      null,
      h('tr', null, ...COLUMNS.map((column) => h('th', { scope: 'col', class: column.class }, column.label))),
    ),
  );
  element = h('div', { class: 'table-box' }, this.#table);
  /** @type {RowWindow<LoggedRequest>} */
  #rows;

  /**
   * @param {{
   *   names: import('./traffic-names.js').Names, href: (id: string) => string, onOpen: (id: string) => void, signal: AbortSignal,
   * }} options
   */
  constructor({ names, href, onOpen, signal }) {
    this.#rows = new RowWindow({
      table: this.#table,
      signal,
      id: ({ id }) => id,
      renderRow: (request) =>
        requestRow(request, { names, href: href(request.id), onOpen: () => onOpen(request.id) }),
      bodyProps: { 'aria-live': 'off' },
    });
  }

  get size() {
    return this.#byId.size;
  }

  /** @param {string} id */
  has(id) {
    return this.#byId.has(id);
  }

  /** @param {string} id */
  get(id) {
    return this.#byId.get(id) ?? null;
  }

  /** The oldest one. */
  get last() {
    return this.#rows.last;
  }

  /** Replaces all. @param {readonly LoggedRequest[]} requests */
  reset(requests) {
    this.#byId.clear();
    this.#rows.show(this.#learn(requests));
  }

  /** Adds older ones below. @param {readonly LoggedRequest[]} requests */
  append(requests) {
    this.#rows.append(this.#learn(requests));
  }

  /** Adds newer ones above. @param {readonly LoggedRequest[]} requests the newest first */
  prepend(requests) {
    this.#rows.prepend(this.#learn(requests));
  }

  /** Forgets the oldest requests beyond a number of them. True if it did. @param {number} most */
  trim(most) {
    const removed = this.#rows.trim(most);
    for (const { id } of removed) this.#byId.delete(id);
    return removed.length > 0;
  }

  /** The id of the request before or after another one. @param {string} id @param {1 | -1} step */
  neighbour(id, step) {
    return this.#rows.neighbour(id, step)?.id ?? null;
  }

  /** Marks the row that is open, and brings it into sight. @param {string | null} id */
  select(id) {
    this.#rows.select(id);
  }

  /** The link of a row; null: it is not drawn. @param {string} id @returns {HTMLElement | null} */
  linkOf(id) {
    return this.#table.querySelector(`[data-request="${CSS.escape(id)}"]`);
  }

  /** Draws the rows again, because names are known now. */
  redraw() {
    const { activeElement } = document;
    const focused = activeElement instanceof HTMLElement ? activeElement.dataset.request : undefined;
    this.#rows.redraw();
    if (focused !== undefined) this.linkOf(focused)?.focus({ preventScroll: true });
  }

  /** To be called once the list is in the page. */
  shown() {
    this.#rows.update();
  }

  /** Those that are not here yet. @param {readonly LoggedRequest[]} requests */
  #learn(requests) {
    const added = requests.filter(({ id }) => !this.#byId.has(id));
    for (const request of added) this.#byId.set(request.id, request);
    return added;
  }
}
