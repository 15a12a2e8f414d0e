import { isRecord } from '../json/value.ts';
import { DEFAULT_PERIOD } from '../limits/periods.ts';
import type { ApiKey, Limits, User } from '../store/entities.ts';
import { LIMIT_RULES, NO_LIMITS } from '../store/limit-rules.ts';
import { isBlank, wrong } from './fields.ts';

/**
 * Reads the field `limits`, which is replaced as a whole. Absent and empty members are null, and limits that are all null are
 * none; a budget without a period is by month. @throws HttpError `invalid_value`.
 */
export function toLimits(value: unknown, param: string): Limits | null {
  if (value === null) return null;
  if (!isRecord(value)) throw wrong(param, 'must be null or an object such as {"rpm": 60}');
  const given = Object.entries(LIMIT_RULES).map(([name, rule]) => {
    const member = isEmpty(value[name]) ? null : trimmed(value[name]);
    if (member !== null && !rule.isRight(member)) throw wrong(`${param}.${name}`, `must be ${rule.expected}`);
    return [name, member] as const;
  });
  if (given.every(([, member]) => member === null)) return null;
  const limits: Limits = { ...NO_LIMITS, ...Object.fromEntries(given) };
  const hasBudget = limits.budgetUsd !== null || limits.budgetTokens !== null;
  return hasBudget ? { ...limits, budgetPeriod: limits.budgetPeriod ?? DEFAULT_PERIOD } : limits;
}

/** Forms send "" and an empty list for what is left empty. */
function isEmpty(value: unknown): boolean {
  return isBlank(value) || (Array.isArray(value) && value.length === 0);
}

function trimmed(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown) => (typeof item === 'string' ? item.trim() : item));
}

/** The limits that can be compared by themselves. */
const RATES = ['rpm', 'tpm', 'concurrency'] as const;
const BUDGETS = ['budgetUsd', 'budgetTokens'] as const;

/**
 * For keys that users make: no limit of the key may be looser than the same limit of its user.
 * @throws HttpError `invalid_value`.
 */
export function requireLimitsWithin(key: ApiKey, owner: User): void {
  if (key.limits === null || owner.limits === null) return;
  const isSamePeriod = key.limits.budgetPeriod === owner.limits.budgetPeriod;
  for (const name of isSamePeriod ? [...RATES, ...BUDGETS] : RATES) {
    const most = owner.limits[name];
    if ((key.limits[name] ?? 0) <= (most ?? Number.POSITIVE_INFINITY)) continue;
    throw wrong(`limits.${name}`, `must be ${most} or less, which is the limit of your account`);
  }
}
