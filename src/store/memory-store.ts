import { BoundedMap } from '../bounded-map.ts';
import { AttemptLog } from './attempt-log.ts';
import { isSameConfig, viewConfig } from './config-view.ts';
import type { StoreContent } from './document.ts';
import { LastUseMap, SessionMap } from './memory-maps.ts';
import { createNewConfig, type NewConfigOptions } from './new-config.ts';
import {
  type ConfigReplacement,
  type ConfigState,
  type ConfigStore,
  type ConfigView,
  type StorageStatus,
  type Store,
  type StoredChange,
  VersionConflictError,
} from './store.ts';

/** How many numbers are kept, most of them times of last use. */
const NUMBERS_LIMIT = 20_000;
/** How long a last use, or the time of a session, may wait until it is written. */
const SOFT_CHANGE_DELAY_MS = 60_000;

export interface MemoryStoreOptions extends NewConfigOptions {
  /** What differs from a fresh store. */
  readonly initial?: Partial<ConfigState>;
}

/** Makes a store that lives in memory alone, for tests and the demo; it behaves as the one on disk does. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const config = { ...createNewConfig(options), ...options.initial };
  return new MemoryStore({ config, sessions: [], numbers: [] });
}

/**
 * A store whose state lives in the memory of one process. A driver extends it and makes the state durable in `persist`.
 * Sessions that change while something is being written go out together in the next write.
 */
export class MemoryStore implements Store {
  readonly config: ConfigStore;
  readonly sessions: SessionMap;
  readonly lastUse: LastUseMap;
  readonly attempts = new AttemptLog();
  readonly #numbers: BoundedMap<number>;
  readonly #listeners = new Set<(change: StoredChange) => void>();
  readonly #softChangeDelayMs: number;
  #view: ConfigView;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #nextFlush: Promise<void> | null = null;
  #isDirty = false;
  /** Writes what is dirty after a delay. */
  #timer: { readonly delayMs: number; readonly handle: NodeJS.Timeout } | null = null;

  constructor({ config, sessions, numbers }: StoreContent, softChangeDelayMs: number = SOFT_CHANGE_DELAY_MS) {
    const saveLater = (): void => this.#saveLater();
    this.#softChangeDelayMs = softChangeDelayMs;
    this.#view = viewConfig(config, 1);
    this.#numbers = new BoundedMap(NUMBERS_LIMIT, numbers);
    this.config = { view: () => this.#view, replace: (replacement) => this.#replace(replacement) };
    this.sessions = new SessionMap(sessions, { saveLater, save: () => this.#saveSessions() });
    this.lastUse = new LastUseMap(this.#numbers, saveLater);
  }

  status(): StorageStatus {
    const message = 'Everything is kept in memory and is gone when the process ends.';
    return { state: 'volatile', message, encrypted: false };
  }

  async findPlainCopies(): Promise<readonly string[]> {
    return [];
  }

  onChange(listener: (change: StoredChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The numbers that are kept, by their names. */
  get numbers(): ReadonlyMap<string, number> {
    return this.#numbers;
  }

  /** Keeps a number by its name; written with the next change, or some time later. */
  keepNumber(name: string, value: number): void {
    this.#numbers.set(name, value);
    this.#saveLater();
  }

  /** Writes although nothing changed; false if that failed: then the status shows it. */
  rewrite(): Promise<boolean> {
    this.#isDirty = true;
    return this.#flush().then(
      () => true,
      () => false,
    );
  }

  /** Writes what is not yet written. @throws what `persist` throws. */
  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    this.#timer = null;
    return this.#flush();
  }

  /**
   * Makes the content durable; called one at a time. Here there is nothing to do.
   * @throws HttpError if that failed: then the configuration stays what it was.
   */
  protected async persist(_content: StoreContent): Promise<void> {}

  /** Writes everything after a delay, or after a shorter one that already runs. */
  protected rewriteWithin(delayMs: number): void {
    this.#isDirty = true;
    if (this.#timer !== null) {
      if (this.#timer.delayMs <= delayMs) return;
      clearTimeout(this.#timer.handle);
    }
    const handle = setTimeout(() => {
      this.#timer = null;
      void this.#flush().catch(() => {});
    }, delayMs).unref();
    this.#timer = { delayMs, handle };
  }

  #saveLater(): void {
    this.rewriteWithin(this.#softChangeDelayMs);
  }

  async #saveSessions(): Promise<void> {
    this.#isDirty = true;
    try {
      await this.#flush();
    } catch {
      // A failing disk shows in the store's status; the sessions live in memory until it works again.
      return this.#saveLater();
    }
    this.#tell('sessions');
  }

  /** Waits for running writes, then writes what is dirty. */
  #flush(): Promise<void> {
    this.#nextFlush ??= this.#inTurn(async () => {
      this.#nextFlush = null;
      if (this.#isDirty) await this.#write(this.#view);
    });
    return this.#nextFlush;
  }

  #replace({ expectedVersion, state }: ConfigReplacement): Promise<void> {
    return this.#inTurn(async () => {
      const { version } = this.#view;
      if (version !== expectedVersion) throw new VersionConflictError(`The version is ${version} by now.`);
      if (isSameConfig(state, this.#view)) return;
      await this.#write(state);
      this.#view = viewConfig(state, version + 1, this.#view);
      this.#tell('config');
    });
  }

  /** Does one piece of work after another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastWrite.then(work);
    this.#lastWrite = done.catch(() => {});
    return done;
  }

  async #write(config: ConfigState): Promise<void> {
    const wasDirty = this.#isDirty;
    this.#isDirty = false;
    try {
      await this.persist({ config, sessions: this.sessions, numbers: this.#numbers });
    } catch (error) {
      this.#isDirty ||= wasDirty;
      throw error;
    }
  }

  #tell(change: StoredChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
