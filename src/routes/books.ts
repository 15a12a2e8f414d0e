import { callEntryOf } from '../gateway/call-entry.ts';
import type { ClosedRecord } from '../gateway/record.ts';
import type { LimitGate } from '../limits/limits.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { CallEntry } from '../usage/call-entry.ts';
import type { UsageLedger } from '../usage/ledger/ledger.ts';

export interface BooksOptions {
  readonly metrics: ServerMetrics;
  readonly limits: LimitGate;
  readonly ledger: Pick<UsageLedger, 'book'>;
}

/** Creates the function that tells all who count of each finished request, once. */
export function createBooks({ metrics, limits, ledger }: BooksOptions): (closed: ClosedRecord) => void {
  return (closed) => {
    metrics.countRequest(closed);
    const entry = callEntryOf(closed);
    if (entry === null) return;
    ledger.book(entry);
    if (closed.reservation !== null) limits.settle(closed.reservation, settlementOf(entry));
  };
}

function settlementOf({ usage, costNanoUsd }: CallEntry): { tokens: number; costNanoUsd: number } | null {
  if (usage === null) return null;
  const tokens = (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0);
  return { tokens, costNanoUsd: costNanoUsd ?? 0 };
}
