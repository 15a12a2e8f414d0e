import { AttemptLog } from './attempt-log.ts';
import { BoundedMap } from './bounded-map.ts';
import { isSameConfig, viewConfig } from './config-view.ts';
import type { StoreContent } from './document.ts';
import type { Session } from './entities.ts';
import { LastUseMap, SessionMap } from './memory-maps.ts';
import {
  type ConfigReplacement,
  type ConfigState,
  type ConfigStore,
  type ConfigView,
  type Store,
  type StoredChange,
  VersionConflictError,
} from './store.ts';

/** How many sessions are kept; over it the one seen longest ago ends. */
const SESSIONS_LIMIT = 10_000;
/** How many times of last use are kept. */
const LAST_USES_LIMIT = 20_000;

export interface EngineOptions {
  readonly content: StoreContent;
  /**
   * Makes the content durable; called one at a time.
   * Throws an HttpError if that failed: then the configuration stays what it was.
   */
  readonly commit: (content: StoreContent) => Promise<void>;
  /** Called when something changed that may be written some time later. */
  readonly onSoftChange?: () => void;
}

/**
 * What the drivers of one process share: the state in memory, and the queue of writes. A driver adds `commit`.
 * Sessions that change while something is being written go out together in the next write.
 */
export class Engine implements Pick<Store, 'config' | 'sessions' | 'lastUse' | 'attempts' | 'onChange'> {
  readonly config: ConfigStore;
  readonly sessions: SessionMap;
  readonly lastUse: LastUseMap;
  readonly attempts = new AttemptLog();
  readonly #options: EngineOptions;
  readonly #sessions: BoundedMap<Session>;
  readonly #numbers: BoundedMap<number>;
  readonly #listeners = new Set<(change: StoredChange) => void>();
  #view: ConfigView;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #nextFlush: Promise<boolean> | null = null;
  #isDirty = false;

  constructor(options: EngineOptions) {
    const { config, sessions, numbers } = options.content;
    this.#options = options;
    this.#view = viewConfig(config, 1);
    this.#sessions = new BoundedMap(SESSIONS_LIMIT, byDigest(sessions));
    this.#numbers = new BoundedMap(LAST_USES_LIMIT, numbers);
    this.config = { view: () => this.#view, replace: (replacement) => this.#replace(replacement) };
    const soften = (): void => this.#soften();
    this.sessions = new SessionMap(this.#sessions, { soften, save: () => this.#saveSessions() });
    this.lastUse = new LastUseMap(this.#numbers, soften);
  }

  onChange(listener: (change: StoredChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Keeps a number by its name, to be written some time later. */
  keepNumber(name: string, value: number): void {
    this.#numbers.set(name, value);
    this.#soften();
  }

  /**
   * Waits for running writes, then writes sessions and numbers that are not yet written; true if there were any.
   * @throws what `commit` throws.
   */
  flush(): Promise<boolean> {
    this.#nextFlush ??= this.#inTurn(async () => {
      this.#nextFlush = null;
      if (!this.#isDirty) return false;
      await this.#write(this.#view);
      return true;
    });
    return this.#nextFlush;
  }

  /** Writes everything once more although nothing changed. @throws what `commit` throws. */
  rewrite(): Promise<void> {
    return this.#inTurn(() => this.#write(this.#view));
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
      const [sessions, numbers] = [this.#sessions, this.#numbers];
      await this.#options.commit({ config, sessions: valuesOf(sessions), numbers });
    } catch (error) {
      this.#isDirty ||= wasDirty;
      throw error;
    }
  }

  async #saveSessions(): Promise<void> {
    this.#isDirty = true;
    try {
      await this.flush();
    } catch {
      // A failing disk shows in the store's status; the sessions live in memory until it works again.
      return this.#soften();
    }
    this.#tell('sessions');
  }

  #soften(): void {
    this.#isDirty = true;
    this.#options.onSoftChange?.();
  }

  #tell(change: StoredChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** The values of a map as they are whenever somebody looks. */
function valuesOf<T>(map: ReadonlyMap<string, T>): Iterable<T> {
  return { [Symbol.iterator]: () => map.values() };
}

function* byDigest(sessions: Iterable<Session>): Iterable<readonly [string, Session]> {
  for (const session of sessions) yield [session.digest, session];
}
