import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../logger.ts';
import { appendCheckedLines, readCheckedLines, writeCheckedLines } from '../store/checked-lines.ts';
import type { OwnerKind } from '../store/entities.ts';
import { errorCode, type FileOps, nodeFileOps } from '../store/file-ops.ts';
import { giveTurn } from '../turns.ts';
import { BUDGETS_FILE } from '../usage/ledger/archive.ts';
import type { Grant } from './account.ts';
import { parseCounters, toText } from './budget-lines.ts';
import { Budgets, budgetsInMemory, type KeptBudgets } from './budgets.ts';
import type { LimitedOwner } from './owner.ts';

export interface OpenBudgetsOptions {
  /** null: nothing is kept. */
  readonly folder: string | null;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly ops?: FileOps;
  readonly writeMs?: number;
}

/**
 * Opens the budgets that are kept in a folder, which is made where it is missing. Where the disk fails, they are kept in memory
 * until the next start, and the log says so.
 */
export async function openBudgets(options: OpenBudgetsOptions): Promise<KeptBudgets> {
  const { folder, logger, now, ops = nodeFileOps, writeMs } = options;
  if (folder === null) return budgetsInMemory(now);
  const budgets = new Budgets(now);
  const path = join(folder, BUDGETS_FILE);
  const file = new BudgetFile({ budgets, ops, path, logger, ...(writeMs === undefined ? {} : { writeMs }) });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await file.open();
    return file;
  } catch (error) {
    const message = 'The counted budgets cannot be read; they are kept in memory until the next start.';
    logger.warn('budgets.unavailable', { code: errorCode(error), message });
    return budgetsInMemory(now);
  }
}

export interface BudgetFileOptions {
  readonly budgets: Budgets;
  readonly ops: FileOps;
  /** Its folder exists. */
  readonly path: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** How long changes may wait before they are written, if not a second. */
  readonly writeMs?: number;
}

const WRITE_MS = 1_000;
/** After a failed write. */
const RETRY_MS = 5_000;
/** The file is rewritten when it has more lines than two for each owner and this many. */
const SPARE_LINES = 2_000;
/** More than any file that this server writes: 100,000 owners with 4 KB each. */
const LIMIT_BYTES = 400 * 1024 * 1024;

/**
 * Keeps what was used on the disk: absolute counters, one line for each owner that has changed. The last line of an owner counts.
 * Changes are written a second after the first of them, never on the path of a request.
 */
export class BudgetFile implements KeptBudgets {
  readonly budgets: Budgets;
  readonly #options: BudgetFileOptions;
  #timer: NodeJS.Timeout | null = null;
  #lines = 0;
  #isFailing = false;
  #isDamaged = false;
  #isClosed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: BudgetFileOptions) {
    this.budgets = options.budgets;
    this.#options = options;
  }

  /**
   * Reads the counters that were kept, and keeps them from now on.
   * @throws the system's error if the file cannot be read at all.
   */
  async open(): Promise<void> {
    const { budgets, ops, path } = this.#options;
    this.#isDamaged = await readCheckedLines(ops, path, {
      limitBytes: LIMIT_BYTES,
      onText: (text) => {
        this.#lines += 1;
        const counters = parseCounters(text);
        if (counters !== null) budgets.restore(counters);
      },
    });
    budgets.onChange(this.#schedule);
  }

  /** True if some counters were damaged and are set aside. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Resolves when the grant is written; a failing disk is tried again later. */
  grant(kind: OwnerKind, owner: LimitedOwner, grant: Grant): Promise<void> {
    this.budgets.grant(kind, owner, grant);
    return this.save();
  }

  /** Resolves when the reset is written; a failing disk is tried again later. */
  reset(kind: OwnerKind, id: string): Promise<void> {
    this.budgets.reset(kind, id);
    return this.save();
  }

  /** Writes all changes. A failing disk is logged and tried again later. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Writes all changes for the last time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Requests whose connections were closed just now are counted within two turns.
    await giveTurn();
    await giveTurn();
    await this.save();
  }

  readonly #schedule = (): void => {
    if (this.#isClosed || this.#timer !== null) return;
    const waitMs = this.#isFailing ? RETRY_MS : (this.#options.writeMs ?? WRITE_MS);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.save();
    }, waitMs).unref();
  };

  async #write(): Promise<void> {
    const { budgets, ops, path, logger } = this.#options;
    const changed = budgets.takeChanged();
    if (changed.length === 0) return;
    const isLong = this.#lines + changed.length > 2 * budgets.size + SPARE_LINES;
    try {
      if (isLong) {
        budgets.prune();
        const texts = budgets.all().map(toText);
        await writeCheckedLines(ops, path, texts);
        this.#lines = texts.length;
      } else {
        const texts = changed.map(({ kind, id, account }) =>
          toText({ kind, id, counters: account.counters }),
        );
        await appendCheckedLines(ops, path, texts);
        this.#lines += texts.length;
      }
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        logger.warn('budgets.unwritten', { code: errorCode(error), message: 'Budgets cannot be written.' });
      }
      this.#isFailing = true;
      for (const owner of changed) budgets.noteChange(owner);
    }
  }
}
