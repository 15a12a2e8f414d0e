import { createHash } from 'node:crypto';
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

export interface Sessions {
  /** Opens a session; resolves when it is durable. An account's 51st session ends the one that was idle for longest. */
  open(owner: SessionOwner): Promise<OpenedSession>;
  /** The owner of a session; null if it is unknown or expired, or its owner is gone, disabled or has a new password. */
  resolve(token: string): Promise<SignedIn | null>;
  end(session: Session): Promise<void>;
  /**
   * Binds a session to a new fingerprint, so that it goes on after its owner has changed their password in it. Does
   * nothing if the session has ended.
   */
  rebind(session: Session, credential: string): Promise<void>;
  /** Ends an account's sessions (`userId` null: the admin's) except the one with `exceptDigest`. */
  endAll(userId: string | null, exceptDigest?: string): Promise<void>;
  /** Ends everybody's sessions except the one with `exceptDigest`. */
  endEverybody(exceptDigest?: string): Promise<void>;
  /**
   * Removes every session that `resolve` would refuse. Call it at the start: a session of an old password must not come
   * back to life when a later start sets the old password again.
   */
  prune(): Promise<void>;
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

/** Makes the sessions. A token is 256 random bits; the store knows only its SHA-256. */
export function createSessions(options: SessionsOptions): Sessions {
  const { store, now } = options;
  const maxPerAccount = options.maxPerAccount ?? MAX_SESSIONS_PER_ACCOUNT;

  const principalOf = (session: Session, adminFingerprint: string): SignedIn | null => {
    if (!isAlive(session, now())) return null;
    if (session.role === 'admin') {
      return session.credential === adminFingerprint ? { kind: 'admin', session } : null;
    }
    const user = session.userId === null ? undefined : options.userById(session.userId);
    if (user === undefined || !user.enabled) return null;
    return session.credential === userFingerprint(user.passwordHash) ? { kind: 'user', session, user } : null;
  };

  const trim = async (opened: Session): Promise<void> => {
    await store.deleteIdle(opened.createdAt - IDLE_LIFETIME_MS + 1);
    const others = (await store.listByUser(opened.userId)).filter(({ digest }) => digest !== opened.digest);
    const alive = others.filter((session) => isAlive(session, opened.createdAt));
    const kept = alive.sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, maxPerAccount - 1);
    const ended = others.filter((session) => !kept.includes(session));
    if (ended.length > 0) await store.delete(ended.map(({ digest }) => digest));
  };

  return {
    async open(owner) {
      const token = options.randomBytes(TOKEN_BYTES).toString('base64url');
      const createdAt = now();
      const session: Session = {
        digest: digestToken(token),
        role: owner.user === null ? 'admin' : 'user',
        userId: owner.user?.id ?? null,
        credential: owner.credential,
        createdAt,
        lastSeenAt: createdAt,
      };
      await store.put(session);
      await trim(session);
      return { token, session, expiresAt: new Date(createdAt + ABSOLUTE_LIFETIME_MS).toISOString() };
    },
    async resolve(token) {
      if (!TOKEN.test(token)) return null;
      const digest = digestToken(token);
      const found = await store.get(digest);
      if (found === undefined) return null;
      const fingerprint = found.role === 'admin' ? await options.adminFingerprint() : '';
      // Looked up again: it may have ended while the fingerprint was being made.
      const session = await store.get(digest);
      const principal = session === undefined ? null : principalOf(session, fingerprint);
      if (principal === null) {
        // Gone from memory at once; the answer need not wait for the disk, and a failing one changes nothing in it.
        store.delete([digest]).catch(() => {});
        return null;
      }
      const seenAt = now();
      if (seenAt - principal.session.lastSeenAt < TOUCH_INTERVAL_MS) return principal;
      await store.touch(digest, seenAt);
      return { ...principal, session: { ...principal.session, lastSeenAt: seenAt } };
    },
    end: (session) => store.delete([session.digest]),
    rebind: (session, credential) => store.rebind(session.digest, credential),
    endAll: (userId, exceptDigest) => store.deleteByUser(userId, exceptDigest),
    endEverybody: (exceptDigest) => store.deleteAll(exceptDigest),
    async prune() {
      const fingerprint = await options.adminFingerprint();
      const ended = (await store.list()).filter((session) => principalOf(session, fingerprint) === null);
      await store.delete(ended.map(({ digest }) => digest));
    },
  };
}

/** The digest under which a session is stored and looked up: SHA-256, lower-case hex. */
function digestToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Comparisons with NaN are false, so a damaged time ends the session. */
function isAlive(session: Session, nowMs: number): boolean {
  const age = nowMs - session.createdAt;
  const idle = nowMs - session.lastSeenAt;
  return (
    age < ABSOLUTE_LIFETIME_MS && idle < IDLE_LIFETIME_MS && age >= -CLOCK_SLACK_MS && idle >= -CLOCK_SLACK_MS
  );
}
