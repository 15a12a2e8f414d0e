import { money } from './format.js';
import { h, svg } from './h.js';

/** @typedef {'ok' | 'warn' | 'bad'} BudgetKind */

/**
 * @param {number} used
 * @param {number | null} limit
 * @param {number} [warnPercent]
 * @returns {BudgetKind} `warn` from the warning on, `bad` when it is used up
 */
export function budgetKind(used, limit, warnPercent = 80) {
  if (limit === null) return 'ok';
  if (used >= limit) return 'bad';
  return used * 100 >= limit * warnPercent ? 'warn' : 'ok';
}

/**
 * How much of a budget is used: figure, word and bar, with a notch where the warning begins.
 * @param {{
 *   used: number, limit: number | null, warnPercent?: number, format?: (value: number) => string, period?: string,
 *   note?: import('./h.js').Child, isWide?: boolean,
 * }} options limit: null is none; format: of both figures, money by default; period: `November`; note: below the bar
 */
export function budgetBar({ used, limit, warnPercent = 80, format = money, period, note, isWide = false }) {
  const kind = budgetKind(used, limit, warnPercent);
  const rest = limit === null ? 'no limit' : `of ${format(limit)}${period ? ` in ${period}` : ''}`;
  const figures = h('span', { class: 'num' }, format(used), ' ', h('span', { class: 'muted' }, rest));
  if (limit === null) return h('div', { class: 'budget' }, figures);
  const percent = limit === 0 ? 100 : Math.floor((used / limit) * 100);
  const word = kind === 'bad' ? 'used up' : `${percent}\u202f%${kind === 'warn' ? ' used' : ''}`;
  return h(
    'div',
    { class: `budget ${isWide ? 'wide' : ''}` },
    h(
      'div',
      { class: 'row between' },
      figures,
      h('span', { class: `small num ${kind === 'ok' ? 'muted' : kind}` }, word),
    ),
    progressBar({ percent, kind, markPercent: warnPercent }),
    note && h('div', { class: `tiny ${kind === 'ok' ? 'muted' : kind}` }, note),
  );
}

/**
 * A bar alone. Decorative: a figure stands beside it.
 * @param {{ percent: number, kind?: BudgetKind, markPercent?: number }} options markPercent: where the notch is
 */
export function progressBar({ percent, kind = 'ok', markPercent }) {
  const width = Math.min(Math.max(percent, 0), 100);
  return svg(
    'svg',
    { class: 'bar', 'aria-hidden': 'true' },
    svg('rect', { class: 'track', width: '100%', height: '100%' }),
    svg('rect', { class: `fill ${kind}`, width: `${width}%`, height: '100%' }),
    ...(markPercent === undefined || markPercent >= 100
      ? []
      : [svg('rect', { class: 'mark', x: `${markPercent}%`, width: 2, height: '100%' })]),
  );
}
