import { BoundedMap } from '../bounded-map.ts';
import type { Session } from './entities.ts';
import type { LastUseStore, SessionStore } from './store.ts';

/** How many sessions are kept; over it the one seen longest ago ends. */
const SESSIONS_LIMIT = 10_000;
/** A use that follows a noted one by less than this is not noted: a busy key would cause writes without end. */
const PRECISION_MS = 60_000;

export interface SessionSaving {
  /** Called for what may be written later. */
  readonly saveLater: () => void;
  /** Resolves when the sessions are written, or live on in memory. */
  readonly save: () => Promise<void>;
}

/** Sessions in memory. A change shows at once and is then saved. */
export class SessionMap implements SessionStore, Iterable<Session> {
  readonly #sessions = new BoundedMap<Session>(SESSIONS_LIMIT);
  readonly #saving: SessionSaving;

  constructor(sessions: Iterable<Session>, saving: SessionSaving) {
    for (const session of sessions) this.#sessions.set(session.digest, session);
    this.#saving = saving;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  async get(digest: string): Promise<Session | undefined> {
    return this.#sessions.get(digest);
  }

  put(session: Session): Promise<void> {
    this.#sessions.set(session.digest, session);
    return this.#saving.save();
  }

  async rebind(digest: string, credential: string): Promise<void> {
    const session = this.#sessions.get(digest);
    if (session !== undefined) await this.put({ ...session, credential });
  }

  async touch(digest: string, lastSeenAt: number): Promise<void> {
    const session = this.#sessions.get(digest);
    if (session === undefined) return;
    this.#sessions.set(digest, { ...session, lastSeenAt });
    this.#saving.saveLater();
  }

  async list(): Promise<readonly Session[]> {
    return [...this];
  }

  async listByUser(userId: string | null): Promise<readonly Session[]> {
    return [...this].filter((session) => session.userId === userId);
  }

  delete(digests: readonly string[]): Promise<void> {
    const ended = new Set(digests);
    return this.#remove(({ digest }) => ended.has(digest));
  }

  deleteByUser(userId: string | null, exceptDigest?: string): Promise<void> {
    return this.#remove((session) => session.userId === userId && session.digest !== exceptDigest);
  }

  deleteAll(exceptDigest?: string): Promise<void> {
    return this.#remove(({ digest }) => digest !== exceptDigest);
  }

  deleteIdle(seenBeforeMs: number): Promise<void> {
    // Written so that a time that is not a number ends the session.
    return this.#remove(({ lastSeenAt }) => !(lastSeenAt >= seenBeforeMs));
  }

  #remove(isEnded: (session: Session) => boolean): Promise<void> {
    const ended = [...this].filter(isEnded);
    for (const { digest } of ended) this.#sessions.delete(digest);
    return ended.length > 0 ? this.#saving.save() : Promise.resolve();
  }
}

/** Times of last use in memory. */
export class LastUseMap implements LastUseStore {
  readonly #times: Map<string, number>;
  readonly #saveLater: () => void;

  constructor(times: Map<string, number>, saveLater: () => void) {
    this.#times = times;
    this.#saveLater = saveLater;
  }

  async read(names: readonly string[]): Promise<readonly (number | undefined)[]> {
    return names.map((name) => this.#times.get(name));
  }

  async note(name: string, atMs: number): Promise<void> {
    const before = this.#times.get(name);
    if (before !== undefined && atMs - before < PRECISION_MS) return;
    this.#times.set(name, atMs);
    this.#saveLater();
  }
}
