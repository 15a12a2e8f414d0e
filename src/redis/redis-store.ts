import type { ConfigStore, StorageStatus, Store, StoredChange } from '../store/store.ts';
import { type RedisConfigOptions, RedisConfigStore } from './config-store.ts';
import type { Engine, EngineMessage, EnginePart } from './engine.ts';
import { RedisSessionStore } from './session-store.ts';
import { RedisAttemptStore, RedisLastUseStore } from './use-stores.ts';

export interface RedisStoreOptions extends Omit<RedisConfigOptions, 'onChange'> {
  /** True if provider keys are stored encrypted. */
  readonly isEncrypted: boolean;
  /** See `RedisSessionOptions`. */
  readonly sessionLifetimeMs: number;
}

/** A store for several instances: its state is in a Redis or Valkey that they share. */
export class RedisStore implements Store, EnginePart {
  readonly sessions: RedisSessionStore;
  readonly lastUse: RedisLastUseStore;
  readonly attempts: RedisAttemptStore;
  readonly #config: RedisConfigStore;
  readonly #engine: Engine;
  readonly #isEncrypted: boolean;
  readonly #listeners = new Set<(change: StoredChange) => void>();

  private constructor(options: RedisStoreOptions) {
    const { engine, isEncrypted, sessionLifetimeMs: lifetimeMs } = options;
    this.#engine = engine;
    this.#isEncrypted = isEncrypted;
    this.#config = new RedisConfigStore({ ...options, onChange: () => this.#tell('config') });
    this.sessions = new RedisSessionStore({ engine, lifetimeMs, onChange: () => this.#tell('sessions') });
    this.lastUse = new RedisLastUseStore(engine);
    this.attempts = new RedisAttemptStore(engine);
  }

  /** Opens the store of a connected engine. @throws EngineAwayError; StoreStartError for an unusable configuration. */
  static async open(options: RedisStoreOptions): Promise<RedisStore> {
    const store = new RedisStore(options);
    await options.engine.add(store);
    return store;
  }

  get config(): ConfigStore {
    return this.#config;
  }

  status(): StorageStatus {
    const encrypted = this.#isEncrypted;
    if (!this.#engine.isReady) {
      const message =
        'Redis does not answer: nothing can be changed, and limits hold for each instance alone. Requests to models go on.';
      return { state: 'failing', message, encrypted };
    }
    const { problem } = this.#config;
    if (problem !== null) return { state: 'failing', message: problem, encrypted };
    return { state: 'ok', message: 'Every change is in Redis before it is confirmed.', encrypted };
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

  resume(): Promise<void> {
    return this.#config.resume();
  }

  beat(): Promise<void> {
    return this.#config.beat();
  }

  onMessage(message: EngineMessage): void {
    if (message.kind === 'sessions') this.#tell('sessions');
    this.#config.onMessage(message);
  }

  async close(): Promise<void> {
    this.#engine.close();
  }

  #tell(change: StoredChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
