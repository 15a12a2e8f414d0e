import { HttpError } from '../errors.ts';
import { BoundedMap } from './bounded-map.ts';
import { indexConfig, isSameConfig } from './config-index.ts';
import type { Session } from './entities.ts';
import type { Changed, ConfigState, ConfigStore, ConfigView, CounterStore, SessionStore } from './store.ts';

/** How many sessions are kept; over it the one seen longest ago ends. */
const SESSIONS_LIMIT = 10_000;
/** How many counters are kept; over it the one set longest ago is forgotten. */
const COUNTERS_LIMIT = 20_000;
/** How many changes may wait for the disk; over it new ones are refused. */
const WAITING_LIMIT = 1000;

/** How many changes are applied in one turn of the event loop. */
const CHANGES_PER_TURN = 8;

/** All that a store holds. */
export interface StoreContent {
  readonly config: ConfigState;
  readonly sessions: BoundedMap<Session>;
  readonly counters: BoundedMap<number>;
}

export interface EngineOptions {
  readonly config: ConfigState;
  readonly sessions?: Iterable<Session>;
  readonly counters?: Iterable<readonly [string, number]>;
  /**
   * Makes the content durable; called one at a time. Sessions and counters go on changing meanwhile.
   * Throws an HttpError when it failed: then the configuration stays what it was.
   */
  readonly commit: (content: StoreContent) => Promise<void>;
  /** Called when something changed that may be written some time later. */
  readonly onSoftChange?: () => void;
}

interface Waiter {
  readonly change: (state: ConfigState) => Changed<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly kind: WaiterKind;
}

/** What asks for a write: a change of configuration, of sessions, or only what was left for later. */
type WaiterKind = 'config' | 'sessions' | 'flush';

/**
 * What every driver shares: the state in memory, the queue of changes, sessions and counters. A driver adds `commit`.
 * Changes that wait while one is being written go out together in the next write.
 */
export class Engine {
  readonly config: ConfigStore;
  readonly sessions: SessionStore;
  readonly counters: CounterStore;
  readonly #commit: (content: StoreContent) => Promise<void>;
  readonly #sessions: BoundedMap<Session>;
  readonly #counters: BoundedMap<number>;
  readonly #listeners: (() => void)[] = [];
  readonly #waiting: Waiter[] = [];
  #view: ConfigView;
  #running: Promise<void> | null = null;
  #dirty = false;

  constructor(options: EngineOptions) {
    this.#commit = options.commit;
    this.#view = indexConfig(options.config);
    this.#sessions = new BoundedMap(SESSIONS_LIMIT, byDigest(options.sessions ?? []));
    this.#counters = new BoundedMap(COUNTERS_LIMIT, options.counters);
    const soften = (): void => {
      this.#dirty = true;
      options.onSoftChange?.();
    };
    this.config = { view: () => this.#view, update: (change) => this.#update(change) };
    this.sessions = this.#sessionStore(soften);
    this.counters = this.#counterStore(soften);
  }

  /** True where memory holds sessions or counters that the disk does not. */
  get isDirty(): boolean {
    return this.#dirty;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Waits for running writes, then writes sessions and counters that are not yet written. @throws what `commit` throws. */
  async flush(): Promise<void> {
    if (this.#dirty) await this.#enqueue(keep, 'flush');
    else await this.#running;
  }

  /** Writes everything once more although nothing changed. @throws what `commit` throws. */
  rewrite(): Promise<void> {
    return this.#enqueue(keep, 'flush');
  }

  #update<T>(change: (state: ConfigState) => Changed<T>): Promise<T> {
    return this.#enqueue(change, 'config');
  }

  #enqueue<T>(change: (state: ConfigState) => Changed<T>, kind: WaiterKind): Promise<T> {
    if (this.#waiting.length >= WAITING_LIMIT) {
      const message = 'Too many changes wait to be saved. Try again in a moment.';
      return Promise.reject(
        new HttpError('storage_unavailable', message, { headers: { 'retry-after': '1' } }),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ change, resolve: (result) => resolve(result as T), reject, kind });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Whoever asks in the same turn of the event loop goes out in the same write.
    await null;
    try {
      while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0));
    } finally {
      this.#running = null;
    }
  }

  async #writeBatch(batch: readonly Waiter[]): Promise<void> {
    const { state, settled } = await applyBatch(batch, this.#view);
    const changed = !isSameConfig(state, this.#view);
    const asks = (kind: WaiterKind): boolean => batch.some((waiter) => waiter.kind === kind);
    try {
      if (changed || asks('sessions') || asks('flush')) await this.#write(state);
    } catch (error) {
      for (const { waiter } of settled) waiter.reject(error);
      return;
    }
    for (const { waiter, outcome } of settled) {
      if ('result' in outcome) waiter.resolve(outcome.result);
      else waiter.reject(outcome.error);
    }
    if (changed || asks('sessions')) for (const listener of this.#listeners) listener();
  }

  async #write(state: ConfigState): Promise<void> {
    const wasDirty = this.#dirty;
    this.#dirty = false;
    try {
      await this.#commit({ config: state, sessions: this.#sessions, counters: this.#counters });
    } catch (error) {
      this.#dirty ||= wasDirty;
      throw error;
    }
    if (!isSameConfig(state, this.#view)) this.#view = indexConfig(state, this.#view);
  }

  #sessionStore(soften: () => void): SessionStore {
    const write = (): Promise<void> => {
      this.#dirty = true;
      // A failing disk is seen in the store's status; sessions then live in memory.
      return this.#enqueue(keep, 'sessions').catch(soften);
    };
    return {
      find: (digest) => this.#sessions.get(digest),
      put: (session) => {
        this.#sessions.set(session.digest, session);
        return write();
      },
      touch: (session) => {
        if (this.#sessions.get(session.digest) === undefined) return;
        this.#sessions.set(session.digest, session);
        soften();
      },
      remove: (matches) => {
        const ended = [...this.#sessions.values()].filter(matches);
        for (const { digest } of ended) this.#sessions.delete(digest);
        return ended.length > 0 ? write() : Promise.resolve();
      },
    };
  }

  #counterStore(soften: () => void): CounterStore {
    return {
      get: (name) => this.#counters.get(name),
      set: (name, value) => {
        this.#counters.set(name, value);
        soften();
      },
    };
  }
}

interface Settled {
  readonly waiter: Waiter;
  readonly outcome: { readonly result: unknown } | { readonly error: unknown };
}

/**
 * Applies changes one after another. One that throws rejects alone; if it saw changes that are not yet durable, its
 * rejection waits for them, because they may still fail.
 */
async function applyBatch(
  batch: readonly Waiter[],
  base: ConfigState,
): Promise<{ readonly state: ConfigState; readonly settled: readonly Settled[] }> {
  const settled: Settled[] = [];
  let state = base;
  for (const [index, waiter] of batch.entries()) {
    // A change copies a map, which may be large: requests get their turn in between.
    if (index % CHANGES_PER_TURN === CHANGES_PER_TURN - 1) await new Promise(setImmediate);
    try {
      const changed = waiter.change(state);
      state = changed.state;
      settled.push({ waiter, outcome: { result: changed.result } });
    } catch (error) {
      if (isSameConfig(state, base)) waiter.reject(error);
      else settled.push({ waiter, outcome: { error } });
    }
  }
  return { state, settled };
}

function keep(state: ConfigState): Changed<undefined> {
  return { state, result: undefined };
}

function* byDigest(sessions: Iterable<Session>): Iterable<readonly [string, Session]> {
  for (const session of sessions) yield [session.digest, session];
}
