import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { patchChildren } from '../lib/patch.js';
import { columnsOf, costCell } from './usage-columns.js';

/** @import { UsageLine } from './usage-lines.js' */

/** More are drawn on demand. */
const FIRST_LINES = 200;

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
  // The note below the table says how many have no price.
  const unpriced = totals.costNano === null ? totals.unpriced : 0;
  const line = { id: null, name: totalName, seconds: [], lastUse: null, ...totals, unpriced };
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
