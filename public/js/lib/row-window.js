import { h } from './h.js';
import { createGap } from './row-gap.js';
import { numberRows } from './row-numbers.js';

/** Rows that are drawn and taken away together. */
const CHUNK = 5;
/** Rows so near to the window of the browser are drawn, one chunk in a frame; they go when they are twice as far away. */
const NEAR_PX = 600;
/** A list of so many rows is drawn whole, one chunk in a frame: it can be searched by the browser, and printed. */
const WHOLE = 60;
/** The height of a row before one was measured. */
const ROW_PX = 44;

/**
 * Rows of the table that stand in one `tbody`.
 * @template T
 * @typedef {{ items: T[], body: HTMLTableSectionElement, isDrawn: boolean, heightPx: number | null }} Chunk
 *   heightPx: null where it was not measured at this width
 */

/**
 * The rows of a table of any length. Only those near the window of the browser are in the page, between gaps as high as the
 * rest, and a frame draws few of them: thousands scroll like dozens.
 * @template T
 */
export class RowWindow {
  #options;
  #table;
  /** @type {Chunk<T>[]} */
  #chunks = [];
  /** @type {ReturnType<typeof createGap>[]} */
  #gaps = [];
  /** @type {string | null} */
  #selected = null;
  #rowPx = ROW_PX;
  #isMeasured = false;
  #widthPx = 0;
  #frame = 0;

  /**
   * @param {{
   *   table: HTMLTableElement, signal: AbortSignal, id: (item: T) => string, renderRow: (item: T) => HTMLTableRowElement,
   *   bodyProps?: import('./h.js').Props,
   * }} options table: with nothing but its head; bodyProps: of each `tbody`
   */
  constructor(options) {
    this.#options = options;
    this.#table = options.table;
    const { signal } = options;
    const soon = () => this.#updateSoon();
    addEventListener('scroll', soon, { signal, passive: true });
    addEventListener('resize', soon, { signal });
    const observer = new ResizeObserver(([entry]) => this.#resize(entry.contentRect.width));
    observer.observe(this.#table);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  /** Replaces all. @param {readonly T[]} items */
  show(items) {
    for (const { body } of this.#chunks) body.remove();
    this.#chunks = [];
    this.append(items);
  }

  /** Adds items at the end. @param {readonly T[]} items */
  append(items) {
    this.#chunks.push(...this.#chunksOf(items));
    this.update();
  }

  /** Adds items at the beginning, and lights them up. @param {readonly T[]} items */
  prepend(items) {
    const [first] = this.#chunks;
    if (first?.isDrawn && first.items.length + items.length <= CHUNK) {
      first.items.unshift(...items);
      first.heightPx = null;
      first.body.prepend(...items.map((item) => this.#row(item, true)));
      numberRows(this.#table, this.#chunks);
      return;
    }
    const chunks = this.#chunksOf(items);
    this.#chunks.unshift(...chunks);
    this.update();
    for (const { body } of chunks) for (const row of body.rows) row.classList.add('fresh');
  }

  /** Removes and returns the last items beyond a number of them, by whole chunks. @param {number} most */
  trim(most) {
    /** @type {T[]} */
    const removed = [];
    let count = this.#size();
    while (count > most && this.#chunks.length > 1) {
      const chunk = this.#chunks.pop();
      if (chunk === undefined) break;
      count -= chunk.items.length;
      removed.push(...chunk.items);
      chunk.body.remove();
    }
    if (removed.length > 0) this.update();
    return removed;
  }

  /** The last item. */
  get last() {
    return this.#chunks.at(-1)?.items.at(-1) ?? null;
  }

  /** The drawn rows, from top to bottom. */
  get rows() {
    return this.#chunks.flatMap(({ body }) => [...body.rows]);
  }

  /** The item above or below another one. @param {string} id @param {1 | -1} step */
  neighbour(id, step) {
    const items = this.#chunks.flatMap((chunk) => chunk.items);
    const index = items.findIndex((item) => this.#options.id(item) === id);
    return index < 0 ? null : (items[index + step] ?? null);
  }

  /** Marks one row as the opened one, and brings it into sight. @param {string | null} id */
  select(id) {
    this.#selected = id;
    for (const row of this.rows) mark(row, id !== null && row.dataset.id === id);
    if (id === null) return;
    this.draw(id);
    this.#rowOf(id)?.scrollIntoView({ block: 'nearest' });
  }

  /** Draws the row of an item, wherever it is. @param {string} id */
  draw(id) {
    const chunk = this.#chunks.find(({ items }) => items.some((item) => this.#options.id(item) === id));
    if (chunk === undefined || chunk.isDrawn) return;
    this.#draw(chunk);
    this.#place();
  }

  /** Draws the rows again that are there. */
  redraw() {
    for (const chunk of this.#chunks) if (chunk.isDrawn) this.#draw(chunk);
    numberRows(this.#table, this.#chunks);
  }

  /** Draws what is in the window, or near it, and takes away what is far from it. */
  update() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#measure();
    let y = this.#table.getBoundingClientRect().top;
    let hasDrawn = false;
    /** @type {Chunk<T> | null} */
    let next = null;
    const nearPx = this.#size() <= WHOLE ? Number.POSITIVE_INFINITY : NEAR_PX;
    let nextPx = nearPx;
    for (const chunk of this.#chunks) {
      const end = y + this.#heightOf(chunk);
      const awayPx = Math.max(y - innerHeight, -end, 0);
      y = end;
      if (!chunk.isDrawn && awayPx === 0) {
        this.#draw(chunk);
        hasDrawn = true;
      } else if (!chunk.isDrawn && awayPx < nextPx) [next, nextPx] = [chunk, awayPx];
      // The row with the focus stays, or the focus would be lost.
      else if (chunk.isDrawn && awayPx > 2 * nearPx && !chunk.body.contains(document.activeElement))
        undraw(chunk);
    }
    if (next !== null && !hasDrawn) this.#draw(next);
    this.#place();
    if (next !== null) this.#updateSoon();
  }

  #size() {
    return this.#chunks.reduce((sum, { items }) => sum + items.length, 0);
  }

  #updateSoon() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.update());
  }

  /** @param {number} widthPx */
  #resize(widthPx) {
    if (widthPx !== this.#widthPx) {
      for (const chunk of this.#chunks) chunk.heightPx = null;
      this.#isMeasured = false;
    }
    this.#widthPx = widthPx;
    this.#updateSoon();
  }

  /** All is measured before anything is drawn, so that the page is laid out once. */
  #measure() {
    for (const chunk of this.#chunks) {
      if (!chunk.isDrawn || !chunk.body.isConnected) continue;
      chunk.heightPx = chunk.body.getBoundingClientRect().height || null;
      if (chunk.heightPx === null || this.#isMeasured) continue;
      // Once, because each other height moves all that is below.
      this.#rowPx = chunk.heightPx / chunk.items.length;
      this.#isMeasured = true;
    }
  }

  /** @param {Chunk<T>} chunk */
  #heightOf({ heightPx, items }) {
    return heightPx ?? items.length * this.#rowPx;
  }

  /** Puts the drawn chunks into the table, and gaps for the others. */
  #place() {
    /** @type {Element[]} */
    const wanted = [];
    let gapPx = 0;
    let gaps = 0;
    const addGap = () => {
      if (gapPx === 0) return;
      const gap = this.#gaps[gaps] ?? createGap();
      this.#gaps[gaps] = gap;
      gaps += 1;
      gap.set(gapPx);
      wanted.push(gap.body);
      gapPx = 0;
    };
    for (const chunk of this.#chunks) {
      if (chunk.isDrawn) {
        addGap();
        wanted.push(chunk.body);
      } else gapPx += this.#heightOf(chunk);
    }
    addGap();
    const present = [...this.#table.tBodies];
    if (present.length === wanted.length && present.every((body, index) => body === wanted[index])) return;
    // Only gaps may move: a chunk that is moved loses the focus in it.
    for (const { body } of this.#gaps) body.remove();
    let before = /** @type {Element | null} */ (this.#table.tHead);
    for (const body of wanted) {
      if (before?.nextElementSibling !== body) before?.after(body);
      before = body;
    }
    numberRows(this.#table, this.#chunks);
  }

  /** @param {readonly T[]} items @returns {Chunk<T>[]} */
  #chunksOf(items) {
    return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, at) => ({
      items: items.slice(at * CHUNK, (at + 1) * CHUNK),
      body: h('tbody', this.#options.bodyProps),
      isDrawn: false,
      heightPx: null,
    }));
  }

  /** @param {Chunk<T>} chunk */
  #draw(chunk) {
    chunk.isDrawn = true;
    chunk.body.replaceChildren(...chunk.items.map((item) => this.#row(item, false)));
  }

  /** @param {T} item @param {boolean} isFresh */
  #row(item, isFresh) {
    const row = this.#options.renderRow(item);
    row.dataset.id = this.#options.id(item);
    if (isFresh) row.classList.add('fresh');
    if (row.dataset.id === this.#selected) mark(row, true);
    return row;
  }

  /** @param {string} id */
  #rowOf(id) {
    return this.rows.find((row) => row.dataset.id === id);
  }
}

/** @param {Chunk<any>} chunk */
function undraw(chunk) {
  chunk.isDrawn = false;
  chunk.body.remove();
  chunk.body.replaceChildren();
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
