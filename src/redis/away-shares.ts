import { periodOf } from '../limits/budgets.ts';
import type { LimitedOwner } from '../limits/owner.ts';
import type { Limits, OwnerKind } from '../store/entities.ts';
import { toNanoUsd, toUsd } from '../usage/money.ts';
import { nameOf, type SharedBudgets } from './shared-budgets.ts';

/** What was known of an owner's budget when the engine was first missed. */
interface Known {
  readonly startMs: number;
  readonly costNanoUsd: number;
  readonly tokens: number;
}

/** This instance's share of limits while the engine is away: what was left, divided by the instances that lived last. */
export class AwayShares {
  readonly #shared: SharedBudgets;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** The last connection before the engine was missed. */
  #epoch = '';

  constructor(shared: SharedBudgets, now: () => number) {
    this.#shared = shared;
    this.#now = now;
  }

  /** The limits that hold for an owner on this instance alone. */
  of(kind: OwnerKind, { id, limits }: LimitedOwner): Limits | null {
    const { instances, epoch } = this.#shared;
    // The engine was there between this time and the last.
    if (epoch !== this.#epoch) this.#known.clear();
    this.#epoch = epoch;
    if (limits === null || instances === 1) return limits;
    const share = (limit: number | null): number | null => {
      return limit === null ? null : Math.max(1, Math.floor(limit / instances));
    };
    return {
      ...limits,
      rpm: share(limits.rpm),
      tpm: share(limits.tpm),
      concurrency: share(limits.concurrency),
      ...this.#budgets(nameOf(kind, id), { kind, id, limits }),
    };
  }

  #budgets(
    name: string,
    { kind, id, limits }: { readonly kind: OwnerKind; readonly id: string; readonly limits: Limits },
  ): Pick<Limits, 'budgetUsd' | 'budgetTokens'> {
    const { budgets, instances } = this.#shared;
    const { budgetUsd, budgetTokens } = limits;
    if (budgetUsd === null && budgetTokens === null) return { budgetUsd, budgetTokens };
    const counter = budgets.ownerOf(kind, id).account.at(periodOf(limits), this.#now());
    const known = this.#known.get(name) ?? { ...counter };
    this.#known.set(name, known);
    // In a new period nothing was used yet.
    const isSame = known.startMs === counter.startMs;
    const share = (budget: number, granted: number, used: number): number => {
      const spent = isSame ? used : 0;
      return spent + (budget + granted - spent) / instances - granted;
    };
    const { grantedNanoUsd, grantedTokens } = counter;
    return {
      budgetUsd:
        budgetUsd === null
          ? null
          : toUsd(Math.floor(share(toNanoUsd(budgetUsd), grantedNanoUsd, known.costNanoUsd))),
      budgetTokens:
        budgetTokens === null ? null : Math.floor(share(budgetTokens, grantedTokens, known.tokens)),
    };
  }
}
