import { cellBar } from '../charts/cell-bar.js';
import { swatch } from '../charts/slots.js';
import { clockTime, compact, day, money, number, percent, plural, shortAge } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { patchChildren } from '../lib/patch.js';
import { openLink } from '../lib/row.js';
import { perMillion } from './usage-lines.js';

/** @import { UsageLine } from './usage-lines.js' */

/** More are drawn on demand. */
const FIRST_LINES = 200;
/** From this share on errors are red. */
const MANY_ERRORS = 0.05;
const NOTHING = () => h('span', { class: 'muted' }, '–');

/**
 * @typedef {{
 *   title: string, name: string, second: string | null, lines: readonly UsageLine[],
 *   totals: Omit<UsageLine, 'id' | 'name' | 'seconds' | 'lastUse'>, totalName: string,
 *   slotOf: (line: UsageLine) => number, bucket: 'hour' | 'day',
 *   hrefs: (line: UsageLine) => { filter: string, requests: string }, onFilter: (line: UsageLine) => void,
 * }} TableContent
 */
/**
 * @typedef {{
 *   id: string, label: string, class: string, title?: string, sort: (line: UsageLine) => number | string,
 *   cell: (line: UsageLine) => import('../lib/h.js').Child,
 * }} Column
 */

/** The table under the chart: a line for each of the group, sortable, with the totals. */
export function createUsageTable() {
  let sort = { id: 'cost', isDescending: true };
  let isWhole = false;
  /** @type {TableContent | null} */
  let content = null;
  const caption = h('caption', { class: 'sr' });
  const head = h('tr');
  const body = h('tbody');
  const foot = h('tfoot');
  const more = h('button', { type: 'button', class: 'btn small', onclick: showAll });
  const moreRow = h('div', { class: 'row card-foot', hidden: true }, more);
  const table = h('table', { class: 'table dense usage' }, caption, h('thead', null, head), body, foot);
  const element = h('div', { class: 'table-box' }, table, moreRow);

  function showAll() {
    isWhole = true;
    render();
  }

  /** @param {Column} column */
  function choose(column) {
    const isText = typeof column.sort(/** @type {UsageLine} */ (content?.lines[0])) === 'string';
    sort = { id: column.id, isDescending: sort.id === column.id ? !sort.isDescending : !isText };
    render();
  }

  function render() {
    if (content === null) return;
    const columns = columnsOf(content);
    const by = columns.find(({ id }) => id === sort.id) ?? columns[0];
    const lines = sorted(content.lines, by, sort.isDescending);
    const shown = isWhole ? lines : lines.slice(0, FIRST_LINES);
    caption.textContent = content.title;
    patchChildren(head, [...columns.map((column) => headCell(column, by)), actionsHead()]);
    patchChildren(
      body,
      shown.map((line) => bodyRow(line, columns, /** @type {TableContent} */ (content))),
    );
    patchChildren(foot, [footRow(columns, content)]);
    moreRow.hidden = shown.length === lines.length;
    more.textContent = `Show all ${number(lines.length)}`;
  }

  /**
   * @param {Column} column
   * @param {Column} by
   */
  function headCell(column, by) {
    const order = column.id !== by.id ? null : sort.isDescending ? 'descending' : 'ascending';
    const onclick = () => choose(column);
    return h(
      'th',
      { scope: 'col', class: column.class, title: column.title, 'aria-sort': order },
      h('button', { type: 'button', class: 'sort', 'data-act': `sort:${column.id}`, onclick }, column.label),
    );
  }

  return {
    element,
    /** @param {TableContent} next */
    show(next) {
      content = next;
      render();
    },
  };
}

/**
 * @param {TableContent} content
 * @returns {Column[]}
 */
function columnsOf({ name, second, lines, bucket, slotOf, hrefs, onFilter }) {
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
      class: 'r',
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
function costCell({ costNano, unpriced }, most) {
  const noPrice =
    unpriced > 0 &&
    h(
      'span',
      { class: 'badge warn' },
      costNano === null ? 'no price' : `+ ${number(unpriced)} without price`,
    );
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

function actionsHead() {
  return h('th', { scope: 'col', class: 'c1 acts-head' }, h('span', { class: 'sr' }, 'Actions'));
}

/**
 * @param {UsageLine} line
 * @param {readonly Column[]} columns
 * @param {TableContent} content
 */
function bodyRow(line, columns, { hrefs }) {
  const label = `Open ${line.name} in Requests`;
  const open =
    line.id !== null &&
    h(
      'a',
      {
        class: 'btn quiet small square on-hover',
        href: hrefs(line).requests,
        title: 'Open in Requests',
        'aria-label': label,
      },
      icon('requests'),
    );
  return h(
    'tr',
    { 'data-act': `line:${line.id}` },
    ...columns.map((column, index) =>
      index === 0
        ? h('th', { scope: 'row', class: column.class }, column.cell(line))
        : h('td', { class: column.class }, column.cell(line)),
    ),
    h('td', { class: 'c1 acts-cell' }, h('span', { class: 'acts' }, open)),
  );
}

/**
 * @param {readonly Column[]} columns
 * @param {TableContent} content
 */
function footRow(columns, { totals, totalName, lines }) {
  const line = { id: null, name: totalName, seconds: [], lastUse: null, ...totals };
  const empty = ['name', 'second', 'last'];
  return h(
    'tr',
    { 'data-act': `lines:${lines.length}` },
    h('th', { scope: 'row' }, totalName),
    ...columns
      .slice(1)
      .map(({ id, class: className, cell }) =>
        h(
          'td',
          { class: className },
          empty.includes(id) ? null : id === 'cost' ? costCell(line, 0) : cell(line),
        ),
      ),
    h('td', { class: 'c1' }),
  );
}

/**
 * @param {readonly UsageLine[]} lines
 * @param {Column} by
 * @param {boolean} isDescending
 */
function sorted(lines, by, isDescending) {
  const compare = (/** @type {UsageLine} */ one, /** @type {UsageLine} */ other) => {
    const [a, b] = [by.sort(one), by.sort(other)];
    if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b);
    return Number(a) - Number(b);
  };
  const sign = isDescending ? -1 : 1;
  return lines.toSorted((one, other) => sign * compare(one, other) || other.requests - one.requests);
}
