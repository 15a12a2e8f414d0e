/** How far a budget is used, and until when it lasts. No DOM. */
import { budgetKind } from './budget-bar.js';
import { day } from './format.js';
import { budgetOf } from './limits.js';
import { periodStart } from './traffic-span.js';

/**
 * @import { Budget, Limited } from './limits.js'
 * @import { PeriodUsage } from './types.js'
 * @typedef {Budget & {
 *   kind: import('./budget-bar.js').BudgetKind, share: number, usage: PeriodUsage, spentAtMs: number | null,
 * }} BudgetState share: 1 is all of it; spentAtMs: when it is used up at this pace, null where it is not before the reset
 * @typedef {Limited & { id: string, name: string, username?: string }} BudgetOwner a key or a user
 * @typedef {{ id: string, name: string, tab: 'keys' | 'users', budget: BudgetState }} OwnedBudget
 */

const DAY_MS = 86_400_000;
/** Less of a period says nothing of its rest. */
const LEAST_DAYS = 3;

/**
 * The budget that is nearest to its end; null without one.
 * @param {Limited} owner
 * @param {number} nowMs
 * @returns {BudgetState | null}
 */
export function budgetState(owner, nowMs) {
  const budget = budgetOf(owner);
  const { usage } = owner;
  if (budget === null || usage === undefined) return null;
  const { used, limit, warnPercent } = budget;
  return {
    ...budget,
    usage,
    share: used / limit,
    kind: budgetKind(used, limit, warnPercent),
    spentAtMs: spentAt(budget, usage, nowMs),
  };
}

/**
 * `At this pace used up on 24 Nov`; empty where it lasts, or where it is too early to tell.
 * @param {Pick<BudgetState, 'spentAtMs'>} budget
 */
export function paceText({ spentAtMs }) {
  return spentAtMs === null ? '' : `At this pace used up on ${day(spentAtMs)}`;
}

/**
 * The budgets of keys and users, the most used first.
 * @param {{ keys: readonly BudgetOwner[], users: readonly BudgetOwner[] }} owners
 * @param {number} nowMs
 * @returns {OwnedBudget[]}
 */
export function allBudgets({ keys, users }, nowMs) {
  /** @param {BudgetOwner} owner @param {OwnedBudget['tab']} tab @returns {OwnedBudget[]} */
  const withTab = (owner, tab) => {
    const budget = budgetState(owner, nowMs);
    return budget === null
      ? []
      : [{ id: owner.id, name: owner.name || owner.username || owner.id, tab, budget }];
  };
  const found = [
    ...keys.flatMap((key) => withTab(key, 'keys')),
    ...users.flatMap((user) => withTab(user, 'users')),
  ];
  return found.sort((a, b) => b.budget.share - a.budget.share);
}

/**
 * @param {Budget} budget
 * @param {PeriodUsage} usage
 * @param {number} nowMs
 */
function spentAt({ used, limit }, { period, resetsAt }, nowMs) {
  const startMs = periodStart(period, resetsAt);
  if (startMs === null || resetsAt === null || used <= 0 || used >= limit) return null;
  const pastMs = nowMs - startMs;
  if (pastMs < LEAST_DAYS * DAY_MS) return null;
  const spentMs = startMs + pastMs * (limit / used);
  return spentMs < Date.parse(resetsAt) ? spentMs : null;
}
