import type { Limits } from '../store/entities.ts';
import { toNanoUsd } from '../usage/money.ts';
import { periodOf } from './budgets.ts';
import type { Owner } from './owner.ts';

/** How much of a budget is used; in nano-dollars or tokens. */
export interface BudgetState {
  readonly unit: 'usd' | 'tokens';
  /** By calls that have ended. */
  readonly used: number;
  /** By calls that are running. */
  readonly reserved: number;
  /** The budget, and what was granted on top. */
  readonly limit: number;
}

/** The state of each budget that an owner's limits set, in their present period. */
export function budgetStates(owner: Owner, limits: Limits, nowMs: number): readonly BudgetState[] {
  const { budgetUsd, budgetTokens } = limits;
  if (budgetUsd === null && budgetTokens === null) return [];
  const counter = owner.account.at(periodOf(limits), nowMs);
  const states: BudgetState[] = [];
  if (budgetUsd !== null) {
    const limit = toNanoUsd(budgetUsd) + counter.grantedNanoUsd;
    states.push({ unit: 'usd', used: counter.costNanoUsd, reserved: owner.reservedNanoUsd, limit });
  }
  if (budgetTokens !== null) {
    const limit = budgetTokens + counter.grantedTokens;
    states.push({ unit: 'tokens', used: counter.tokens, reserved: owner.reservedTokens, limit });
  }
  return states;
}
