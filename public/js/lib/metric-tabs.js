import { h, svg } from './h.js';

const SPARK = { width: 72, height: 24, pad: 2 };

/**
 * @typedef {{ value: string, unit?: string, change?: string, isWorse?: boolean, spark?: readonly (number | null)[] }} MetricValue
 *   change: against the time before; isWorse: in red, for errors alone; spark: the course, null where there is no data
 */
/** @typedef {{ id: string, label: string }} Metric */

/**
 * Figures that switch the chart below them. They look like tabs and are radio buttons: one stop for the Tab key, the arrow
 * keys choose. Bones until `show` is called.
 * @param {{ label: string, metrics: readonly Metric[], selected: string, onSelect: (id: string) => void }} options
 */
export function createMetricTabs(options) {
  const buttons = options.metrics.map((metric) =>
    h(
      'button',
      { type: 'button', role: 'radio', class: 'metric', onclick: () => choose(metric.id) },
      ...content(metric, null),
    ),
  );
  const element = h(
    'div',
    { class: 'metrics' },
    h('div', { role: 'radiogroup', 'aria-label': options.label, onkeydown: onKey }, ...buttons),
  );

  /** @param {string} id */
  function select(id) {
    options.metrics.forEach((metric, index) => {
      const isChosen = metric.id === id;
      buttons[index].setAttribute('aria-checked', String(isChosen));
      buttons[index].tabIndex = isChosen ? 0 : -1;
    });
  }

  /** @param {string} id */
  function choose(id) {
    select(id);
    options.onSelect(id);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const now = /** @type {(Element | null)[]} */ (buttons).indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (now < 0 || step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = (now + step + buttons.length) % buttons.length;
    choose(options.metrics[next].id);
    buttons[next].focus();
  }

  select(options.selected);
  return {
    element,
    /** Chooses without calling `onSelect`. */
    select,
    /** @param {Record<string, MetricValue>} values by id */
    show(values) {
      options.metrics.forEach((metric, index) => {
        buttons[index].replaceChildren(...content(metric, values[metric.id] ?? null));
      });
    },
  };
}

/**
 * @param {Metric} metric
 * @param {MetricValue | null} shown null: not loaded
 */
function content(metric, shown) {
  const name = h('span', { class: 'name' }, metric.label);
  if (shown === null) return [name, h('span', { class: 'bone' })];
  const unit = shown.unit ? h('span', { class: 'unit' }, `\u202f${shown.unit}`) : null;
  return [
    name,
    h('span', { class: 'value' }, shown.value, unit),
    h('span', { class: `delta ${shown.isWorse ? 'bad' : ''}` }, shown.change ?? '\u00a0'),
    ...(shown.spark && shown.spark.filter((one) => one !== null).length > 1 ? [sparkline(shown.spark)] : []),
  ];
}

/**
 * A small line without axes; decorative, the figure beside it says the value.
 * @param {readonly (number | null)[]} values at least two of them known: a single dot says nothing
 */
function sparkline(values) {
  const { width, height, pad } = SPARK;
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known, 0) || 1;
  const last = Math.max(values.length - 1, 1);
  let path = '';
  let isDrawing = false;
  let end = { x: 0, y: height - pad };
  values.forEach((value, index) => {
    if (value === null) {
      isDrawing = false;
      return;
    }
    end = { x: (index / last) * width, y: height - pad - (value / top) * (height - 2 * pad) };
    path += `${isDrawing ? 'L' : 'M'}${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
    isDrawing = true;
  });
  return svg(
    'svg',
    { class: 'spark', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    svg('path', { d: path }),
    svg('circle', { cx: end.x.toFixed(1), cy: end.y.toFixed(1), r: 2 }),
  );
}
