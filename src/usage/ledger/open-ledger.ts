import type { Logger } from '../../logger.ts';
import { errorCode, type FileOps, nodeFileOps } from '../../store/file-ops.ts';
import { DiskFiles } from './disk-files.ts';
import { UsageLedger } from './ledger.ts';
import { MemoryFiles } from './memory-files.ts';
import { LastNames } from './names.ts';

export interface OpenLedgerOptions {
  /** Made if it is missing; null, or one that cannot be written: the ledger is in memory only. */
  readonly folder: string | null;
  readonly ops?: FileOps;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The start waits so long for the check of all files, which then goes on by itself. */
const CHECK_WAIT_MS = 500;

/** Makes a ledger without a folder. */
export function createMemoryLedger(options: Pick<OpenLedgerOptions, 'logger' | 'now'>): UsageLedger {
  return new UsageLedger({ ...options, files: new MemoryFiles() });
}

/** Opens the ledger of a folder and begins to look for damage. Never throws. */
export async function openLedger(options: OpenLedgerOptions): Promise<UsageLedger> {
  const { folder, ops = nodeFileOps, logger, now } = options;
  if (folder === null) return createMemoryLedger(options);
  const files = new DiskFiles({ ops, folder, logger });
  const names = new LastNames();
  try {
    await files.open(names);
  } catch (error) {
    const message = 'The folder of usage cannot be written: usage is counted in memory until the next start.';
    logger.warn('usage.in_memory', { code: errorCode(error), message });
    return createMemoryLedger(options);
  }
  const ledger = new UsageLedger({ files, names, logger, now });
  await ledger.open();
  // Days that were not sealed before the last end are sealed after the check.
  const check = files.check().then(() => ledger.flush());
  await Promise.race([check, pause(CHECK_WAIT_MS)]);
  return ledger;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });
}
