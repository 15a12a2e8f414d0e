import { createHash, createHmac } from 'node:crypto';
import { HttpError } from '../errors.ts';
import type { Role, User } from '../store/entities.ts';
import { describeKey } from './api-keys.ts';
import { DEFAULT_PASSWORD, DEFAULT_PASSWORDS, isDefaultPassword } from './known-secrets.ts';
import type { PasswordWork, WorkLane } from './password-work.ts';
import { hashPassword, hashWithSalt, type NewHashOptions, verifyPassword } from './passwords.ts';

/** The admin's login: UI_PASSWORD, else the password set in the panel, else the default one. */
export interface AdminCredential {
  readonly username: string;
  /** UI_PASSWORD is set: it alone counts, whatever is stored. */
  readonly isManagedByEnvironment: boolean;
  /** True while the password is one that documentation prints. */
  isDefault(): boolean;
  /** What a password is verified against. That of UI_PASSWORD and of the default one is kept in memory only. */
  passwordHash(): Promise<string>;
  /**
   * Changes when the name or the password does; of the present password, or of the one with this hash. Safe to store, see
   * `createAdminCredential`.
   */
  fingerprint(passwordHash?: string): Promise<string>;
}

export interface AdminCredentialOptions {
  readonly username: string;
  /** UI_PASSWORD; null: not set. */
  readonly password: string | null;
  /** The hash of the password set in the panel as it is now; null: none was set. */
  readonly storedHash: () => string | null;
  /** The store's own random id: it serves as salt, so that one table of passwords does not fit two stores. */
  readonly instanceId: string;
  readonly work: PasswordWork;
}

/**
 * The account that a name and password opened. `credential` is the fingerprint that a session opened now is bound to.
 */
export interface Account {
  readonly role: Role;
  /** null for the admin. */
  readonly user: User | null;
  readonly username: string;
  readonly credential: string;
}

export interface CheckOptions {
  readonly admin: AdminCredential;
  readonly userByUsername: ReadonlyMap<string, User>;
  /** Who may sign in here; `any`: admin or user, whichever fits. */
  readonly role: Role | 'any';
  readonly work: PasswordWork;
  readonly lane?: WorkLane;
}

/**
 * Makes the admin's credential. The one scrypt it needs runs at the first call of either function (call `fingerprint`
 * right after the start) and is kept; a failed one is tried again.
 *
 * The fingerprint stands beside sessions in the database file. A plain hash of the password there would let a thief of
 * the file try billions of passwords a second; this one is an HMAC under the scrypt output, so that every guess costs
 * a whole scrypt, as with the users' own hashes, and the scrypt output itself is nowhere on the disk. (The hash of a
 * password set in the panel is on the disk, like the users'.)
 */
export function createAdminCredential(options: AdminCredentialOptions): AdminCredential {
  const salt = createHash('sha256').update(`admin\0${options.instanceId}`).digest().subarray(0, 16);
  let pending: Promise<string> | null = null;
  const { username, password } = options;
  const storedHash = (): string | null => (password === null ? options.storedHash() : null);
  const ownHash = (): Promise<string> => {
    const hashing = { work: options.work, lane: 'trusted' } as const;
    pending ??= hashWithSalt(password ?? DEFAULT_PASSWORD, salt, hashing).catch((error: unknown) => {
      pending = null;
      throw error;
    });
    return pending;
  };
  const passwordHash = async (): Promise<string> => storedHash() ?? (await ownHash());
  return {
    username,
    isManagedByEnvironment: password !== null,
    isDefault: () => (password === null ? storedHash() === null : isDefaultPassword(password)),
    passwordHash,
    async fingerprint(ofHash) {
      const hash = ofHash ?? (await passwordHash());
      return createHmac('sha256', hash).update(`admin session\0${username}`).digest('base64url');
    },
  };
}

/** Makes the form in which API keys and passwords are stored. Hashing throws HttpError `too_many_attempts`. */
export function createCredentialCodec(options: Pick<NewHashOptions, 'work' | 'randomBytes'>): {
  readonly describeKey: typeof describeKey;
  readonly hashPassword: (password: string) => Promise<string>;
} {
  return {
    describeKey,
    hashPassword: (password) => hashPassword(password, { ...options, lane: 'trusted' }),
  };
}

/** The fingerprint of a user's credentials: it changes when the password is set, even to the same one (new salt). */
export function userFingerprint(passwordHash: string): string {
  return createHash('sha256').update(`user session\0${passwordHash}`).digest('base64url');
}

/**
 * Finds the account that a name and a password open, or null. One scrypt is done whether the name is the admin's, a
 * user's, a disabled user's or nobody's, so that time does not tell them apart. (A user who bears the admin's name,
 * because UI_USERNAME was changed to theirs, costs a second one.)
 * @throws HttpError `too_many_attempts` when too many sign-ins wait already; `invalid_credentials` for the right password
 *   of a disabled user, who would otherwise try others until they are throttled. Whoever has another one is told
 *   nothing.
 */
export async function checkCredentials(
  username: string,
  password: string,
  options: CheckOptions,
): Promise<Account | null> {
  const { admin, role } = options;
  const user = role === 'admin' ? undefined : options.userByUsername.get(username);
  const isAdminName = role !== 'user' && username === admin.username;
  // Always awaited: if only the admin's sign-in waited for the first hash, its time would give the name away.
  const adminHash = await admin.passwordHash();
  if (isAdminName && (await verifyPassword(password, adminHash, options))) {
    // From the hash that was verified: the password may have changed since.
    return { role: 'admin', user: null, username, credential: await admin.fingerprint(adminHash) };
  }
  if (isAdminName && user === undefined) return null;
  const isRight = await verifyPassword(password, user?.passwordHash ?? null, options);
  if (!isRight || user === undefined) return null;
  if (!user.enabled) {
    throw new HttpError(
      'invalid_credentials',
      'This account is switched off. Ask the person who runs this proxy to switch it on again.',
    );
  }
  return { role: 'user', user, username, credential: userFingerprint(user.passwordHash) };
}

/**
 * The present record of the user who signed in: their request may have taken minutes to arrive.
 * @throws HttpError `not_signed_in` where they are gone, disabled or have another password.
 */
export function requireStillSignedIn(users: ReadonlyMap<string, User>, signedIn: User): User {
  const user = users.get(signedIn.id);
  if (user?.enabled === true && user.passwordHash === signedIn.passwordHash) return user;
  throw new HttpError('not_signed_in', 'Your session has ended. Sign in again.');
}

/**
 * Tells whether a stored hash is that of a default password: a file from elsewhere may hold it, and would open the default
 * login to the network. @throws HttpError `too_many_attempts` when too many hashes wait already.
 */
export async function isHashOfDefaultPassword(stored: string, work: PasswordWork): Promise<boolean> {
  for (const password of DEFAULT_PASSWORDS) {
    if (await verifyPassword(password, stored, { work, lane: 'trusted' })) return true;
  }
  return false;
}
