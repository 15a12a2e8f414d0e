import type { BudgetPeriod, OwnerKind } from '../store/entities.ts';
import type { AlertMemory } from './alert-memory.ts';
import type { AlertOutlet } from './alerts.ts';
import { toUsd } from './money.ts';

/** How much of a budget is used. */
export interface BudgetNote {
  readonly owner: { readonly kind: OwnerKind; readonly id: string; readonly name: string };
  readonly period: BudgetPeriod;
  /** When the present period began, in milliseconds since the epoch; a reset begins a new one. */
  readonly periodStartMs: number;
  readonly limitKind: 'usd' | 'tokens';
  /** In nano-dollars, or tokens; so is `limit`, with what was granted. */
  readonly used: number;
  readonly limit: number;
  /** The share of the limit at which a warning is sent. */
  readonly warnPercent: number;
}

/** Takes notes of budgets; cheap enough to be called after every call. */
export type NoteBudget = (note: BudgetNote) => void;

/**
 * Makes the function that tells of budgets: `budget.warning` and `budget.spent`, each once per owner and period. Whoever has
 * spent a budget is not warned afterwards.
 */
export function createBudgetAlerts(alerts: AlertOutlet, memory: AlertMemory): NoteBudget {
  return (note) => {
    const { owner, used, limit, warnPercent, periodStartMs } = note;
    if (used * 100 < limit * warnPercent && used < limit) return;
    if (!alerts.isOn) return;
    const nameOf = (type: string): string => `${type}:${owner.kind}:${owner.id}`;
    const isSpent = used >= limit;
    const type = isSpent ? 'budget.spent' : 'budget.warning';
    if (isSpent) memory.skip(nameOf('budget.warning'), periodStartMs);
    memory.once(nameOf(type), periodStartMs, () => alerts.send(type, dataOf(note)));
  };
}

function dataOf({
  owner,
  period,
  periodStartMs,
  limitKind,
  used,
  limit,
}: BudgetNote): Record<string, unknown> {
  const periodStart = new Date(periodStartMs).toISOString();
  const amounts =
    limitKind === 'usd'
      ? { usedUsd: toUsd(used), limitUsd: toUsd(limit) }
      : { usedTokens: used, limitTokens: limit };
  return { owner, period, periodStart, ...amounts };
}
