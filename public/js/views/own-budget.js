import { progressBar } from '../lib/budget-bar.js';
import { budgetState, paceText } from '../lib/budget-pace.js';
import { compact, day, money, number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { periodText, resetTime } from '../lib/limits.js';
import { serverNow } from '../lib/server-clock.js';

/**
 * @import { BudgetState } from '../lib/budget-pace.js'
 * @import { Limits, PeriodUsage } from '../lib/types.js'
 */

/**
 * What is left to a user, and the limits, as parts of a card.
 * @param {{ limits: Limits | null, usage: PeriodUsage }} me
 * @returns {HTMLElement[]}
 */
export function ownBudget(me) {
  const budget = budgetState(me, serverNow());
  const rows = limitRows(me.limits, budget);
  return [
    h('div', { class: 'left-hero' }, ...(budget === null ? usedParts(me.usage) : leftParts(budget))),
    h(
      'ul',
      { class: 'lines' },
      ...rows.map(([name, value]) =>
        h('li', null, h('span', { class: 'muted grow' }, name), h('span', { class: 'num' }, value)),
      ),
    ),
  ];
}

/** @param {PeriodUsage} usage */
function usedParts(usage) {
  return [
    h('h2', { id: 'left' }, `Used ${periodText(usage)}`),
    h(
      'p',
      { class: 'row between' },
      h('span', { class: 'big' }, money(usage.costUsd)),
      h('span', { class: 'muted num' }, 'no budget'),
    ),
    h(
      'p',
      { class: 'small muted' },
      `${compact(usage.tokens)} tokens in ${number(usage.requests)} requests.`,
    ),
  ];
}

/** @param {BudgetState} budget */
function leftParts(budget) {
  const { used, limit, format, share, kind, warnPercent, usage } = budget;
  const left = Math.max(limit - used, 0);
  const again =
    usage.resetsAt === null ? 'It does not start again.' : `Starts again on ${resetTime(usage.resetsAt)}.`;
  const pace = paceText(budget);
  return [
    h('h2', { id: 'left' }, `Left ${periodText(usage)}`),
    h(
      'p',
      { class: 'row between' },
      h('span', { class: `big ${kind === 'bad' ? 'bad' : ''}` }, format(left).replace(/ tokens$/, '')),
      h('span', { class: 'muted num' }, `of ${format(limit)}`),
    ),
    progressBar({ percent: share * 100, kind, markPercent: warnPercent }),
    h(
      'p',
      { class: `small ${kind === 'ok' ? 'muted' : kind}` },
      kind === 'bad' ? `Used up. ${again}` : `${again}${pace && ` ${pace}.`}`,
    ),
  ];
}

/**
 * @param {Limits | null} limits
 * @param {BudgetState | null} budget
 * @returns {[string, string][]}
 */
function limitRows(limits, budget) {
  /** @type {[string, string | null][]} */
  const rows = [
    ['Requests a minute', countText(limits?.rpm)],
    ['Tokens a minute', countText(limits?.tpm)],
    ['At the same time', countText(limits?.concurrency)],
  ];
  if (budget !== null) {
    const { limit, warnPercent, format, usage } = budget;
    const { resetsAt } = usage;
    rows.push(['Nearly used up at', `${warnPercent}\u202f%, ${format((limit * warnPercent) / 100)}`]);
    rows.push(['When it is used up', `requests stop${resetsAt === null ? '' : ` until ${day(resetsAt)}`}`]);
  }
  const given = rows.flatMap(([name, value]) =>
    value === null ? [] : [/** @type {[string, string]} */ ([name, value])],
  );
  return given.length > 0 ? given : [['Limits', 'none']];
}

/** @param {number | null | undefined} value */
function countText(value) {
  return value === null || value === undefined ? null : number(value);
}
