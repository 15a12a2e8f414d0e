import { createLogger } from '../../../src/logger.ts';
import { type FileOps, nodeFileOps } from '../../../src/store/file-ops.ts';
import type { CallEntry } from '../../../src/usage/call-entry.ts';
import type { UsageLedger } from '../../../src/usage/ledger/ledger.ts';
import { openLedger } from '../../../src/usage/ledger/open-ledger.ts';
import type { UsageQuery } from '../../../src/usage/ledger/query.ts';
import { toFigures, type UsageFigures } from '../../../src/usage/ledger/usage-figures.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const silentLogger = createLogger({ level: 'silent', now: () => 0, write: () => {} });

export interface LedgerClock {
  nowMs: number;
}

/** Opens a ledger whose clock a test moves; null: without a folder. */
export function openAt(
  folder: string | null,
  clock: LedgerClock,
  ops: FileOps = nodeFileOps,
): Promise<UsageLedger> {
  return openLedger({ folder, ops, logger: silentLogger, now: () => clock.nowMs });
}

/** Books calls as a server does: the clock shows the time of each call. */
export function bookAll(ledger: UsageLedger, calls: readonly CallEntry[], clock: LedgerClock): void {
  for (const call of calls) {
    clock.nowMs = call.endedAtMs;
    ledger.book(call);
  }
}

/** All that ever was, as one row. */
export const EVERYTHING: UsageQuery = {
  fromMs: 0,
  toMs: Date.parse('2100-01-01T00:00:00Z'),
  bucket: 'none',
  tzMinutes: 0,
  groupBy: [],
  filters: {},
};

export async function totalsOf(ledger: UsageLedger, query: Partial<UsageQuery> = {}): Promise<UsageFigures> {
  return toFigures((await ledger.query({ ...EVERYTHING, ...query })).totals);
}
