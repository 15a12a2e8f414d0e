import { h } from '../lib/h.js';
import { bucketAt, bucketName } from './buckets.js';
import { ChartCursor } from './cursor.js';
import { dataTable } from './data-table.js';
import { createHead } from './frame.js';
import { createLegend } from './legend.js';
import { Plot } from './plot.js';
import { foldSeries, shownPart, summary } from './series.js';
import { OTHER_SLOT, slotsOfSeries } from './slots.js';
import { spokenValue, tipContent } from './tip.js';
import { createTipBox } from './tip-box.js';

/**
 * @import { Child } from '../lib/h.js'
 * @import { Move } from './cursor.js'
 * @import { Bucket, ChartData, Cursor, Series } from './types.js'
 */

/** @typedef {Pick<Series, 'id' | 'name' | 'isOther' | 'ids'>} OpenedSeries */
/**
 * @typedef {object} TimeChartOptions
 * @property {Child} [heading] stands left in the head
 * @property {readonly Node[]} [actions] stand right in the head
 * @property {boolean} [hasToggle] whether there is a switch between chart and table (default true)
 * @property {number} [heightPx] default 240
 * @property {boolean} [isFilling] whether it grows to the height that its place has
 * @property {(bucket: Bucket, series: OpenedSeries | null) => void} [onOpen] opens what a bucket is made of; a null
 *   series is all of them
 */

let charts = 0;

/**
 * Stacked bars over time.
 * @param {TimeChartOptions} [options]
 */
export function createBarChart(options = {}) {
  return new TimeChart('bars', options);
}

/**
 * Lines over time, for values that cannot be summed.
 * @param {TimeChartOptions} [options]
 */
export function createLineChart(options = {}) {
  return new TimeChart('lines', options);
}

/** A chart of series over time, with its head, its legend and its table. */
export class TimeChart {
  /** @type {ChartData | null} */
  #data = null;
  /** @type {Series[]} */
  #series = [];
  /** @type {Map<string, number>} */
  #slots = new Map();
  /** @type {Set<string>} */
  #hidden = new Set();
  #isTable = false;
  #onOpen;
  #tip = createTipBox();
  #table = h('div', { class: 'chart-table', role: 'region', tabindex: 0, hidden: true });
  #spoken = h('p', { class: 'chart-spoken', 'aria-live': 'polite' });
  #legend = createLegend({ onToggle: (id) => this.#toggle(id), onLight: (id) => this.#light(id) });
  #box;
  #plot;
  #cursor;
  /** @type {HTMLElement} */
  element;

  /**
   * @param {'bars' | 'lines'} kind
   * @param {TimeChartOptions} options
   */
  constructor(
    kind,
    { heading = null, actions = [], hasToggle = true, heightPx = 240, isFilling = false, onOpen },
  ) {
    this.#onOpen = onOpen;
    const hintId = `chart-hint-${++charts}`;
    this.#plot = new Plot({ kind, heightPx, describedBy: hintId, onDraw: () => this.#cursor?.redraw() });
    const name = onOpen === undefined ? 'chart-plot' : 'chart-plot can-open';
    this.#box = h('div', { class: name }, this.#plot.root, this.#tip.element);
    this.#cursor = this.#createCursor();
    const onSwitch = (/** @type {boolean} */ isTable) => this.#switch(isTable);
    this.element = h(
      'div',
      { class: isFilling ? 'chart fills' : 'chart' },
      createHead({ heading, actions, hasToggle, onSwitch }),
      this.#legend.element,
      this.#box,
      this.#table,
      this.#spoken,
      h('p', { id: hintId, hidden: true }, keysHint(onOpen !== undefined)),
    );
    if (isFilling) this.#box.style.setProperty('min-height', `${heightPx}px`);
    this.#plot.observe(this.#box);
  }

  /**
   * Shows other data. The focus, the hidden series and the chosen time stay.
   * @param {ChartData} data
   */
  update(data) {
    const before = { starts: this.#data?.starts ?? [], ids: this.#shown().map(({ id }) => id) };
    this.#data = data;
    this.#series = foldSeries(data.series, data.unit);
    this.#slots = slotsOfSeries(this.#series);
    const ids = this.#shown().map(({ id }) => id);
    this.#cursor.translate(({ bucket, series }) => {
      const index = data.starts.indexOf(before.starts[bucket] ?? Number.NaN);
      const part = series === null ? -1 : ids.indexOf(before.ids[series] ?? '');
      return index < 0 ? null : { bucket: index, series: part < 0 ? null : part };
    });
    this.#render();
  }

  /**
   * The colour of an entity: 1 to 5, or 6 where it is part of Other.
   * @param {string} id
   */
  slotOf(id) {
    return this.#slots.get(id) ?? OTHER_SLOT;
  }

  /** Ends what listens and observes. */
  destroy() {
    this.#cursor.destroy();
    this.#plot.destroy();
    this.#tip.hide();
  }

  #createCursor() {
    return new ChartCursor({
      root: this.#plot.root,
      tip: this.#tip.element,
      layout: () => this.#plot.layout,
      size: () => ({ buckets: this.#data?.starts.length ?? 0, series: [...this.#shown().keys()] }),
      onMove: (cursor, move) => this.#move(cursor, move),
      onOpen: (cursor, id) => this.#open(cursor, id),
    });
  }

  #shown() {
    return this.#series.filter(({ id }) => !this.#hidden.has(id));
  }

  #render() {
    const data = this.#data;
    if (data === null) return;
    const { starts, bucket, zone, title, unit } = data;
    const series = this.#shown();
    const names = starts.map((start) => bucketName(start, bucket, zone));
    this.#legend.update({
      series: this.#series,
      slots: this.#slots,
      hidden: this.#hidden,
      unit,
      isUsed: !this.#isTable,
    });
    this.#plot.show({ data, series, slots: this.#slots, label: summary({ title, unit }, series, names) });
    this.#box.hidden = this.#isTable;
    this.#table.hidden = !this.#isTable;
    this.#table.setAttribute('aria-label', title);
    const { scrollTop, scrollLeft } = this.#table;
    this.#table.replaceChildren(...(this.#isTable ? [dataTable(data, this.#series)] : []));
    this.#table.scrollTo(scrollLeft, scrollTop);
  }

  /** @param {boolean} isTable */
  #switch(isTable) {
    this.#isTable = isTable;
    this.#cursor.clear();
    this.#render();
  }

  /**
   * Hides a series, or shows it again.
   * @param {string} id
   */
  #toggle(id) {
    if (!this.#hidden.delete(id)) this.#hidden.add(id);
    this.#cursor.clear();
    this.#render();
    this.#light(id);
    const { name = '' } = this.#series.find((one) => one.id === id) ?? {};
    const part = this.#data === null ? '' : shownPart(this.#series, this.#hidden, this.#data.unit);
    this.#spoken.textContent = [`${name} ${this.#hidden.has(id) ? 'hidden' : 'shown'}`, part]
      .filter(Boolean)
      .join(', ');
  }

  /** @param {string | null} id */
  #light(id) {
    this.#plot.light(id !== null && !this.#hidden.has(id) ? id : null);
  }

  /**
   * @param {Cursor | null} cursor
   * @param {Move} move
   */
  #move(cursor, { isKey, isTouch, isForward }) {
    this.#plot.choose(cursor);
    const { layout } = this.#plot;
    if (cursor === null || layout === null || this.#data === null) {
      this.#tip.hide();
      this.#plot.light(null);
      this.#spoken.textContent = '';
      return;
    }
    const chosen = { data: this.#data, series: this.#shown(), slots: this.#slots, cursor };
    this.#plot.light(chosen.series[cursor.series ?? -1]?.id ?? null);
    const left = layout.left + layout.slot * cursor.bucket;
    const hint = this.#onOpen === undefined ? null : this.#openHint(cursor, isTouch);
    this.#tip.show(tipContent(chosen, { hint }), { left, right: left + layout.slot, isForward });
    if (isKey) this.#spoken.textContent = spokenValue(chosen);
  }

  /**
   * @param {Cursor} cursor
   * @param {string | null} id
   */
  #open(cursor, id) {
    if (this.#data === null) return;
    const one =
      id === null ? this.#shown()[cursor.series ?? -1] : this.#series.find((series) => series.id === id);
    this.#onOpen?.(bucketAt(this.#data, cursor.bucket), one ?? null);
  }

  /**
   * A finger gets a button. It is no tab stop, because Enter on the chart does the same, and a press on it must not
   * take the focus, because that would close the tip.
   * @param {Cursor} cursor
   * @param {boolean} isTouch
   */
  #openHint(cursor, isTouch) {
    if (!isTouch) return 'Click or Enter opens these requests';
    const onmousedown = (/** @type {Event} */ event) => event.preventDefault();
    const onclick = () => this.#open(cursor, null);
    return h('button', { type: 'button', tabindex: -1, onmousedown, onclick }, 'Open these requests');
  }
}

/** @param {boolean} canOpen */
function keysHint(canOpen) {
  return `Left and right: time. Up and down: series.${canOpen ? ' Enter: its requests.' : ''}`;
}
