import { bucketStarts, seriesOfRows } from '../charts/buckets.js';
import { createBarChart } from '../charts/time-chart.js';
import { MONEY } from '../charts/units.js';
import { api } from '../lib/api.js';
import { h } from '../lib/h.js';
import { serverNow } from '../lib/server-clock.js';
import { loadStyles } from '../lib/styles.js';
import { hashOf } from '../lib/url-state.js';

const DAY_MS = 86_400_000;
const DAYS = 30;

/**
 * What a key or a user spent on each of the last 30 days.
 * @param {{ filter: 'key' | 'user', id: string, signal: AbortSignal }} options signal: ends the chart
 */
export function spendSection({ filter, id, signal }) {
  const chartPlace = h('div', null, h('p', { class: 'small muted' }, 'Loading …'));
  void show();
  async function show() {
    const toMs = serverNow();
    const fromMs = toMs - (DAYS - 1) * DAY_MS;
    const zone = -new Date().getTimezoneOffset();
    const query = new URLSearchParams({
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs + 3_600_000).toISOString(),
      bucket: 'day',
      tz: String(zone),
      [filter]: id,
    });
    const [usage] = await Promise.all([
      api.get(`/api/admin/usage?${query}`).catch(() => null),
      loadStyles('charts.css'),
    ]);
    if (signal.aborted) return;
    if (usage === null) return chartPlace.replaceChildren(h('p', { class: 'small muted' }, 'Not available.'));
    if (usage.totals.requests === 0)
      return chartPlace.replaceChildren(h('p', { class: 'small muted' }, 'No requests.'));
    const starts = bucketStarts({ fromMs, toMs, bucket: 'day', zone });
    /** @type {{ time?: string, costUsd: number | null }[]} */
    const rows = usage.data;
    const chart = createBarChart({ heightPx: 120, hasToggle: false });
    signal.addEventListener('abort', () => chart.destroy());
    chartPlace.replaceChildren(chart.element);
    chart.update({
      title: 'Spend per day, last 30 days',
      unit: MONEY,
      bucket: 'day',
      starts,
      nowMs: toMs,
      zone,
      series: seriesOfRows(rows, {
        starts,
        id: () => 'total',
        name: () => 'Spend',
        value: ({ costUsd }) => (costUsd === null ? null : Math.round(costUsd * 1e9)),
      }),
    });
  }
  // With the path, so that it is no jump within the page.
  const place = `${location.pathname}${hashOf('usage', { range: '30d', [filter]: id })}`;
  return h(
    'section',
    { class: 'section' },
    h(
      'div',
      { class: 'row between' },
      h('h3', null, 'Last 30 days'),
      h('a', { class: 'small', href: place }, 'Open in usage'),
    ),
    chartPlace,
  );
}
