import { cellBar } from '../charts/cell-bar.js';
import { swatch } from '../charts/slots.js';
import { clockTime, compact, day, money, number, percent, plural, shortAge } from '../lib/format.js';
import { h } from '../lib/h.js';
import { openLink } from '../lib/row.js';
import { perMillion } from './usage-lines.js';

/**
 * @import { UsageLine } from './usage-lines.js'
 * @import { Column, TableContent } from './usage-table.js'
 */

/** From this share on errors are red. */
const MANY_ERRORS = 0.05;
const NOTHING = () => h('span', { class: 'muted' }, '–');

/**
 * The columns of the table of usage; c1 to c3 leave when it is narrow.
 * @param {TableContent} content
 * @returns {Column[]}
 */
export function columnsOf({ name, second, lines, bucket, slotOf, hrefs, onFilter }) {
  const most = Math.max(...lines.map(({ costNano }) => costNano ?? 0));
  const tokens = (/** @type {number} */ value) => (value > 0 ? compact(value) : NOTHING());
  return [
    {
      id: 'name',
      label: name,
      class: 'name-cell',
      sort: (line) => line.name.toLowerCase(),
      cell: (line) => nameCell(line, { slot: slotOf(line), href: hrefs(line).filter, onFilter }),
    },
    ...(second === null
      ? []
      : [
          {
            id: 'second',
            label: second,
            class: 'c1 c2 muted second-cell',
            sort: (/** @type {UsageLine} */ line) => secondText(line).toLowerCase(),
            cell: secondText,
          },
        ]),
    {
      id: 'requests',
      label: 'Requests',
      class: 'c1 r',
      sort: (line) => line.requests,
      cell: (line) => number(line.requests),
    },
    { id: 'errors', label: 'Errors', class: 'c1 r', sort: (line) => errorShareOf(line), cell: errorCell },
    {
      id: 'input',
      label: 'Input',
      class: 'c1 c2 r',
      title: 'Tokens of input, the cached ones included',
      sort: (line) => line.promptTokens,
      cell: (line) => tokens(line.promptTokens),
    },
    {
      id: 'cached',
      label: 'Cached',
      class: 'c1 c2 r',
      title: 'The part of the input that came from a cache',
      sort: (line) => cachedShare(line),
      cell: cachedCell,
    },
    {
      id: 'output',
      label: 'Output',
      class: 'c1 c2 r',
      title: 'Tokens of output, reasoning included',
      sort: (line) => line.completionTokens,
      cell: (line) => tokens(line.completionTokens),
    },
    {
      id: 'cost',
      label: '≈ Cost',
      class: 'r cost-cell',
      sort: (line) => line.costNano ?? -1,
      cell: (line) => costCell(line, most),
    },
    {
      id: 'million',
      label: '$ per 1M',
      class: 'c1 r',
      title: 'Cost divided by all tokens: what a million tokens really cost',
      sort: (line) => perMillion(line) ?? -1,
      cell: millionCell,
    },
    {
      id: 'last',
      label: 'Last used',
      class: 'c1 c3 r muted',
      sort: (line) => line.lastUse?.atMs ?? 0,
      cell: (line) => lastUseText(line.lastUse, bucket),
    },
  ];
}

/**
 * @param {UsageLine} line
 * @param {{ slot: number, href: string, onFilter: (line: UsageLine) => void }} options
 */
function nameCell(line, { slot, href, onFilter }) {
  const link =
    line.id === null
      ? h('span', { class: 'medium truncate' }, line.name)
      : openLink(line.name, href, () => onFilter(line));
  link.dataset.act = `filter:${line.id}`;
  const detail = `${plural(line.requests, 'request')} · ${percent(errorShareOf(line))} errors`;
  return h(
    'span',
    { class: 'row' },
    swatch(slot),
    h('span', { class: 'two' }, link, h('span', { class: 'only-narrow truncate num' }, detail)),
  );
}

/** @param {UsageLine} line */
function secondText({ seconds }) {
  return seconds.length > 1 ? `${seconds[0]} + ${seconds.length - 1}` : (seconds[0] ?? '–');
}

/** @param {Pick<UsageLine, 'errors' | 'requests'>} line */
function errorShareOf({ errors, requests }) {
  return requests === 0 ? 0 : errors / requests;
}

/** @param {Pick<UsageLine, 'errors' | 'requests'>} line */
function errorCell(line) {
  const share = errorShareOf(line);
  return share >= MANY_ERRORS ? h('span', { class: 'bad' }, percent(share)) : percent(share);
}

/** @param {Pick<UsageLine, 'cachedTokens' | 'promptTokens'>} line */
function cachedShare({ cachedTokens, promptTokens }) {
  return promptTokens === 0 ? 0 : cachedTokens / promptTokens;
}

/** @param {Pick<UsageLine, 'cachedTokens' | 'promptTokens'>} line */
function cachedCell(line) {
  return line.cachedTokens > 0 ? percent(cachedShare(line)) : NOTHING();
}

/**
 * Money with the share of the largest. What has no price is not free, and neither is $0.
 * @param {Pick<UsageLine, 'costNano' | 'unpriced'>} line
 * @param {number} most
 */
export function costCell({ costNano, unpriced }, most) {
  const noPrice =
    unpriced > 0 &&
    h('span', { class: 'badge warn' }, costNano === null ? 'no price' : `+ ${number(unpriced)} no price`);
  if (costNano === null) return noPrice || NOTHING();
  if (costNano === 0) return [h('span', { class: 'muted' }, 'free '), noPrice];
  const text = h('span', null, money(costNano / 1e9));
  const figure = most > 0 ? h('span', { class: 'share' }, text, cellBar({ share: costNano / most })) : text;
  return [noPrice, ' ', figure];
}

/** @param {Parameters<typeof perMillion>[0]} line */
function millionCell(line) {
  const usd = perMillion(line);
  return usd === null ? NOTHING() : money(usd);
}

/**
 * @param {UsageLine['lastUse']} use
 * @param {'hour' | 'day'} bucket
 */
function lastUseText(use, bucket) {
  if (use === null) return '–';
  if (use.isExact) return shortAge(use.atMs);
  const isToday = new Date(use.atMs).toDateString() === new Date().toDateString();
  if (bucket === 'hour') return `${isToday ? '' : `${day(use.atMs)}, `}${clockTime(use.atMs).slice(0, 5)}`;
  return isToday ? 'today' : day(use.atMs);
}
