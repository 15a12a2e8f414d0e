import { messageOf } from '../lib/api.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { createMetricTabs } from '../lib/metric-tabs.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { serverNow } from '../lib/server-clock.js';
import { emptyState, failed, skeleton } from '../lib/states.js';
import { loadStyles } from '../lib/styles.js';
import { hashOf } from '../lib/url-state.js';
import { createRangePicker } from './range-picker.js';
import { isoTime, readRange, zoneMinutes, zoneText } from './time-range.js';
import { spanText } from './time-text.js';
import { clearFilters, createTrafficFilters, readFilters } from './traffic-filters.js';
import { createNames } from './traffic-names.js';
import { createUsageChart, groupNamed } from './usage-chart.js';
import { loadUsage, SECOND_GROUP } from './usage-data.js';
import { exportButton } from './usage-export.js';
import { linesOf, sumsOf } from './usage-lines.js';
import { METRICS, metricOf, metricValues, seriesId } from './usage-metrics.js';
import { createUsageTable } from './usage-table.js';

/** @import { UsageAnswer, UsageQuestion } from './usage-data.js' */

const USUAL_RANGE = '30d';
const REFRESH_MS = 30_000;

/**
 * The Usage tab: what was used, by whom, with which model, and what it cost.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountUsage(container, context) {
  const view = new UsageView(container, context);
  void Promise.all([loadStyles('charts.css'), loadStyles('traffic.css')]).then(() => view.start());
}

class UsageView {
  #context;
  #host = h('div', { class: 'stack' }, skeleton({ count: 6 }));
  #span = h('span', { class: 'small muted push from-tablet' });
  #names;
  #metrics;
  #chart;
  #table = createUsageTable();
  #note = h('p', { class: 'small muted' });
  #picker;
  #filters;
  #bar;
  #loading = new AbortController();
  /** @type {{ question: UsageQuestion, answer: UsageAnswer } | null} */
  #shown = null;

  /**
   * @param {HTMLElement} container
   * @param {import('../pages/admin.js').ViewContext} context
   */
  constructor(container, context) {
    this.#context = context;
    const { url } = context;
    this.#names = createNames(() => this.#rename());
    this.#metrics = createMetricTabs({
      label: 'What the chart shows',
      metrics: METRICS,
      selected: metricOf(url.get('metric')).id,
      onSelect: (metric) => url.set({ metric }, { replace: true }),
    });
    this.#chart = createUsageChart({
      onGroup: (by) => url.set({ by }),
      onOpen: (bucket, id) => this.#openBucket(bucket, id),
    });
    const { range, nowMs } = this.#question();
    this.#picker = createRangePicker({ range, nowMs, onChange: (params) => url.set(params) });
    this.#filters = createTrafficFilters({ url, names: this.#names, time: () => this.#times() });
    this.#bar = h(
      'div',
      { class: 'traffic-bar' },
      ...this.#picker.elements,
      this.#filters.element,
      this.#span,
    );
    container.append(h('div', { class: 'stack' }, this.#bar, this.#host));
  }

  start() {
    const { url, head, signal } = this.#context;
    if (signal.aborted) return;
    head.set(exportButton(() => this.#question()));
    url.onChange(() => this.#follow());
    signal.addEventListener('abort', () => {
      this.#loading.abort();
      this.#chart.destroy();
    });
    addEventListener('server-back', () => void this.#load(), { signal });
    refreshWhileVisible(() => this.#load({ isQuiet: true }), signal, REFRESH_MS);
    this.#follow();
  }

  /** @returns {UsageQuestion} */
  #question() {
    const { url } = this.#context;
    const nowMs = serverNow();
    const named = { range: url.get('range'), from: url.get('from'), to: url.get('to') };
    return {
      range: readRange(named, { nowMs, zone: zoneMinutes(), usual: USUAL_RANGE }),
      filters: readFilters(url),
      group: groupNamed(url.get('by')).id,
      nowMs,
    };
  }

  #times() {
    const { range } = this.#question();
    return { from: isoTime(range.fromMs), to: isoTime(range.toMs) };
  }

  /** Shows what the address says. */
  #follow() {
    const question = this.#question();
    const { url } = this.#context;
    this.#metrics.select(metricOf(url.get('metric')).id);
    this.#picker.show(question.range);
    this.#filters.show();
    this.#span.textContent = `${spanText(question.range, question.nowMs)}, your time (${zoneText(question.range.zone)})`;
    if (this.#shown !== null && isSame(this.#shown.question, question)) this.#render();
    else void this.#load();
  }

  /** @param {{ isQuiet?: boolean }} [options] isQuiet: what is shown stays if the loading fails */
  async #load({ isQuiet = false } = {}) {
    const { signal } = this.#context;
    if (signal.aborted) return;
    this.#loading.abort();
    this.#loading = new AbortController();
    const loading = this.#loading.signal;
    const question = this.#question();
    this.#host.setAttribute('aria-busy', String(!isQuiet));
    try {
      const answer = await loadUsage(question, loading);
      if (loading.aborted) return;
      this.#shown = { question, answer };
      this.#render();
    } catch (error) {
      if (loading.aborted || (isQuiet && this.#shown !== null)) return;
      this.#shown = null;
      const retry = () => this.#load();
      this.#host.replaceChildren(h('div', { class: 'card' }, failed(messageOf(error), retry)));
    } finally {
      if (!loading.aborted) this.#host.removeAttribute('aria-busy');
    }
  }

  #rename() {
    if (this.#context.signal.aborted) return;
    this.#filters.show();
    if (this.#shown !== null) this.#render();
  }

  #render() {
    if (this.#shown === null) return;
    const { question, answer } = this.#shown;
    const { totals } = answer.course;
    if (totals.requests === 0) {
      this.#host.replaceChildren(h('div', { class: 'card' }, this.#empty(question)));
      return;
    }
    const metric = metricOf(this.#context.url.get('metric'));
    this.#metrics.show(metricValues(answer, question));
    this.#chart.show({ metric, question, answer, names: this.#names });
    this.#showTable(question, answer);
    this.#showNote(totals.unpricedRequests);
    if (this.#host.firstElementChild?.classList.contains('usage-card')) return;
    const card = h('section', { class: 'card usage-card', 'aria-label': 'Usage over time' });
    card.append(this.#metrics.element, this.#chart.element);
    this.#host.replaceChildren(card, this.#table.element, this.#note);
  }

  /**
   * @param {UsageQuestion} question
   * @param {UsageAnswer} answer
   */
  #showTable(question, answer) {
    const { group, range, nowMs } = question;
    const { url } = this.#context;
    const { label, many } = groupNamed(group);
    const lines = linesOf(answer, group, this.#names);
    const second = SECOND_GROUP[group];
    const place = { ...this.#place(), metric: url.get('metric'), by: url.get('by') };
    this.#table.show({
      title: `Usage by ${label.toLowerCase()}, ${spanText(range, nowMs)}`,
      name: label,
      second: second === undefined ? null : groupNamed(second).label,
      lines,
      totals: sumsOf(answer.course.totals),
      totalName: lines.length === 1 ? 'Total' : `All ${plural(lines.length, label.toLowerCase(), many)}`,
      slotOf: ({ id }) => this.#chart.slotOf(seriesId(group, id)),
      bucket: range.bucket,
      hrefs: ({ id }) => ({
        filter: hashOf('usage', { ...place, [group]: id }),
        requests: hashOf('requests', { ...this.#place(), [group]: id }),
      }),
      onFilter: ({ id }) => url.set({ [group]: id }),
    });
  }

  /** The filters and the time, as they go along to other places. */
  #place() {
    const { url } = this.#context;
    const [from, to] = [url.get('from'), url.get('to')];
    const time = from === null ? { range: url.get('range') ?? USUAL_RANGE } : { from, to };
    return { ...time, ...readFilters(url) };
  }

  /** @param {number} unpriced */
  #showNote(unpriced) {
    const text =
      '≈ is calculated with the price at the time of each request. Later price changes do not alter it.';
    if (unpriced === 0) {
      this.#note.replaceChildren(text);
      return;
    }
    const are = unpriced === 1 ? 'has no price and is' : 'have no price and are';
    this.#note.replaceChildren(
      `${text} ${plural(unpriced, 'request')} ${are} not in the sums. `,
      h('a', { href: hashOf('models') }, 'Set a price'),
    );
  }

  /** @param {UsageQuestion} question */
  #empty({ filters }) {
    const { url } = this.#context;
    if (Object.keys(filters).length === 0)
      return emptyState(
        'usage',
        'No requests in this time',
        'Send one with a key, and it appears here as soon as it is answered.',
      );
    const clear = () => clearFilters(url);
    return emptyState(
      'usage',
      'No request fits',
      'Nothing in this time fits the filters.',
      h('button', { type: 'button', class: 'btn', onclick: clear }, 'Clear filters'),
    );
  }

  /**
   * @param {{ startMs: number, endMs: number }} bucket
   * @param {string | null} id of the series
   */
  #openBucket({ startMs, endMs }, id) {
    const { group, range, filters } = this.#question();
    const from = isoTime(Math.max(startMs, range.fromMs));
    const to = isoTime(Math.min(endMs, range.toMs));
    const value = id?.startsWith(`${group}:`) ? id.slice(group.length + 1) : null;
    const chosen = value === null ? {} : { [group]: value };
    this.#context.navigate('requests', undefined, { from, to, ...filters, ...chosen });
  }
}

/**
 * @param {UsageQuestion} one
 * @param {UsageQuestion} other
 */
function isSame(one, other) {
  const key = (/** @type {UsageQuestion} */ { range, filters, group }) =>
    JSON.stringify([range.fromMs, range.toMs, range.id, filters, group]);
  return key(one) === key(other);
}
