import type { ApiKey, MasterKey, Model, Provider, Session, Settings, User } from './entities.ts';

/** The whole configuration. Maps keep insertion order, which is the order of lists. */
export interface ConfigState {
  /** Random, made with the store: tells two instances on one host apart. */
  readonly instanceId: string;
  readonly masterKey: MasterKey | null;
  /** The admin's password as it was set in the panel, `scrypt$N$r$p$salt$hash`; null: none was set. */
  readonly adminPasswordHash: string | null;
  readonly settings: Settings;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly models: ReadonlyMap<string, Model>;
  readonly apiKeys: ReadonlyMap<string, ApiKey>;
  readonly users: ReadonlyMap<string, User>;
}

/** The configuration in memory, with the indexes that requests need. */
export interface ConfigView extends ConfigState {
  /** Rises with each stored change, whoever made it. */
  readonly version: number;
  readonly apiKeyByDigest: ReadonlyMap<string, ApiKey>;
  readonly userByUsername: ReadonlyMap<string, User>;
  /** The enabled models with one `*` in their id; the first that fits a name serves it. */
  readonly wildcardModels: readonly Model[];
}

/** A whole new configuration, made from the view with `expectedVersion`. */
export interface ConfigReplacement {
  readonly expectedVersion: number;
  readonly state: ConfigState;
}

/**
 * Providers, models, keys and users. Reading is synchronous, on a view in memory; a view shows only what is durable.
 * Code that changes something calls `changeConfig`, which retries after a conflict.
 */
export interface ConfigStore {
  view(): ConfigView;
  /**
   * Compare-and-set: stores the state if the stored version is still `expectedVersion`; resolves when the state is
   * durable and the view shows it.
   * @throws VersionConflictError if somebody else was faster; HttpError `storage_unavailable` if the write failed, and
   * the old state stands, in memory and on the disk.
   */
  replace(replacement: ConfigReplacement): Promise<void>;
}

/** The configuration is no longer the one that a replacement was made from. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError';
}

/**
 * Sign-ins. All changes but `touch` resolve when they are durable. A failing disk does not keep people out: the change
 * then resolves all the same and lives in memory.
 */
export interface SessionStore {
  get(digest: string): Promise<Session | undefined>;
  /** Adds or replaces a session. */
  put(session: Session): Promise<void>;
  /** Binds a session to other credentials; does nothing if the session has ended. */
  rebind(digest: string, credential: string): Promise<void>;
  /** Notes when a session was last used; may be stored later. Does nothing if the session has ended. */
  touch(digest: string, lastSeenAt: number): Promise<void>;
  list(): Promise<readonly Session[]>;
  /** The sessions of one account; `null`: the admin's. */
  listByUser(userId: string | null): Promise<readonly Session[]>;
  delete(digests: readonly string[]): Promise<void>;
  /** Ends an account's sessions but the one with `exceptDigest`; `null`: the admin's. */
  deleteByUser(userId: string | null, exceptDigest?: string): Promise<void>;
  /** Ends the sessions of all accounts but the one with `exceptDigest`. */
  deleteAll(exceptDigest?: string): Promise<void>;
  /** Ends the sessions that were last used before a time, in milliseconds since the epoch. */
  deleteIdle(seenBeforeMs: number): Promise<void>;
}

/**
 * When something was last used: a key, or an address to sign in to an account. Exact to a minute, and a crash may lose
 * the last minute. Bounded: the names whose time was stored longest ago are forgotten first.
 */
export interface LastUseStore {
  /** Milliseconds since the epoch, in the order of the names; `undefined`: not known. */
  read(names: readonly string[]): Promise<readonly (number | undefined)[]>;
  /** Notes a use; a time before the stored one changes nothing. Never rejects. */
  note(name: string, atMs: number): Promise<void>;
}

/** A sliding window in which attempts count. */
export interface AttemptWindow {
  /** What kind of name it is; each kind is bounded by itself. */
  readonly kind: string;
  readonly name: string;
  /** How many attempts a window holds; further ones are not counted. */
  readonly limit: number;
  readonly windowMs: number;
  /** Whether an attempt is refused while this window is full. */
  readonly refuses: boolean;
}

export interface AttemptCount {
  /** How long to wait until another attempt is let through; 0: this one was. */
  readonly waitMs: number;
  /** Where the attempt was counted: a full window that does not refuse counts no more. */
  readonly counted: readonly AttemptWindow[];
}

/** Attempts to sign in, counted before their password is looked at. */
export interface AttemptStore {
  /**
   * Counts an attempt in all the windows, or in none if one of those that refuse is full; atomically, so that parallel
   * attempts cannot slip through.
   */
  take(windows: readonly AttemptWindow[], atMs: number): Promise<AttemptCount>;
  /** Takes back an attempt that was counted in these windows at a time. */
  giveBack(counted: readonly AttemptWindow[], atMs: number): Promise<void>;
}

export type StorageState = 'ok' | 'recovered' | 'volatile' | 'read-only' | 'failing';

export interface StorageStatus {
  readonly state: StorageState;
  /** One sentence for the panel: what it means and what to do; never a secret. */
  readonly message: string;
  /** True if provider keys are stored encrypted. */
  readonly encrypted: boolean;
}

/** What a listener is told of. */
export type StoredChange = 'config' | 'sessions';

/**
 * What a driver offers; `open-store.ts` and the demo pick the driver. Everything that must be the same in several
 * processes is asynchronous, and all arguments are plain values, so that a shared engine can stand behind it.
 */
export interface Store {
  readonly config: ConfigStore;
  readonly sessions: SessionStore;
  readonly lastUse: LastUseStore;
  readonly attempts: AttemptStore;
  status(): StorageStatus;
  /** Names of files beside the database that hold secrets in clear text; a person must delete them. */
  findPlainCopies(): Promise<readonly string[]>;
  /**
   * Calls back after each durable change, by this process or another; the view then shows it. Returns a function that
   * unsubscribes the listener.
   */
  onChange(listener: (change: StoredChange) => void): () => void;
  /** Writes what is not yet written and releases the database. */
  close(): Promise<void>;
}
