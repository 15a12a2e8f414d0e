import type { HealthShare } from './gateway/health.ts';
import { openBudgets } from './limits/budget-file.ts';
import { budgetsInMemory, type KeptBudgets } from './limits/budgets.ts';
import type { Gate } from './limits/limits.ts';
import type { Logger } from './logger.ts';
import type { Ledger, UsageLedger } from './usage/ledger/ledger.ts';
import { createMemoryLedger, openLedger } from './usage/ledger/open-ledger.ts';
import { type CallLog, openRequestLog, RequestLog } from './usage/request-log.ts';

/** What is kept of finished calls: the ledger's sums, the request log's entries, and the budgets' counters. */
export interface Books {
  readonly ledger: Ledger;
  readonly requestLog: CallLog;
  readonly budgets: KeptBudgets;
  /** What several instances share; absent: this process is the only one. */
  readonly shared?: SharedParts;
}

/** What replaces or joins the services of a single process. */
export interface SharedParts {
  readonly gate: Gate;
  readonly health: HealthShare;
  /** True for one of the instances: what one of them does for all is done there. */
  isFirst(): boolean;
}

/** Books of this process alone. */
export interface OwnBooks extends Books {
  readonly ledger: UsageLedger;
}

export interface BooksOptions {
  /** The folder beside the database; null: they are in memory only. */
  readonly folder: string | null;
  /** The size of the request log on the disk. */
  readonly requestLogBytes: number;
  /** Finds the off-site copy of the ledger for an empty folder; must not throw. */
  readonly findArchive?: () => Promise<Buffer | null>;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Opens the books. Never throws: what cannot be read or written is kept in memory until the next start. */
export async function openBooks(options: BooksOptions): Promise<OwnBooks> {
  const { folder, requestLogBytes, logger, now } = options;
  // First, because it fills an empty folder from a copy.
  const ledger = await openLedger(options);
  const requestLog = await openRequestLog({ folder, limitBytes: requestLogBytes, logger });
  const budgets = await openBudgets({ folder, logger, now });
  return { ledger, requestLog, budgets };
}

/** Books that end with the process. */
export function booksInMemory({ logger, now }: Pick<BooksOptions, 'logger' | 'now'>): Books {
  const requestLog = new RequestLog({ folder: null, limitBytes: 0, logger });
  return { ledger: createMemoryLedger({ logger, now }), requestLog, budgets: budgetsInMemory(now) };
}

/** Writes what is not yet written. Call it while the store's lock is held: another process may open the books after that. */
export async function closeBooks({ ledger, requestLog, budgets }: Books): Promise<void> {
  await Promise.all([ledger.close(), requestLog.close(), budgets.close()]);
}
