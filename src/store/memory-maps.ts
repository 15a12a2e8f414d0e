import type { BoundedMap } from './bounded-map.ts';
import type { Session } from './entities.ts';
import type { LastUseStore, SessionStore } from './store.ts';

/** A use that is later by less than this is not noted: a busy key would have the disk written without end. */
const PRECISION_MS = 60_000;

export interface SessionSaving {
  /** Called for what may be written later. */
  readonly soften: () => void;
  /** Resolves when the sessions are written, or lives on in memory. */
  readonly save: () => Promise<void>;
}

/** Sessions in memory. A change shows at once and is then saved. */
export class SessionMap implements SessionStore {
  readonly #sessions: BoundedMap<Session>;
  readonly #saving: SessionSaving;

  constructor(sessions: BoundedMap<Session>, saving: SessionSaving) {
    this.#sessions = sessions;
    this.#saving = saving;
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
    this.#saving.soften();
  }

  async list(): Promise<readonly Session[]> {
    return [...this.#sessions.values()];
  }

  async listByUser(userId: string | null): Promise<readonly Session[]> {
    return [...this.#sessions.values()].filter((session) => session.userId === userId);
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
    const ended = [...this.#sessions.values()].filter(isEnded);
    for (const { digest } of ended) this.#sessions.delete(digest);
    return ended.length > 0 ? this.#saving.save() : Promise.resolve();
  }
}

/** Times of last use in memory. */
export class LastUseMap implements LastUseStore {
  readonly #times: BoundedMap<number>;
  readonly #soften: () => void;

  constructor(times: BoundedMap<number>, soften: () => void) {
    this.#times = times;
    this.#soften = soften;
  }

  async read(names: readonly string[]): Promise<readonly (number | undefined)[]> {
    return names.map((name) => this.#times.get(name));
  }

  async note(name: string, atMs: number): Promise<void> {
    const before = this.#times.get(name);
    if (before !== undefined && atMs - before < PRECISION_MS) return;
    this.#times.set(name, atMs);
    this.#soften();
  }
}
