import type { ApiKey, MasterKey, Model, Provider, Session, User } from './entities.ts';

/** The whole configuration. Maps keep insertion order, which is the order of lists. */
export interface ConfigState {
  /** Random, made with the store: tells two instances on one host apart. */
  readonly instanceId: string;
  readonly masterKey: MasterKey | null;
  /** The admin's password as it was set in the panel, `scrypt$N$r$p$salt$hash`; null: none was set. */
  readonly adminPasswordHash: string | null;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly models: ReadonlyMap<string, Model>;
  readonly apiKeys: ReadonlyMap<string, ApiKey>;
  readonly users: ReadonlyMap<string, User>;
}

/** The configuration with the indexes that requests need. */
export interface ConfigView extends ConfigState {
  readonly apiKeyByDigest: ReadonlyMap<string, ApiKey>;
  readonly userByUsername: ReadonlyMap<string, User>;
}

/** What a change makes of the newest state: the state to store, and the value for whoever asked. */
export interface Changed<T> {
  readonly state: ConfigState;
  readonly result: T;
}

/**
 * Providers, models, keys and users. Reading is synchronous, on a view in memory; a change is pure, is applied
 * to the newest state, and is visible to readers only once it is durable.
 */
export interface ConfigStore {
  view(): ConfigView;
  /**
   * Applies a change; resolves when it is on the disk.
   * @throws whatever `change` throws, the state untouched; HttpError `storage_unavailable` when the write failed, the
   * old state staying in memory and on the disk.
   */
  update<T>(change: (state: ConfigState) => Changed<T>): Promise<T>;
}

/** Sign-ins. Kept in memory and written behind (a lost second of `lastSeenAt` harms nobody); `put` and `remove` write at once. */
export interface SessionStore {
  find(digest: string): Session | undefined;
  /** Adds or replaces; waits for the disk, but a failing disk does not keep people out: then it lives in memory. */
  put(session: Session): Promise<void>;
  /** Replaces in memory now, on the disk some time later. */
  touch(session: Session): void;
  /** Removes every session that the predicate names, in memory at once; resolves when the disk knows (or failed). */
  remove(matches: (session: Session) => boolean): Promise<void>;
}

/** Small numbers that change often and may lose their last minute: when a key was last used, who signed in from where. */
export interface CounterStore {
  get(name: string): number | undefined;
  /** Bounded: the names set longest ago are forgotten first. */
  set(name: string, value: number): void;
}

export type StorageState = 'ok' | 'recovered' | 'volatile' | 'read-only' | 'failing';

export interface StorageStatus {
  readonly state: StorageState;
  /** One sentence for the panel: what it means and what to do; never a secret. */
  readonly message: string;
  /** True where provider keys are stored encrypted. */
  readonly encrypted: boolean;
}

/** One driver's whole face; `server.ts` alone picks the driver. */
export interface Store {
  readonly config: ConfigStore;
  readonly sessions: SessionStore;
  readonly counters: CounterStore;
  status(): StorageStatus;
  /** Names of files beside the database that hold secrets in clear text; a person must delete them. */
  findPlainCopies(): Promise<readonly string[]>;
  /** Calls back after each durable change of configuration or sessions. */
  onChange(listener: () => void): void;
  /** Writes what is not yet written and lets go of the file. */
  close(): Promise<void>;
}
