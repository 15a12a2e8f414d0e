/** What limits mean in words and figures. Amounts of the API are dollars and tokens. */
import { budgetKind } from './budget-bar.js';
import { compact, day, money } from './format.js';

/** @typedef {import('./types.js').Limits} Limits */
/** @typedef {import('./types.js').PeriodUsage} PeriodUsage */
/** @typedef {{ limits?: Limits | null, usage?: PeriodUsage }} Limited a key or a user */
/**
 * @typedef {{
 *   unit: 'usd' | 'tokens', used: number, limit: number, warnPercent: number, format: (value: number) => string,
 * }} Budget
 */

/** From this share of a budget on there is a warning, where the limits do not say another. */
const WARN_PERCENT = 80;

/** @type {Limits} */
export const NO_LIMITS = Object.freeze({
  rpm: null,
  tpm: null,
  concurrency: null,
  budgetUsd: null,
  budgetTokens: null,
  budgetPeriod: null,
  warnPercent: null,
  allowedIps: null,
});

/** @param {number} value */
const tokens = (value) => `${compact(value)} tokens`;

/**
 * The budget that is nearest to its end, with what was given once; null without a budget.
 * @param {Limited} owner
 * @returns {Budget | null}
 */
export function budgetOf({ limits, usage }) {
  if (!limits || !usage) return null;
  const warnPercent = limits.warnPercent ?? WARN_PERCENT;
  const { budgetUsd, budgetTokens } = limits;
  /** @type {Budget[]} */
  const budgets = [];
  if (budgetUsd !== null) {
    const limit = budgetUsd + usage.grantedUsd;
    budgets.push({ unit: 'usd', used: usage.costUsd, limit, warnPercent, format: money });
  }
  if (budgetTokens !== null) {
    const limit = budgetTokens + usage.grantedTokens;
    budgets.push({ unit: 'tokens', used: usage.tokens, limit, warnPercent, format: tokens });
  }
  return budgets.sort((a, b) => b.used / b.limit - a.used / a.limit)[0] ?? null;
}

/**
 * The present period in a sentence: `today`, `this week`, `in November`, `in all`.
 * @param {PeriodUsage} usage
 */
export function periodText({ period, resetsAt }) {
  if (period === 'day') return 'today';
  if (period === 'week') return 'this week';
  if (period === 'total' || resetsAt === null) return 'in all';
  const lastMs = Date.parse(resetsAt) - 1;
  const month = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' }).format(lastMs);
  return `in ${month}`;
}

/**
 * When a budget starts again, in the reader's time: `1 Dec, 01:00`.
 * @param {string} resetsAt
 */
export function resetTime(resetsAt) {
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${day(resetsAt)}, ${time.format(new Date(resetsAt))}`;
}

/**
 * What stands below a budget bar: when it opens again.
 * @param {Budget} budget
 * @param {PeriodUsage} usage
 */
export function resetNote(budget, { resetsAt }) {
  const isSpent = budgetKind(budget.used, budget.limit) === 'bad';
  if (resetsAt === null) return isSpent ? 'does not open again by itself' : 'never starts again';
  return `${isSpent ? 'opens again on' : 'starts again on'} ${resetTime(resetsAt)}`;
}

/**
 * The rates of limits in a few words: `60 / min · 3 at once`; empty without any.
 * @param {Limits | null | undefined} limits
 */
export function ratesText(limits) {
  const { rpm = null, tpm = null, concurrency = null } = limits ?? {};
  return [
    rpm !== null && `${compact(rpm)} / min`,
    tpm !== null && `${compact(tpm)} tokens / min`,
    concurrency !== null && `${compact(concurrency)} at once`,
  ]
    .filter(Boolean)
    .join(' · ');
}

const PERIOD_WORDS = { day: 'a day', week: 'a week', month: 'a month', total: 'in all' };

/**
 * The budget of limits in a few words: `$20.00 a month`; null without one.
 * @param {Limits | null | undefined} limits
 */
export function budgetText(limits) {
  const { budgetUsd = null, budgetTokens = null, budgetPeriod = null } = limits ?? {};
  const parts = [budgetUsd !== null && money(budgetUsd), budgetTokens !== null && tokens(budgetTokens)];
  const text = parts.filter(Boolean).join(' and ');
  return text === '' ? null : `${text} ${PERIOD_WORDS[budgetPeriod ?? 'month']}`;
}

/** @typedef {{ label: string, value: string, origin: string }} EffectiveLimit */

/**
 * What holds in the end for a key: of each limit the tighter one, of the key or of its user.
 * @param {Limited} key
 * @param {(Limited & { username: string }) | null} user
 * @returns {EffectiveLimit[]} only the limits that there are
 */
export function effectiveLimits(key, user) {
  const mine = 'this key';
  const theirs = user === null ? '' : `${user.username}, over all their keys`;
  /** @type {EffectiveLimit[]} */
  const rows = [];
  const budget = tighterBudget(budgetOf(key), user && budgetOf(user));
  if (budget !== null) {
    const value = `${budget.format(Math.max(0, budget.limit - budget.used))} left of ${budget.format(budget.limit)}`;
    rows.push({ label: 'Budget', value, origin: budget.isUsers ? theirs : mine });
  }
  for (const { name, label } of RATES) {
    const [own, shared] = [key.limits?.[name] ?? null, user?.limits?.[name] ?? null];
    if (own === null && shared === null) continue;
    const isUsers = own === null || (shared !== null && shared < own);
    rows.push({ label, value: compact(isUsers ? shared : own), origin: isUsers ? theirs : mine });
  }
  const addresses = [
    ...(key.limits?.allowedIps ? [{ value: key.limits.allowedIps.join(', '), origin: mine }] : []),
    ...(user?.limits?.allowedIps ? [{ value: user.limits.allowedIps.join(', '), origin: theirs }] : []),
  ];
  for (const row of addresses) rows.push({ label: 'Only from', ...row });
  return rows;
}

const RATES = /** @type {const} */ ([
  { name: 'rpm', label: 'Requests a minute' },
  { name: 'tpm', label: 'Tokens a minute' },
  { name: 'concurrency', label: 'At the same time' },
]);

/**
 * The budget that ends first: by what is left, or by the share where they count different things.
 * @param {Budget | null} own
 * @param {Budget | null} shared
 */
function tighterBudget(own, shared) {
  if (own === null || shared === null) {
    const one = own ?? shared;
    return one && { ...one, isUsers: own === null };
  }
  const isUsers =
    own.unit === shared.unit
      ? shared.limit - shared.used < own.limit - own.used
      : shared.used / shared.limit > own.used / own.limit;
  return { ...(isUsers ? shared : own), isUsers };
}

/**
 * What a change of a budget does, and where a key's limit is looser than its user's.
 * @param {Limits | null} next
 * @param {{ owner: Limited, user: (Limited & { username: string }) | null }} context
 * @returns {string[]} sentences
 */
export function changeNotes(next, { owner, user }) {
  const sentences = [];
  const budget = owner.usage ? budgetOf({ limits: next, usage: owner.usage }) : null;
  if (budget !== null) {
    const share = Math.floor((budget.used / budget.limit) * 100);
    const isSpent = budget.used >= budget.limit;
    const state = isSpent ? 'it is used up at once' : `it stands at ${share}\u202f%`;
    sentences.push(`With ${budget.format(budget.limit)} ${state}.`);
  }
  const most = user?.limits ?? null;
  const isSamePeriod = next?.budgetPeriod === most?.budgetPeriod;
  if (isSamePeriod && isLooser(next?.budgetUsd, most?.budgetUsd))
    sentences.push(`${user?.username} may spend only ${money(most?.budgetUsd)}, over all keys.`);
  if (isLooser(next?.rpm, most?.rpm))
    sentences.push(`${user?.username} may send only ${compact(most?.rpm)} requests a minute, over all keys.`);
  return sentences;
}

/**
 * @param {number | null | undefined} own
 * @param {number | null | undefined} most
 */
function isLooser(own, most) {
  return typeof own === 'number' && typeof most === 'number' && own > most;
}
