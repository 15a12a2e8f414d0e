import { svg } from '../lib/h.js';
import { drawAxes } from './axes.js';
import { drawBars } from './bars.js';
import { layOut } from './layout.js';
import { drawDots, drawLines } from './lines.js';
import { createPaint } from './paint.js';
import { largest } from './series.js';

/**
 * @import { Drawing } from './bars.js'
 * @import { ChartData, Cursor, Series } from './types.js'
 */

/** @typedef {{ data: ChartData, series: readonly Series[], slots: ReadonlyMap<string, number>, label: string }} Content */

/**
 * Draws a chart at the real size of its box in pixels, and again when that changes. Colours come from the style sheet, so
 * a change of the theme needs no drawing. Forced colours do, because patterns take the place of colours.
 */
export class Plot {
  #heightPx;
  #kind;
  #onDraw;
  #observer;
  #forced = matchMedia('(forced-colors: active)');
  #draw = () => this.draw();
  #width = 0;
  #height;
  /** @type {Content | null} */
  #content = null;
  /** @type {Drawing | null} */
  #drawing = null;
  #band = decoration();
  #dots = decoration();
  /** @type {SVGElement} */
  root;

  /**
   * @param {{ kind: 'bars' | 'lines', heightPx: number, describedBy: string, onDraw: () => void }} options heightPx: at least,
   *   where its box is higher
   */
  constructor({ kind, heightPx, describedBy, onDraw }) {
    this.#kind = kind;
    this.#heightPx = heightPx;
    this.#height = heightPx;
    this.#onDraw = onDraw;
    this.root = svg('svg', { class: 'chart-svg', role: 'img', tabindex: 0, 'aria-describedby': describedBy });
    this.#observer = new ResizeObserver(([entry]) => this.#resize(entry.contentRect));
    this.#forced.addEventListener('change', this.#draw);
  }

  /** @param {Element} box the box that the chart fills */
  observe(box) {
    this.#observer.observe(box);
  }

  /** Where things stand; null before the first drawing. */
  get layout() {
    return this.#drawing?.layout ?? null;
  }

  /** @param {Content} content */
  show(content) {
    this.#content = content;
    this.root.setAttribute('aria-label', content.label);
    this.draw();
  }

  draw() {
    // In a tab that is not open it has no size. It is drawn when it gets one.
    if (this.#content === null || this.#width <= 0) return;
    const { data, series, slots } = this.#content;
    const paint = createPaint({ isForced: this.#forced.matches });
    const drawing = { layout: this.#layOut(data, series), data, series, slots, paint };
    this.#drawing = drawing;
    const height = this.#height;
    // The same size as the box. It matters in print only, where the paper may be narrower.
    const size = { width: this.#width, height, viewBox: `0 0 ${this.#width} ${height}` };
    for (const [name, value] of Object.entries(size)) this.root.setAttribute(name, String(value));
    const marks = this.#kind === 'bars' ? drawBars(drawing) : drawLines(drawing);
    this.root.replaceChildren(paint.defs, drawAxes(drawing.layout, data), this.#band, marks, this.#dots);
    this.#onDraw();
  }

  /**
   * Lights a bucket.
   * @param {Cursor | null} cursor
   */
  choose(cursor) {
    this.#band.replaceChildren();
    this.#dots.replaceChildren();
    if (this.#drawing === null || cursor === null) return;
    const { left, slot, top, bottom } = this.#drawing.layout;
    const place = { x: left + slot * cursor.bucket, y: top, width: slot, height: bottom - top };
    this.#band.append(svg('rect', { class: 'chart-band', ...place }));
    if (this.#kind === 'lines') this.#dots.append(...drawDots(this.#drawing, cursor.bucket));
  }

  /**
   * Dims all series but this one.
   * @param {string | null} id
   */
  light(id) {
    for (const mark of this.root.querySelectorAll('[data-series]')) {
      mark.classList.toggle('chart-dim', id !== null && mark.getAttribute('data-series') !== id);
    }
  }

  destroy() {
    this.#observer.disconnect();
    this.#forced.removeEventListener('change', this.#draw);
  }

  /** @param {{ width: number, height: number }} box */
  #resize(box) {
    const width = Math.floor(box.width);
    // Where the drawing stands in the flow, the height of the box follows from it.
    const isFilling = getComputedStyle(this.root).position === 'absolute';
    const height = isFilling ? Math.max(this.#heightPx, Math.floor(box.height)) : this.#heightPx;
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.draw();
  }

  /**
   * @param {ChartData} data
   * @param {readonly Series[]} series
   */
  #layOut(data, series) {
    const count = data.starts.length;
    const max = largest(series, count, this.#kind === 'bars');
    const fontPx = Number.parseFloat(getComputedStyle(this.root).fontSize) || 12;
    return layOut({ width: this.#width, height: this.#height, count, max, unit: data.unit, fontPx });
  }
}

function decoration() {
  return svg('g', { 'aria-hidden': 'true' });
}
