// One chart of each kind, as a view would make it. `?name=` gives the first series another name.
import { bucketStarts } from './js/charts/buckets.js';
import { cellBar } from './js/charts/cell-bar.js';
import { statusStrip } from './js/charts/status-strip.js';
import { createBarChart, createLineChart } from './js/charts/time-chart.js';
import { MONEY, MS } from './js/charts/units.js';
import { h } from './js/lib/h.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ZONE = 60;
const nowMs = Date.parse('2026-11-26T13:32:00Z');
const hostile = new URLSearchParams(location.search).get('name');

/** The same numbers each time. */
let seed = 7;
const random = () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};

const opened = [];
const onOpen = (bucket, series) =>
  opened.push([new Date(bucket.startMs).toISOString(), series?.name ?? null]);

const names = [
  'claude-sonnet-4-6',
  'gpt-5.4-mini',
  'gpt-5.4',
  'claude-haiku-4-5',
  'gemini-3.5-flash-lite',
  'gpt-oss-120b',
  'llama-3.3-70b-instruct-with-a-rather-long-name',
];
const sizes = [3e9, 2e9, 1.5e9, 1.1e9, 1e9, 0.2e9, 0.1e9];
const seriesOf = (count, spread) =>
  names.map((name, number) => ({
    id: `model:${name}`,
    name: number === 0 && hostile !== null ? hostile : name,
    values: Array.from({ length: count }, (_, index) =>
      index === 4 ? null : Math.round(sizes[number] * spread * (0.3 + random()) * (index % 7 > 4 ? 0.2 : 1)),
    ),
  }));

const days = bucketStarts({ fromMs: nowMs - 29 * DAY_MS, toMs: nowMs, bucket: 'day', zone: ZONE });
const dayData = {
  title: 'Spend per day, 28 Oct to 26 Nov',
  unit: MONEY,
  bucket: 'day',
  starts: days,
  nowMs,
  zone: ZONE,
  series: seriesOf(days.length, 1),
};
const spend = createBarChart({ heading: h('h2', null, 'Spend per day by model'), heightPx: 272, onOpen });
spend.update(dayData);

const hours = bucketStarts({ fromMs: nowMs - 23 * HOUR_MS, toMs: nowMs, bucket: 'hour', zone: ZONE });
const hourData = {
  title: 'First token, p95, last 24 hours',
  unit: MS,
  bucket: 'hour',
  starts: hours,
  nowMs,
  zone: ZONE,
  series: seriesOf(hours.length, 1)
    .slice(0, 3)
    .map((series) => ({ ...series, values: series.values.map((value) => value && Math.round(value / 2e6)) })),
};
const latency = createLineChart({ heading: h('h2', null, 'First token, p95'), onOpen });
latency.update(hourData);

const errors = createBarChart({ heading: h('h2', null, 'Errors'), hasToggle: false, heightPx: 160 });
errors.update({
  ...hourData,
  title: 'Errors per hour',
  unit: { ...MONEY, value: String, tick: String, leastStep: 1 },
  series: [{ id: 'outcome:error', name: 'Errors', values: hours.map((_, i) => i % 4), isBad: true }],
});

const stripHours = hours.map((startMs, index) => ({
  startMs,
  requests: index < 6 ? 0 : 40,
  failed: index === 22 ? 9 : index === 23 ? 40 : index === 12 ? 1 : 0,
  isSlow: index === 15 || index === 16,
}));

document
  .querySelector('main')
  .append(
    h('section', { 'aria-label': 'Spend' }, spend.element),
    h('section', { 'aria-label': 'Latency' }, latency.element),
    h('section', { 'aria-label': 'Errors' }, errors.element),
    h(
      'section',
      { class: 'small', 'aria-label': 'Small ones' },
      statusStrip({ name: hostile ?? 'Groq', hours: stripHours, nowMs, zone: ZONE }),
      statusStrip({ name: 'DeepSeek', hours: [], nowMs, zone: ZONE }),
      cellBar({ share: 0.42 }),
      cellBar({ share: 0.7, tone: 'accent', markAt: 0.8 }),
      cellBar({ share: 0.92, tone: 'warn', markAt: 0.8 }),
      cellBar({ share: 1.4, tone: 'bad', markAt: 0.8 }),
    ),
  );
document.body.append(h('button', { type: 'button', class: 'btn' }, 'After'));
Object.assign(window, { opened, spend, latency, dayData, hourData });
