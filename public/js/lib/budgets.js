/**
 * How much of a budget is used, and until when it lasts. No DOM.
 *
 * @typedef {{
 *   rpm: number | null, tpm: number | null, concurrency: number | null, budgetUsd: number | null,
 *   budgetTokens: number | null, budgetPeriod: string | null, warnPercent: number | null,
 * }} Limits
 * @typedef {{
 *   period: string, resetsAt: string | null, costUsd: number, tokens: number, requests: number, grantedUsd: number,
 *   grantedTokens: number,
 * }} PeriodUsage
 * @typedef {{ limits: Limits | null, usage: PeriodUsage }} Budgeted a key or a user
 * @typedef {{
 *   used: number, limit: number, unit: 'usd' | 'tokens', warnPercent: number, kind: import('./budget-bar.js').BudgetKind,
 *   share: number, usage: PeriodUsage, spentAtMs: number | null,
 * }} BudgetState share: 1 is all of it; spentAtMs: when it is used up at this pace, null where it is not before the reset
 */

import { budgetKind } from './budget-bar.js';
import { compact, money } from './format.js';
import { periodStart } from './traffic-span.js';

const DAY_MS = 86_400_000;
/** Less of a period says nothing of its rest. */
const LEAST_DAYS = 3;
const WARN_PERCENT = 80;

/**
 * The budget that is nearer to its end, in money or tokens; null where there is none.
 * @param {Budgeted} owner
 * @param {number} nowMs
 * @returns {BudgetState | null}
 */
export function budgetOf({ limits, usage }, nowMs) {
  if (!limits || !usage) return null;
  const warnPercent = limits.warnPercent ?? WARN_PERCENT;
  const budgets = [
    {
      unit: /** @type {const} */ ('usd'),
      used: usage.costUsd,
      limit: sum(limits.budgetUsd, usage.grantedUsd),
    },
    {
      unit: /** @type {const} */ ('tokens'),
      used: usage.tokens,
      limit: sum(limits.budgetTokens, usage.grantedTokens),
    },
  ];
  const states = budgets.flatMap(({ unit, used, limit }) =>
    limit === null
      ? []
      : [
          {
            unit,
            used,
            limit,
            warnPercent,
            usage,
            share: limit === 0 ? 1 : used / limit,
            kind: budgetKind(used, limit, warnPercent),
            spentAtMs: spentAt({ used, limit }, usage, nowMs),
          },
        ],
  );
  return states.sort((a, b) => b.share - a.share)[0] ?? null;
}

/**
 * An amount of a budget: `$36.80`, `1.2 M tokens`.
 * @param {number} amount
 * @param {BudgetState['unit']} unit
 */
export function budgetAmount(amount, unit) {
  return unit === 'usd' ? money(amount) : `${compact(amount)} tokens`;
}

/**
 * @param {number | null} limit
 * @param {number} granted
 */
function sum(limit, granted) {
  return limit === null ? null : limit + granted;
}

/**
 * @param {{ used: number, limit: number }} budget
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
