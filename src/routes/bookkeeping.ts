import type { Books } from '../books.ts';
import { callEntryOf } from '../gateway/call-entry.ts';
import type { ClosedRecord } from '../gateway/record.ts';
import type { LimitGate } from '../limits/limits.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { CallEntry } from '../usage/call-entry.ts';

export interface BookkeepingOptions {
  readonly metrics: ServerMetrics;
  readonly limits: LimitGate;
  readonly books: Books;
}

/** Creates the function that tells all who count of each finished request, once. */
export function createBookkeeping({
  metrics,
  limits,
  books,
}: BookkeepingOptions): (closed: ClosedRecord) => void {
  const { ledger, requestLog } = books;
  return (closed) => {
    metrics.countRequest(closed);
    const entry = callEntryOf(closed);
    if (entry === null) return;
    ledger.book(entry);
    if (closed.reservation !== null) limits.settle(closed.reservation, settlementOf(entry));
    requestLog.add(entry);
    metrics.countCall(entry);
  };
}

function settlementOf({ usage, costNanoUsd }: CallEntry): { tokens: number; costNanoUsd: number } | null {
  if (usage === null) return null;
  const tokens = (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0);
  return { tokens, costNanoUsd: costNanoUsd ?? 0 };
}
