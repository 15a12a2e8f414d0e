import { progressBar } from '../lib/budget-bar.js';
import { allBudgets, paceText } from '../lib/budget-pace.js';
import { day } from '../lib/format.js';
import { h } from '../lib/h.js';
import { patchChildren } from '../lib/patch.js';
import { serverNow } from '../lib/server-clock.js';
import { periodName } from '../lib/traffic-span.js';
import { placeLink } from './needs-card.js';

/**
 * @import { BudgetOwner, BudgetState } from '../lib/budget-pace.js'
 */

const SHOWN = 5;

/**
 * The card with the budgets that are used most.
 * @param {{ navigate: import('../pages/admin.js').Navigate }} context
 */
export function createBudgetsCard({ navigate }) {
  const title = h('h2', { id: 'budgets' }, 'Budgets');
  const list = h('ul', { class: 'lines' });
  const none = h(
    'p',
    { class: 'card-body muted' },
    'No key and no user has a budget. Set one where you edit them, so that nobody spends more than you want.',
  );
  const element = h(
    'section',
    { class: 'card w6', 'aria-labelledby': 'budgets' },
    h(
      'div',
      { class: 'card-head' },
      title,
      h('span', { class: 'push' }, placeLink('All keys', { tab: 'keys' }, navigate)),
    ),
    list,
    none,
  );
  return {
    element,
    /** @param {{ keys: readonly BudgetOwner[], users: readonly BudgetOwner[] }} owners */
    update(owners) {
      const shown = allBudgets(owners, serverNow()).slice(0, SHOWN);
      const periods = new Set(shown.map(({ budget }) => periodName(budget.usage)));
      const [only] = periods.size === 1 ? periods : [];
      title.textContent = only === undefined ? 'Budgets' : `Budgets, ${only}`;
      none.hidden = shown.length > 0;
      patchChildren(
        list,
        shown.map(({ id, name, tab, budget }) => {
          const link = placeLink(name, { tab, params: { open: id } }, navigate);
          link.className = 'plain-link medium truncate';
          link.title = name;
          const period = only === undefined ? `, ${periodName(budget.usage)}` : '';
          return h('li', { 'data-act': `${tab}:${id}` }, budgetLine(link, budget, period));
        }),
      );
    },
  };
}

/**
 * @param {Node} name
 * @param {BudgetState} budget
 * @param {string} period
 */
function budgetLine(name, budget, period) {
  const { used, limit, format, share, kind, warnPercent } = budget;
  return h(
    'div',
    { class: 'budget-line' },
    name,
    h(
      'span',
      { class: 'num nowrap' },
      h('span', { class: 'medium' }, format(used).replace(/ tokens$/, '')),
      h('span', { class: 'muted' }, ` of ${format(limit)}`),
    ),
    progressBar({ percent: share * 100, kind, markPercent: warnPercent }),
    h('span', { class: `tiny ${kind === 'ok' ? '' : kind}` }, `${lastsText(budget)}${period}`),
    h('span', { class: 'tiny num' }, `${Math.floor(share * 100)}\u202f%`),
  );
}

/** @param {BudgetState} budget */
function lastsText(budget) {
  const { used, limit, format, kind, usage } = budget;
  const { resetsAt } = usage;
  if (kind === 'bad') return resetsAt === null ? 'Used up' : `Used up, starts again on ${day(resetsAt)}`;
  return (
    paceText(budget) || `${format(limit - used)} left${resetsAt === null ? '' : ` until ${day(resetsAt)}`}`
  );
}
