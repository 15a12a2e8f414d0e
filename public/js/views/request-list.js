import { h } from '../lib/h.js';
import { COLUMNS, requestRow } from './request-row.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** Rows that are drawn and taken away together. */
const CHUNK = 30;
/** What is further away from the window is not drawn. */
const NEAR_PX = 900;
/** The height of a row before one was measured. */
const ROW_PX = 41;

/**
 * Rows of the table that stand in one `tbody`.
 * @typedef {{ requests: LoggedRequest[], body: HTMLTableSectionElement, isDrawn: boolean, heightPx: number }} Chunk
 */

/**
 * A list of many requests, the newest first. Only the rows near the window are in the page, between two gaps as high as all
 * that is above and below: thousands scroll like dozens.
 */
export class RequestList {
  /** @type {Chunk[]} */
  #chunks = [];
  /** @type {Map<string, LoggedRequest>} */
  #byId = new Map();
  #options;
  /** @type {string | null} */
  #selected = null;
  #rowPx = ROW_PX;
  #frame = 0;
  #above = createGap();
  #below = createGap();
  #listeners = new AbortController();
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
    this.#table.append(this.#above.body, this.#below.body);
    const { signal } = this.#listeners;
    addEventListener('scroll', () => this.#updateSoon(), { signal, passive: true });
    addEventListener('resize', () => this.#updateSoon(), { signal });
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
    for (const { body } of this.#chunks) body.remove();
    this.#chunks = [];
    this.#byId.clear();
    this.append(requests);
  }

  /** Adds older ones below. @param {readonly LoggedRequest[]} requests */
  append(requests) {
    const added = requests.filter(({ id }) => !this.#byId.has(id));
    for (let from = 0; from < added.length; from += CHUNK)
      this.#chunks.push(this.#create(added.slice(from, from + CHUNK)));
    this.#update();
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
    const chunks = [];
    for (let from = 0; from < added.length; from += CHUNK)
      chunks.push(this.#create(added.slice(from, from + CHUNK)));
    this.#chunks.unshift(...chunks);
    this.#update();
    for (const { body } of chunks) for (const row of body.rows) row.classList.add('fresh');
  }

  /** Forgets the oldest chunks beyond a number of requests. True if it did. @param {number} most */
  trim(most) {
    const before = this.size;
    while (this.size > most && this.#chunks.length > 1) {
      const chunk = this.#chunks.pop();
      if (chunk === undefined) break;
      for (const { id } of chunk.requests) this.#byId.delete(id);
      chunk.body.remove();
    }
    this.#update();
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
    if (id === null || !this.has(id)) return;
    if (this.linkOf(id) === null) this.#reveal(id);
    const row = this.linkOf(id)?.closest('tr');
    if (!row) return;
    mark(row, true);
    row.scrollIntoView({ block: 'nearest' });
  }

  /** The link of a row; null: it is not drawn. @param {string} id @returns {HTMLElement | null} */
  linkOf(id) {
    return this.#table.querySelector(`[data-request="${CSS.escape(id)}"]`);
  }

  /** Scrolls to a row that is not drawn. @param {string} id */
  #reveal(id) {
    let top = this.#table.getBoundingClientRect().top + scrollY;
    for (const { requests, heightPx } of this.#chunks) {
      if (requests.some((one) => one.id === id)) break;
      top += heightPx;
    }
    scrollTo({ top: Math.max(0, top - innerHeight / 3) });
    this.#update();
  }

  /** Draws the rows again, because names are known now. */
  redraw() {
    for (const chunk of this.#chunks) if (chunk.isDrawn) this.#draw(chunk);
  }

  /** To be called once the list is in the page. */
  shown() {
    this.#update();
  }

  destroy() {
    this.#listeners.abort();
    cancelAnimationFrame(this.#frame);
  }

  /** @param {LoggedRequest[]} requests @returns {Chunk} */
  #create(requests) {
    for (const request of requests) this.#byId.set(request.id, request);
    const body = h('tbody', { 'aria-live': 'off' });
    return { requests, body, isDrawn: false, heightPx: requests.length * this.#rowPx };
  }

  #updateSoon() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#update());
  }

  /** Draws what is near the window, and takes the rest away. All is measured first, so that the page is laid out once. */
  #update() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { top } = this.#table.getBoundingClientRect();
    for (const chunk of this.#chunks) {
      if (!chunk.isDrawn || !chunk.body.isConnected) continue;
      chunk.heightPx = chunk.body.getBoundingClientRect().height || chunk.heightPx;
      this.#rowPx = chunk.heightPx / chunk.requests.length;
    }
    let y = top;
    let above = 0;
    let below = 0;
    /** @type {Element} */
    let before = this.#above.body;
    for (const chunk of this.#chunks) {
      const isAbove = y + chunk.heightPx < -NEAR_PX;
      const isNear = !isAbove && y < innerHeight + NEAR_PX;
      y += chunk.heightPx;
      if (isNear) {
        if (!chunk.isDrawn) this.#draw(chunk);
        if (before.nextElementSibling !== chunk.body) before.after(chunk.body);
        before = chunk.body;
      } else {
        if (isAbove) above += chunk.heightPx;
        else below += chunk.heightPx;
        if (chunk.isDrawn) undraw(chunk);
      }
    }
    this.#above.set(above);
    this.#below.set(below);
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
}

/** @param {Chunk} chunk */
function undraw(chunk) {
  chunk.isDrawn = false;
  chunk.body.remove();
  chunk.body.replaceChildren();
}

/** An empty row as high as the rows that are not drawn. */
function createGap() {
  const cell = h('td');
  const body = h('tbody', { class: 'gap', 'aria-hidden': 'true', hidden: true }, h('tr', null, cell));
  let heightPx = 0;
  return {
    body,
    /** @param {number} next */
    set(next) {
      if (next === heightPx) return;
      heightPx = next;
      body.hidden = next === 0;
      cell.style.setProperty('height', `${next}px`);
    },
  };
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
