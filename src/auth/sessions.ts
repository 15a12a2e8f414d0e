import { sha256Hex } from '../sha256.ts';
import type { Principal, Session, User } from '../store/entities.ts';
import type { SessionStore } from '../store/store.ts';
import { userFingerprint } from './credentials.ts';

/** A session ends this long after it was opened, however much it is used. */
export const ABSOLUTE_LIFETIME_MS = 12 * 60 * 60 * 1000;
/** A session ends after this long without a request. */
export const IDLE_LIFETIME_MS = 60 * 60 * 1000;

const TOUCH_INTERVAL_MS = 60 * 1000;
const MAX_SESSIONS_PER_ACCOUNT = 50;
/** A session from further in the future was opened under another clock and would outlive its lifetime. */
const CLOCK_SLACK_MS = 5 * 60 * 1000;
const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

export type SignedIn = Extract<Principal, { readonly kind: 'admin' | 'user' }>;

/** Who opens a session, such as an `Account` of credentials.ts. */
export interface SessionOwner {
  readonly user: User | null;
  readonly credential: string;
}

export interface OpenedSession {
  /** The secret. The client gets it; nobody stores it. */
  readonly token: string;
  readonly session: Session;
  /** ISO 8601. An idle session ends earlier. */
  readonly expiresAt: string;
}

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** The admin's current fingerprint, see `AdminCredential`. */
  readonly adminFingerprint: () => Promise<string>;
  /** A user's current record. */
  readonly userById: (id: string) => User | undefined;
  readonly maxPerAccount?: number;
}

/** The sessions of all accounts. A token is 256 random bits; the store knows only its SHA-256. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #store: SessionStore;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  /** Opens a session; resolves when it is durable. An account's 51st session ends the one that was idle for longest. */
  async open({ user, credential }: SessionOwner): Promise<OpenedSession> {
    const token = this.#options.randomBytes(TOKEN_BYTES).toString('base64url');
    const createdAt = this.#options.now();
    const session: Session = {
      digest: sha256Hex(token),
      role: user === null ? 'admin' : 'user',
      userId: user?.id ?? null,
      credential,
      createdAt,
      lastSeenAt: createdAt,
    };
    await this.#store.put(session);
    await this.#trim(session);
    return { token, session, expiresAt: new Date(createdAt + ABSOLUTE_LIFETIME_MS).toISOString() };
  }

  /** The owner of a session; null if it is unknown or expired, or its owner is gone, disabled or has a new password. */
  async resolve(token: string): Promise<SignedIn | null> {
    if (!TOKEN.test(token)) return null;
    const digest = sha256Hex(token);
    const found = await this.#store.get(digest);
    if (found === undefined) return null;
    const fingerprint = found.role === 'admin' ? await this.#options.adminFingerprint() : '';
    // Looked up again: it may have ended while the fingerprint was being made.
    const session = await this.#store.get(digest);
    const principal = session === undefined ? null : this.#principalOf(session, fingerprint);
    if (principal === null) {
      // Gone from memory at once; the answer need not wait for the disk, and a failing one changes nothing in it.
      this.#store.delete([digest]).catch(() => {});
      return null;
    }
    const seenAt = this.#options.now();
    if (seenAt - principal.session.lastSeenAt < TOUCH_INTERVAL_MS) return principal;
    await this.#store.touch(digest, seenAt);
    return { ...principal, session: { ...principal.session, lastSeenAt: seenAt } };
  }

  /** True if a session has not ended; this is no use of it. */
  async isOpen({ digest }: Session): Promise<boolean> {
    const fingerprint = await this.#options.adminFingerprint();
    const session = await this.#store.get(digest);
    return session !== undefined && this.#principalOf(session, fingerprint) !== null;
  }

  end({ digest }: Session): Promise<void> {
    return this.#store.delete([digest]);
  }

  /**
   * Binds a session to a new fingerprint, so that it goes on after its owner has changed their password in it. Does
   * nothing if the session has ended.
   */
  rebind({ digest }: Session, credential: string): Promise<void> {
    return this.#store.rebind(digest, credential);
  }

  /** Ends an account's sessions (`userId` null: the admin's) except the one with `exceptDigest`. */
  endAll(userId: string | null, exceptDigest?: string): Promise<void> {
    return this.#store.deleteByUser(userId, exceptDigest);
  }

  /** Ends everybody's sessions except the one with `exceptDigest`. */
  endEverybody(exceptDigest?: string): Promise<void> {
    return this.#store.deleteAll(exceptDigest);
  }

  /**
   * Removes every session that `resolve` would refuse. Call it at the start: a session of an old password must not come
   * back to life when a later start sets the old password again.
   */
  async prune(): Promise<void> {
    const fingerprint = await this.#options.adminFingerprint();
    const sessions = await this.#store.list();
    const ended = sessions.filter((session) => this.#principalOf(session, fingerprint) === null);
    await this.#store.delete(ended.map(({ digest }) => digest));
  }

  #principalOf(session: Session, adminFingerprint: string): SignedIn | null {
    if (!isAlive(session, this.#options.now())) return null;
    if (session.role === 'admin') {
      return session.credential === adminFingerprint ? { kind: 'admin', session } : null;
    }
    const user = session.userId === null ? undefined : this.#options.userById(session.userId);
    if (user === undefined || !user.enabled) return null;
    return session.credential === userFingerprint(user.passwordHash) ? { kind: 'user', session, user } : null;
  }

  /** Ends the sessions of an account beyond its most, and those that have expired. */
  async #trim(opened: Session): Promise<void> {
    const { maxPerAccount = MAX_SESSIONS_PER_ACCOUNT } = this.#options;
    await this.#store.deleteIdle(opened.createdAt - IDLE_LIFETIME_MS + 1);
    const others = (await this.#store.listByUser(opened.userId)).filter(
      ({ digest }) => digest !== opened.digest,
    );
    const alive = others.filter((session) => isAlive(session, opened.createdAt));
    const kept = alive.sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, maxPerAccount - 1);
    const ended = others.filter((session) => !kept.includes(session));
    if (ended.length > 0) await this.#store.delete(ended.map(({ digest }) => digest));
  }
}

/** Comparisons with NaN are false, so a damaged time ends the session. */
function isAlive(session: Session, nowMs: number): boolean {
  const age = nowMs - session.createdAt;
  const idle = nowMs - session.lastSeenAt;
  return (
    age < ABSOLUTE_LIFETIME_MS && idle < IDLE_LIFETIME_MS && age >= -CLOCK_SLACK_MS && idle >= -CLOCK_SLACK_MS
  );
}
