import type { Books } from '../books.ts';
import { callEntryOf } from '../gateway/call-entry.ts';
import type { ClosedRecord } from '../gateway/record.ts';
import { UnfinishedWork } from '../gateway/unfinished-work.ts';
import type { Settlement } from '../limits/account.ts';
import { budgetStates } from '../limits/budget-state.ts';
import { periodOf } from '../limits/budgets.ts';
import type { Gate, Reservation } from '../limits/limits.ts';
import type { Owner } from '../limits/owner.ts';
import { SlidingWindow } from '../limits/windows.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { ApiKey, Principal, User } from '../store/entities.ts';
import type { NoteBudget } from '../usage/budget-alerts.ts';
import type { CallEntry } from '../usage/call-entry.ts';

const WARN_PERCENT = 80;

export interface BookkeepingOptions {
  readonly metrics: ServerMetrics;
  readonly limits: Gate;
  readonly books: Books;
  /** Tells of budgets that are nearly or wholly used. */
  readonly noteBudget: NoteBudget;
}

/** Creates the function that counts each finished request, once: in metrics, limits, ledger, request log and alerts. */
export function createBookkeeping({
  metrics,
  limits,
  books,
  noteBudget,
}: BookkeepingOptions): (closed: ClosedRecord) => void {
  const { ledger, requestLog } = books;
  const strangers = new StrangersShare();
  const unfinished = new UnfinishedWork();
  return (closed) => {
    const { reservation } = closed;
    let entry: CallEntry | null = null;
    try {
      entry = callEntryOf(unfinished.settle(closed));
    } finally {
      // First, and whatever happens: what stays reserved would never be free again.
      if (reservation !== null) limits.settle(reservation, settlementOf(entry));
    }
    metrics.countRequest(closed);
    if (entry === null) return;
    ledger.book(entry);
    if (strangers.admits(closed)) requestLog.add(entry);
    metrics.countCall(entry);
    if (reservation === null) return;
    noteBudgets(reservation, closed.principal, { noteBudget, nowMs: closed.endedAtMs });
  };
}

/** The most entries a minute of requests without a valid key: a flood of them must not wash all others out of the log. */
const STRANGERS_PER_MINUTE = 60;

class StrangersShare {
  readonly #window = new SlidingWindow();

  /** True for a request of somebody who is known, and for as many others as have room. */
  admits({ principal, endedAtMs }: ClosedRecord): boolean {
    if (principal.kind !== 'nobody') return true;
    if (this.#window.sumAt(endedAtMs) >= STRANGERS_PER_MINUTE) return false;
    this.#window.add(endedAtMs, 1);
    return true;
  }
}

interface NoteOptions {
  readonly noteBudget: NoteBudget;
  readonly nowMs: number;
}

/** Notes the budgets of the key and the user of a call. */
function noteBudgets({ key, user }: Reservation, principal: Principal, options: NoteOptions): void {
  if (principal.kind !== 'key' && principal.kind !== 'user') return;
  if (key !== null && principal.kind === 'key') noteOwner(key, principal.key, options);
  if (user !== null && principal.user !== null) noteOwner(user, principal.user, options);
}

function noteOwner(owner: Owner, { name, limits }: ApiKey | User, { noteBudget, nowMs }: NoteOptions): void {
  if (limits === null) return;
  const period = periodOf(limits);
  const periodStartMs = owner.account.at(period, nowMs).startMs;
  const warnPercent = limits.warnPercent ?? WARN_PERCENT;
  const named = { kind: owner.kind, id: owner.id, name };
  for (const { unit, used, limit } of budgetStates(owner, limits, nowMs)) {
    noteBudget({ owner: named, period, periodStartMs, limitKind: unit, used, limit, warnPercent });
  }
}

function settlementOf(entry: CallEntry | null): Settlement | null {
  if (entry === null || entry.usage === null) return null;
  const { usage, costNanoUsd } = entry;
  const tokens = (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0);
  return { tokens, costNanoUsd: costNanoUsd ?? 0 };
}
