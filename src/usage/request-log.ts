import { BoundedMap } from '../bounded-map.ts';
import { HttpError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { errorCode, type FileOps, nodeFileOps } from '../store/file-ops.ts';
import { boundEntry } from './bounded-entry.ts';
import type { CallEntry } from './call-entry.ts';
import { KeptEntry, LineMemory } from './kept-entry.ts';
import { LogFiles } from './log-files.ts';
import { decodeEntry } from './log-line.ts';
import { type LogPage, type LogQuery, type LogSource, readPage, readRecent } from './log-pages.ts';
import { pageReadings } from './reading-queue.ts';

/** The entries that stay in memory once they are written. */
const KEPT = 1_000;
/** The most entries that may wait for the disk; beyond it the oldest are lost. */
const UNWRITTEN_LIMIT = 10_000;
/** What one write takes, so that no turn of the event loop is long. */
const BATCH = { entries: 1_024, bytes: 512 * 1024 } as const;
/** An entry with a longer line, in characters, stays in memory only. */
const LINE_LIMIT = 32 * 1024;
const WRITE_DELAY_MS = 1_000;
const RETRY_DELAY_MS = 10_000;
const CURSORS_LIMIT = 500;
/** 32 MiB. */
const PIECES_PER_PAGE = 512;

export interface RequestLogOptions {
  /** null: the log lives in memory alone. */
  readonly folder: string | null;
  /** What the files together may hold; 0: the log lives in memory alone. */
  readonly limitBytes: number;
  readonly logger: Logger;
  readonly ops?: FileOps;
  readonly retryDelayMs?: number;
  /** What one page may read of the files, in pieces of 64 KiB, if not 32 MiB. */
  readonly piecesPerPage?: number;
}

export interface RequestLogStatus {
  readonly sizeBytes: number;
  /** False while the disk refuses the entries. */
  readonly isWritable: boolean;
  /** Entries that the disk never took. */
  readonly lostEntries: number;
}

/**
 * Opens the request log with the entries of earlier runs. Files that cannot be read are no reason not to start: the log is
 * then in memory alone, and a warning is logged.
 */
export async function openRequestLog(options: RequestLogOptions): Promise<RequestLog> {
  const { folder, limitBytes, logger, ops = nodeFileOps } = options;
  if (folder === null) return new RequestLog(options);
  try {
    const files = await LogFiles.open({ folder, limitBytes, ops });
    if (limitBytes === 0) return new RequestLog(options);
    return new RequestLog(options, files, await readNewest(files));
  } catch (error) {
    const message = 'The request log cannot be opened; it is kept in memory until the next start.';
    logger.warn('request_log.unavailable', { code: errorCode(error), message });
    return new RequestLog(options);
  }
}

/** The newest entries of the files, the oldest of them first. */
async function readNewest(files: LogFiles): Promise<KeptEntry[]> {
  const newest: KeptEntry[] = [];
  for await (const { lines } of files.piecesBefore(files.end())) {
    for (const { text, position } of lines) {
      const entry = decodeEntry(text);
      if (entry !== null) newest.push(KeptEntry.at(position, entry, text));
    }
    if (newest.length >= KEPT) break;
  }
  return newest.slice(0, KEPT).reverse();
}

/** What keeps requests to model endpoints and shows them. */
export type CallLog = Pick<RequestLog, 'add' | 'onEntry' | 'page' | 'status' | 'close'>;

/** The log of all requests to model endpoints: the newest in memory, all of them in files of a bounded size. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #files: LogFiles | null;
  /** The oldest first. Those that are not written yet are at its end. */
  readonly #recent: KeptEntry[];
  readonly #lines = new LineMemory();
  readonly #cursors = new BoundedMap<KeptEntry>(CURSORS_LIMIT);
  readonly #listeners = new Set<(entry: CallEntry) => void>();
  #unwritten = 0;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosing = false;
  #isWritable = true;
  #lostEntries = 0;
  readonly #readings = pageReadings();

  /** Use `openRequestLog`, unless the log is in memory alone. */
  constructor(options: RequestLogOptions, files: LogFiles | null = null, recent: KeptEntry[] = []) {
    this.#options = options;
    this.#files = files;
    this.#recent = recent;
  }

  /** Adds an entry; it is written later. */
  add(entry: CallEntry): void {
    const bounded = boundEntry(entry);
    this.#recent.push(KeptEntry.of(bounded, this.#lines));
    if (this.#files !== null) this.#unwritten += 1;
    if (this.#recent.length >= 2 * KEPT) this.#trim();
    if (this.#files !== null) this.#writeSoon();
    for (const listener of this.#listeners) listener(bounded);
  }

  /** Calls back with each entry that is added. Returns a function that ends that. */
  onEntry(listener: (entry: CallEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * A page of entries, the newest ended first; null: `before` is unknown.
   * @throws HttpError `server_overloaded` if too many pages of the files are asked for at once; `storage_unavailable` if the
   * files cannot be read.
   */
  async page(query: LogQuery): Promise<LogPage | null> {
    const recent = readRecent(this.#source(), query);
    if (recent !== null || this.#files === null) return recent;
    return this.#readings.run(() => {
      return readPage(this.#source(), query).catch((error: unknown) => {
        throw unreadable(error);
      });
    });
  }

  status(): RequestLogStatus {
    const sizeBytes = this.#files?.sizeBytes ?? 0;
    return { sizeBytes, isWritable: this.#isWritable, lostEntries: this.#lostEntries };
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#writing;
    await this.#write();
    this.#stopTimer();
  }

  #source(): LogSource {
    const files = this.#files;
    return {
      recent: [...this.#recent],
      files,
      end: files?.end() ?? null,
      cursors: this.#cursors,
      piecesPerPage: this.#options.piecesPerPage ?? PIECES_PER_PAGE,
    };
  }

  /** Forgets the oldest entries, unless they wait for the disk; too many of those are lost. */
  #trim(): void {
    const written = this.#recent.length - this.#unwritten;
    const surplus = this.#recent.length - KEPT;
    const lost = Math.max(0, this.#unwritten - UNWRITTEN_LIMIT);
    this.#unwritten -= lost;
    this.#lostEntries += lost;
    this.#recent.splice(0, Math.min(surplus, written + lost));
  }

  #writeSoon(): void {
    if (this.#writing !== null || !this.#isWritable) return;
    if (this.#unwritten === BATCH.entries) setImmediate(() => void this.#write());
    else this.#startTimer(WRITE_DELAY_MS);
  }

  #startTimer(delayMs: number): void {
    this.#timer ??= setTimeout(() => void this.#write(), delayMs).unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Writes all that is not written, one batch after another. Never rejects. */
  #write(): Promise<void> {
    this.#stopTimer();
    this.#writing ??= this.#writeBatches().finally(() => {
      this.#writing = null;
      if (this.#unwritten > 0) this.#writeSoon();
    });
    return this.#writing;
  }

  async #writeBatches(): Promise<void> {
    const { logger, retryDelayMs = RETRY_DELAY_MS } = this.#options;
    try {
      // What comes meanwhile waits for its own second: a write for every few entries would cost more than all calls.
      do {
        await this.#writeBatch();
      } while (this.#unwritten >= BATCH.entries || (this.#isClosing && this.#unwritten > 0));
      this.#isWritable = true;
    } catch (error) {
      if (this.#isWritable) {
        const message = 'The request log cannot be written; its newest entries are kept in memory.';
        logger.warn('request_log.write_failed', { code: errorCode(error), message });
      }
      this.#isWritable = false;
      this.#startTimer(retryDelayMs);
    }
  }

  async #writeBatch(): Promise<void> {
    const first = this.#recent.length - this.#unwritten;
    const batch = encodeBatch(this.#recent.slice(first, first + BATCH.entries));
    if (batch.lines.length > 0) {
      await this.#files?.append(batch.lines, (positions) => {
        for (const [index, kept] of batch.written.entries()) kept.position = positions[index] ?? null;
      });
    }
    // Entries that were lost meanwhile no longer count as unwritten.
    const at = batch.last === null ? -1 : this.#recent.lastIndexOf(batch.last);
    if (at !== -1) this.#unwritten = this.#recent.length - 1 - at;
  }
}

/** The lines of as many of the entries as one write takes. */
function encodeBatch(entries: readonly KeptEntry[]): {
  readonly lines: readonly Buffer[];
  readonly written: readonly KeptEntry[];
  readonly last: KeptEntry | null;
} {
  const lines: Buffer[] = [];
  const written: KeptEntry[] = [];
  let last: KeptEntry | null = null;
  let length = 0;
  for (const kept of entries) {
    if (length > BATCH.bytes) break;
    const { bytes } = kept;
    last = kept;
    // Most lines are decided by their bytes, which are never fewer.
    if (bytes.length > LINE_LIMIT && kept.text.length > LINE_LIMIT) continue;
    length += bytes.length;
    lines.push(bytes);
    written.push(kept);
  }
  return { lines, written, last };
}

function unreadable(cause: unknown): HttpError {
  const message = `The older entries of the request log cannot be read: the disk reports ${errorCode(cause) || 'an unknown error'}.`;
  return new HttpError('storage_unavailable', message, { headers: { 'retry-after': '5' }, cause });
}
