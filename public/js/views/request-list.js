import { h } from '../lib/h.js';
import { COLUMNS, requestRow } from './request-row.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** Rows that are drawn and taken away together. */
const CHUNK = 100;
/** What is further away from the window is not drawn. */
const NEAR = '1200px 0px';

/**
 * Rows of the table that stand in one `tbody`.
 * @typedef {{ requests: LoggedRequest[], body: HTMLTableSectionElement, isDrawn: boolean }} Chunk
 */

/**
 * A list of many requests, the newest first. Only the rows near the window are in the page: thousands scroll like dozens.
 */
export class RequestList {
  /** @type {Chunk[]} */
  #chunks = [];
  /** @type {Map<string, LoggedRequest>} */
  #byId = new Map();
  #options;
  /** @type {string | null} */
  #selected = null;
  #observer;
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

  /**
   * @param {{
   *   names: import('./traffic-names.js').Names, href: (id: string) => string, onOpen: (id: string) => void,
   * }} options
   */
  constructor(options) {
    this.#options = options;
    this.#observer = new IntersectionObserver((entries) => this.#observe(entries), { rootMargin: NEAR });
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
    return this.#chunks.at(-1)?.requests.at(-1) ?? null;
  }

  /** Replaces all. @param {readonly LoggedRequest[]} requests */
  reset(requests) {
    for (const chunk of this.#chunks) this.#drop(chunk);
    this.#chunks = [];
    this.#byId.clear();
    this.append(requests);
  }

  /** Adds older ones below. @param {readonly LoggedRequest[]} requests */
  append(requests) {
    const added = requests.filter(({ id }) => !this.#byId.has(id));
    for (let from = 0; from < added.length; from += CHUNK) {
      const chunk = this.#create(added.slice(from, from + CHUNK));
      this.#chunks.push(chunk);
      this.#table.append(chunk.body);
    }
  }

  /** Adds newer ones above. @param {readonly LoggedRequest[]} requests the newest first */
  prepend(requests) {
    const added = requests.filter(({ id }) => !this.#byId.has(id));
    if (added.length === 0) return;
    const first = this.#chunks[0];
    if (first?.isDrawn && first.requests.length + added.length <= CHUNK) {
      first.requests.unshift(...added);
      for (const request of added) this.#byId.set(request.id, request);
      first.body.prepend(...added.map((request) => this.#row(request, true)));
      return;
    }
    const chunk = this.#create(added);
    this.#chunks.unshift(chunk);
    this.#table.tHead?.after(chunk.body);
    for (const row of chunk.body.rows) row.classList.add('fresh');
  }

  /** Forgets the oldest chunks beyond a number of requests. True if it did. @param {number} most */
  trim(most) {
    const before = this.size;
    while (this.size > most && this.#chunks.length > 1) {
      const chunk = this.#chunks.pop();
      if (chunk === undefined) break;
      for (const { id } of chunk.requests) this.#byId.delete(id);
      this.#drop(chunk);
    }
    return this.size < before;
  }

  /** The id of the request before or after another one. @param {string} id @param {1 | -1} step */
  neighbour(id, step) {
    const chunkIndex = this.#chunks.findIndex(({ requests }) => requests.some((one) => one.id === id));
    const chunk = this.#chunks[chunkIndex];
    if (chunk === undefined) return null;
    const index = chunk.requests.findIndex((one) => one.id === id) + step;
    const next =
      chunk.requests[index] ??
      (step > 0 ? this.#chunks[chunkIndex + 1]?.requests[0] : this.#chunks[chunkIndex - 1]?.requests.at(-1));
    return next?.id ?? null;
  }

  /** Marks the row that is open, and brings it into sight. @param {string | null} id */
  select(id) {
    for (const row of this.#table.querySelectorAll('tr.selected')) mark(row, false);
    this.#selected = id;
    const row = id === null ? null : this.linkOf(id)?.closest('tr');
    if (!row) return;
    mark(row, true);
    row.scrollIntoView({ block: 'nearest' });
  }

  /** The link of a row that is drawn. @param {string} id @returns {HTMLElement | null} */
  linkOf(id) {
    const chunk = this.#chunks.find(({ requests }) => requests.some((one) => one.id === id));
    if (chunk === undefined) return null;
    if (!chunk.isDrawn) this.#draw(chunk);
    return chunk.body.querySelector(`[data-request="${CSS.escape(id)}"]`);
  }

  /** Draws the rows again, because names are known now. */
  redraw() {
    for (const chunk of this.#chunks) if (chunk.isDrawn) this.#draw(chunk);
  }

  destroy() {
    this.#observer.disconnect();
  }

  /** @param {LoggedRequest[]} requests */
  #create(requests) {
    const chunk = { requests, body: h('tbody', { 'aria-live': 'off' }), isDrawn: true };
    for (const request of requests) this.#byId.set(request.id, request);
    this.#draw(chunk);
    this.#observer.observe(chunk.body);
    return chunk;
  }

  /** @param {Chunk} chunk */
  #drop(chunk) {
    this.#observer.unobserve(chunk.body);
    chunk.body.remove();
  }

  /** @param {Chunk} chunk */
  #draw(chunk) {
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset.request : undefined;
    chunk.isDrawn = true;
    chunk.body.replaceChildren(...chunk.requests.map((request) => this.#row(request, false)));
    if (focused !== undefined && chunk.requests.some(({ id }) => id === focused))
      this.linkOf(focused)?.focus({ preventScroll: true });
  }

  /**
   * @param {LoggedRequest} request
   * @param {boolean} isFresh
   */
  #row(request, isFresh) {
    const { names, href, onOpen } = this.#options;
    const { id } = request;
    const row = requestRow(request, { names, href: href(id), onOpen: () => onOpen(id) });
    if (isFresh) row.classList.add('fresh');
    if (id === this.#selected) mark(row, true);
    return row;
  }

  /** @param {readonly IntersectionObserverEntry[]} entries */
  #observe(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const chunk = this.#chunks.find(({ body }) => body === target);
      if (chunk === undefined || chunk.isDrawn === isIntersecting) continue;
      if (isIntersecting) this.#draw(chunk);
      else if (!chunk.body.contains(document.activeElement)) hide(chunk, boundingClientRect.height);
    }
  }
}

/**
 * One empty row as high as all that stood there.
 * @param {Chunk} chunk
 * @param {number} heightPx
 */
function hide(chunk, heightPx) {
  chunk.isDrawn = false;
  const cell = h('td', { colspan: COLUMNS.length });
  cell.style.setProperty('height', `${heightPx}px`);
  chunk.body.replaceChildren(h('tr', { class: 'gap', 'aria-hidden': 'true' }, cell));
}

/**
 * @param {Element} row
 * @param {boolean} isSelected
 */
function mark(row, isSelected) {
  row.classList.toggle('selected', isSelected);
  if (isSelected) row.setAttribute('aria-current', 'true');
  else row.removeAttribute('aria-current');
}
