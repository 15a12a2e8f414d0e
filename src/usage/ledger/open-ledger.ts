import type { Logger } from '../../logger.ts';
import { errorCode, type FileOps, nodeFileOps } from '../../store/file-ops.ts';
import { DAY_MS, HOUR_MS } from './calendar.ts';
import { DiskFiles } from './disk-files.ts';
import { UsageLedger } from './ledger.ts';
import { MemoryFiles } from './memory-files.ts';
import { LastNames } from './names.ts';
import type { UsageQuery } from './query.ts';

export interface OpenLedgerOptions {
  /** Made if it is missing; null, or one that cannot be written: the ledger is in memory only. */
  readonly folder: string | null;
  readonly ops?: FileOps;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Finds an archive for a folder that holds nothing; must not throw. */
  readonly findArchive?: () => Promise<Buffer | null>;
}

/** The start waits so long for the check of all files, which then goes on by itself. */
const CHECK_WAIT_MS = 500;
const USUAL_DAYS = 30;

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
  if (options.findArchive !== undefined && files.hourDays().length + files.months().length === 0) {
    const archive = await options.findArchive();
    if (archive !== null) await takeOver(archive, { files, names, logger });
  }
  const ledger = new UsageLedger({ files, names, logger, now });
  await ledger.open();
  // Days that were not sealed before the last end are sealed after the check.
  const check = files.check().then(() => ledger.flush());
  void check.then(() => ledger.query(usualReport(now()))).catch(() => null);
  await Promise.race([check, pause(CHECK_WAIT_MS)]);
  return ledger;
}

/** What the list of models asks for. It is made once beforehand, so that the months of the common reports are read by then. */
function usualReport(nowMs: number): UsageQuery {
  const toMs = Math.ceil(nowMs / HOUR_MS) * HOUR_MS;
  const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - USUAL_DAYS * DAY_MS;
  return { fromMs, toMs, bucket: 'none', tzMinutes: 0, groupBy: ['model'], filters: {} };
}

/** Fills an empty folder. What is no archive is left out. */
async function takeOver(
  archive: Buffer,
  { files, names, logger }: { files: DiskFiles; names: LastNames; logger: Logger },
): Promise<void> {
  try {
    await files.unpack(archive);
    await files.open(names);
    logger.info('usage.loaded', { days: files.hourDays().length });
  } catch (error) {
    logger.warn('usage.not_loaded', { message: String(error) });
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });
}
