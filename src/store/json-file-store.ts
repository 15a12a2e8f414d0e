import type { Logger } from '../logger.ts';
import type { DecodedDocument, StoreContent } from './document.ts';
import { Engine } from './engine.ts';
import type { PlainCopies } from './plain-copies.ts';
import type {
  AttemptStore,
  ConfigStore,
  LastUseStore,
  SessionStore,
  StorageStatus,
  Store,
  StoredChange,
} from './store.ts';
import { ReplacedError, type StoreDisk } from './store-disk.ts';
import { codeOf, StoreHealth } from './store-health.ts';
import type { StoreLock } from './store-lock.ts';

/** How long a last use, or the time of a session, may wait for the disk. */
const SOFT_CHANGE_DELAY_MS = 60_000;
/** How long after a failed write it is tried again. */
const RETRY_DELAY_MS = 10_000;

export interface FileStoreOptions {
  readonly path: string;
  readonly loadedGeneration: number;
  readonly document: DecodedDocument;
  readonly status: StorageStatus;
  /** null: nothing can be written. */
  readonly disk: StoreDisk | null;
  readonly lock: Pick<StoreLock, 'release'> | null;
  readonly exportDocument: () => Buffer;
  readonly copies: Pick<PlainCopies, 'find'>;
  readonly logger: Logger;
  readonly softChangeDelayMs?: number;
  readonly retryDelayMs?: number;
}

/** A store over one file: the engine, a disk to commit to, and the timers that write behind. */
export class JsonFileStore implements Store {
  readonly path: string;
  /** The generation of the content that the store started with, before any write. */
  readonly loadedGeneration: number;
  readonly config: ConfigStore;
  readonly sessions: SessionStore;
  readonly lastUse: LastUseStore;
  readonly attempts: AttemptStore;
  /** The bytes of a database file with the content that was saved last, for a copy elsewhere. */
  readonly exportDocument: () => Buffer;
  readonly #options: FileStoreOptions;
  readonly #engine: Engine;
  readonly #health: StoreHealth;
  #timer: NodeJS.Timeout | null = null;
  #isRetry = false;

  constructor(options: FileStoreOptions) {
    const { document } = options;
    this.#options = options;
    this.#health = new StoreHealth(options.status);
    this.#engine = new Engine({
      content: document,
      commit: (content) => this.#commit(content),
      onSoftChange: () => this.#writeLater(options.softChangeDelayMs ?? SOFT_CHANGE_DELAY_MS),
    });
    this.path = options.path;
    this.loadedGeneration = options.loadedGeneration;
    this.config = this.#engine.config;
    this.sessions = this.#engine.sessions;
    this.lastUse = this.#engine.lastUse;
    this.attempts = this.#engine.attempts;
    this.exportDocument = options.exportDocument;
  }

  status(): StorageStatus {
    return this.#health.status();
  }

  findPlainCopies(): Promise<readonly string[]> {
    return this.#options.copies.find();
  }

  onChange(listener: (change: StoredChange) => void): () => void {
    return this.#engine.onChange(listener);
  }

  /** Keeps a number in the file by its name; written with the next change, or some time later. */
  keepNumber(name: string, value: number): void {
    this.#engine.keepNumber(name, value);
  }

  /** Writes although nothing changed; false if that failed: then the status shows it and a timer tries again. */
  rewrite(): Promise<boolean> {
    return this.#engine.rewrite().then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { disk, lock, logger } = this.#options;
    try {
      await this.#engine.flush();
      if (!this.#health.isStopped) await disk?.refuseIfReplaced();
    } catch (error) {
      if (error instanceof ReplacedError) await this.#saveConflict();
      else logger.error('store.close', { code: codeOf(error) });
    }
    this.#health.close();
    await lock?.release();
  }

  async #commit(content: StoreContent): Promise<void> {
    const { disk, logger, retryDelayMs = RETRY_DELAY_MS } = this.#options;
    if (disk === null || this.#health.isStopped) throw this.#health.unavailable();
    try {
      await disk.write(content);
      this.#health.succeeded();
    } catch (error) {
      this.#health.failed(error);
      logger.error('store.write_failed', { code: codeOf(error), message: this.#health.status().message });
      if (error instanceof ReplacedError) await this.#saveConflict();
      else if (!this.#health.isStopped) this.#writeLater(retryDelayMs, true);
      throw this.#health.unavailable(error);
    }
  }

  /** The file that replaced ours may lack changes that were acknowledged: keeps them beside it. */
  async #saveConflict(): Promise<void> {
    const { disk, logger } = this.#options;
    try {
      const path = await disk?.saveConflict();
      logger.error('store.conflict', { message: `The state before that was saved as ${path}.` });
    } catch (error) {
      logger.error('store.conflict', {
        code: codeOf(error),
        message: 'The state before that could not be saved.',
      });
    }
  }

  #writeLater(delayMs: number, isRetry = false): void {
    if (this.#timer !== null) {
      if (this.#isRetry || !isRetry) return;
      clearTimeout(this.#timer);
    }
    this.#isRetry = isRetry;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void (isRetry ? this.rewrite() : this.#engine.flush().catch(() => {}));
    }, delayMs).unref();
  }
}
