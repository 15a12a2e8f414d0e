import { nextCursor } from './keys.js';

/**
 * @import { Layout } from './layout.js'
 * @import { Cursor } from './types.js'
 */

/**
 * How the cursor came there.
 * @typedef {{ isKey: boolean, isTouch: boolean, isForward: boolean }} Move
 */
/**
 * @typedef {object} CursorOptions
 * @property {SVGElement} root takes the focus and the pointer
 * @property {HTMLElement} tip the pointer may rest on it
 * @property {() => Layout | null} layout
 * @property {() => { buckets: number, series: readonly number[] }} size
 * @property {(cursor: Cursor | null, move: Move) => void} onMove
 * @property {(cursor: Cursor, id: string | null) => void} onOpen with the id of the series that was clicked
 */

/**
 * The chosen bucket and series of a chart. Keys and taps choose one that stays until Esc or until the focus leaves; a
 * mouse that hovers goes before it.
 */
export class ChartCursor {
  /** @type {CursorOptions} */
  #options;
  /** @type {Cursor | null} */
  #kept = null;
  /** @type {Cursor | null} */
  #hovered = null;
  #isTouch = false;
  #isForward = false;
  #listeners = new AbortController();

  /** @param {CursorOptions} options */
  constructor(options) {
    this.#options = options;
    const { root, tip } = options;
    const { signal } = this.#listeners;
    root.addEventListener('pointerdown', (event) => this.#setTouch(event), { signal });
    root.addEventListener('pointermove', (event) => this.#hover(event), { signal });
    root.addEventListener('pointerleave', (event) => this.#leave(event), { signal });
    tip.addEventListener('pointerleave', (event) => this.#leave(event), { signal });
    root.addEventListener('click', (event) => this.#click(event), { signal });
    root.addEventListener('keydown', (event) => this.#press(event), { signal });
    root.addEventListener('blur', () => this.clear(), { signal });
    // A tip that hovers can be closed from wherever the focus is; before a dialog around the chart takes the key.
    addEventListener('keydown', (event) => this.#escape(event), { signal, capture: true });
  }

  /** Says again where the cursor is, after a drawing. */
  redraw() {
    this.#tell(false);
  }

  /** Chooses nothing. */
  clear() {
    if (this.#kept === null && this.#hovered === null) return;
    this.#kept = null;
    this.#hovered = null;
    this.#tell(false);
  }

  /**
   * Takes the cursor to the same time and series in other data.
   * @param {(cursor: Cursor) => Cursor | null} translate
   */
  translate(translate) {
    this.#kept = this.#kept && translate(this.#kept);
    this.#hovered = this.#hovered && translate(this.#hovered);
  }

  destroy() {
    this.#listeners.abort();
  }

  get #at() {
    return this.#hovered ?? this.#kept;
  }

  /** @param {boolean} isKey */
  #tell(isKey) {
    this.#options.onMove(this.#at, { isKey, isTouch: this.#isTouch, isForward: this.#isForward });
  }

  /** @param {Cursor | null} next */
  #turn(next) {
    const from = this.#at?.bucket;
    if (next !== null && from !== undefined && next.bucket !== from) this.#isForward = next.bucket > from;
  }

  /** @param {PointerEvent} event */
  #setTouch(event) {
    this.#isTouch = event.pointerType === 'touch';
  }

  /** @param {MouseEvent} event */
  #cursorAt(event) {
    const { root, layout } = this.#options;
    const bucket = layout()?.indexAt(event.clientX - root.getBoundingClientRect().left) ?? -1;
    return bucket < 0 ? null : { bucket, series: null };
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    if (event.pointerType === 'touch') return;
    this.#isTouch = false;
    const next = this.#cursorAt(event);
    if (next?.bucket === this.#hovered?.bucket) return;
    this.#turn(next);
    this.#hovered = next;
    this.#tell(false);
  }

  /** @param {PointerEvent} event */
  #leave({ relatedTarget, pointerType }) {
    const { root, tip } = this.#options;
    const isInside =
      relatedTarget instanceof Node && (root.contains(relatedTarget) || tip.contains(relatedTarget));
    if (isInside || pointerType === 'touch' || this.#hovered === null) return;
    this.#hovered = null;
    this.#tell(false);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const cursor = this.#cursorAt(event);
    if (cursor === null) return;
    if (this.#isTouch) {
      this.#kept = this.#kept?.bucket === cursor.bucket ? null : cursor;
      this.#tell(true);
      return;
    }
    const part = event.target instanceof Element ? event.target.getAttribute('data-series') : null;
    this.#options.onOpen(cursor, part);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = this.#kept ?? this.#hovered;
    if (event.key === 'Enter' && at !== null) {
      event.preventDefault();
      this.#options.onOpen(at, null);
      return;
    }
    const next = nextCursor(event.key, at, this.#options.size());
    if (next === undefined || next === null) return;
    event.preventDefault();
    this.#isTouch = false;
    this.#turn(next);
    this.#kept = next;
    this.#hovered = null;
    this.#tell(true);
  }

  /** @param {KeyboardEvent} event */
  #escape(event) {
    if (event.key !== 'Escape' || this.#at === null || !this.#options.root.isConnected) return;
    event.preventDefault();
    event.stopPropagation();
    this.clear();
  }
}
