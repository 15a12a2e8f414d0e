import { HttpError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type DatabaseFile, NotOursError } from './database-file.ts';
import type { DecodedDocument, StoreContent } from './document.ts';
import { errorCode } from './file-ops.ts';
import { MemoryStore } from './memory-store.ts';
import type { PlainCopies } from './plain-copies.ts';
import type { StorageStatus } from './store.ts';
import type { StoreLock } from './store-lock.ts';

/** How long after a failed write it is tried again. */
const RETRY_DELAY_MS = 10_000;

const STOPPED = {
  replaced:
    'The database file was replaced from outside and is kept as it is; restart the server to use it. Until then nothing can be changed.',
  taken:
    'Another process has taken over the database; stop one of the two and restart. Until then nothing can be changed.',
  closed: 'The server is stopping and takes no more changes.',
} as const;

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'the folder may not be written',
  EPERM: 'the folder may not be written',
  EFBIG: 'the database would be larger than 48 MB',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk reports an error',
};

export interface FileStoreOptions {
  readonly document: DecodedDocument;
  /** The status while all writes succeed. */
  readonly status: StorageStatus;
  readonly file: DatabaseFile;
  /** null: nothing can be written. */
  readonly lock: StoreLock | null;
  readonly copies: Pick<PlainCopies, 'find'>;
  /** See `JsonFileStore.usageFolder`. */
  readonly usageFolder: string;
  readonly logger: Logger;
  readonly softChangeDelayMs?: number | undefined;
  readonly retryDelayMs?: number | undefined;
}

/** A store whose every change is in one file before it is confirmed. */
export class JsonFileStore extends MemoryStore {
  /** The generation of the content that the store started with, before any write. */
  readonly loadedGeneration: number;
  /** The folder beside the database for counted usage and the request log; null: nothing can be written. */
  readonly usageFolder: string | null;
  readonly #options: FileStoreOptions;
  /** Why the last write failed; null: it did not. */
  #failure: string | null = null;
  /** Why this process can write nothing more; null: it can. */
  #stop: keyof typeof STOPPED | null = null;

  constructor(options: FileStoreOptions) {
    super(options.document, options.softChangeDelayMs);
    this.#options = options;
    this.loadedGeneration = options.document.generation;
    this.usageFolder = options.lock === null ? null : options.usageFolder;
  }

  override status(): StorageStatus {
    const { status } = this.#options;
    const { encrypted } = status;
    if (this.#stop !== null) return { state: 'failing', message: STOPPED[this.#stop], encrypted };
    if (this.#failure === null) return status;
    const message = `Changes cannot be saved: ${this.#failure}. What was saved before is safe, and requests go on.`;
    return { state: 'failing', message, encrypted };
  }

  override findPlainCopies(): Promise<readonly string[]> {
    return this.#options.copies.find();
  }

  /** The bytes of a database file with the content that was saved last, for a copy elsewhere. */
  exportDocument(): Buffer {
    return this.#options.file.encode();
  }

  override async close(): Promise<void> {
    const { file, lock, logger } = this.#options;
    try {
      await super.close();
      if (this.#stop === null) await file.refuseIfReplaced();
    } catch (error) {
      if (error instanceof NotOursError) await this.#saveConflict();
      else logger.error('store.close', { code: errorCode(error) });
    }
    this.#stop ??= 'closed';
    await lock?.release();
  }

  protected override async persist(content: StoreContent): Promise<void> {
    const { file, lock, logger, retryDelayMs = RETRY_DELAY_MS } = this.#options;
    if (lock === null || this.#stop !== null) throw this.#unavailable();
    try {
      await file.write(content, lock);
      this.#failure = null;
    } catch (error) {
      const code = errorCode(error);
      if (error instanceof NotOursError) this.#stop = error.reason;
      else this.#failure = REASONS[code] ?? `the disk reports ${code || 'an unknown error'}`;
      logger.error('store.write_failed', { code, message: this.status().message });
      if (this.#stop === 'replaced') await this.#saveConflict();
      // Even without a new change: the file may hold the refused one, and the status is to become good again.
      if (this.#stop === null) this.rewriteWithin(retryDelayMs);
      throw this.#unavailable(error);
    }
  }

  /** The error for a change that was not saved. */
  #unavailable(cause?: unknown): HttpError {
    const message =
      this.#stop === null
        ? `The change was not saved: ${this.#failure ?? 'the storage is read-only'}. Everything is as it was before; fix the problem and retry.`
        : STOPPED[this.#stop];
    return new HttpError('storage_unavailable', message, { headers: { 'retry-after': '5' }, cause });
  }

  /** The file that replaced ours may lack changes that were acknowledged: keeps them beside it. */
  async #saveConflict(): Promise<void> {
    const { file, logger } = this.#options;
    try {
      const path = await file.saveConflict();
      logger.error('store.conflict', { message: `The state before that was saved as ${path}.` });
    } catch (error) {
      const message = 'The state before that could not be saved.';
      logger.error('store.conflict', { code: errorCode(error), message });
    }
  }
}
