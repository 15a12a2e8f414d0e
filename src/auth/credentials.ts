import { createHash, createHmac } from 'node:crypto';
import { HttpError } from '../errors.ts';
import type { Role, User } from '../store/entities.ts';
import { describeKey } from './api-keys.ts';
import { DEFAULT_PASSWORD, DEFAULT_PASSWORDS, isDefaultPassword } from './known-secrets.ts';
import type { PasswordWork, WorkLane } from './password-work.ts';
import { hashPassword, hashWithSalt, type NewHashOptions, verifyPassword } from './passwords.ts';

/** The admin's name and password. UI_PASSWORD counts first, then the password set in the panel, then the default one. */
export interface AdminCredential {
  readonly username: string;
  /** True if UI_PASSWORD is set: a stored password does not count then. */
  readonly isManagedByEnvironment: boolean;
  /** True while the password is one that the documentation prints. */
  isDefault(): boolean;
  /** The hash to verify a password against. For UI_PASSWORD and the default password it exists in memory only. */
  passwordHash(): Promise<string>;
  /**
   * The fingerprint of the name and a password: the current one, or the one with this hash. It changes when either does.
   * It is safe to store, see `createAdminCredential`.
   */
  fingerprint(passwordHash?: string): Promise<string>;
}

export interface AdminCredentialOptions {
  readonly username: string;
  /** UI_PASSWORD; null if it is not set. */
  readonly password: string | null;
  /** Returns the hash of the password set in the panel, or null if none is set. */
  readonly storedHash: () => string | null;
  /** The store's random id, used as salt: a table of precomputed hashes fits one store at most. */
  readonly instanceId: string;
  readonly work: PasswordWork;
}

/** The account that a name and a password belong to. */
export interface Account {
  readonly role: Role;
  /** null for the admin. */
  readonly user: User | null;
  readonly username: string;
  /** The fingerprint to which a session opened now is bound. */
  readonly credential: string;
}

export interface CheckOptions {
  readonly admin: AdminCredential;
  readonly userByUsername: ReadonlyMap<string, User>;
  /** Who may sign in here; `any`: the admin and users. */
  readonly role: Role | 'any';
  readonly work: PasswordWork;
  readonly lane?: WorkLane;
}

/**
 * Makes the admin's credential. The first call of `passwordHash` or `fingerprint` runs one scrypt, and its result is kept;
 * a failed scrypt is tried again at the next call. Call `fingerprint` right after the start.
 *
 * The database file holds the fingerprint with each session. A plain hash of the password would let a thief of the file
 * try billions of passwords a second. The fingerprint is an HMAC keyed with the scrypt output, so each guess costs a whole
 * scrypt, as with the users' hashes. The scrypt output of UI_PASSWORD and of the default password is never on the disk.
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

/** Makes what the store keeps instead of API keys and passwords. Hashing throws HttpError `too_many_attempts`. */
export function createCredentialCodec(options: Pick<NewHashOptions, 'work' | 'randomBytes'>): {
  readonly describeKey: typeof describeKey;
  readonly hashPassword: (password: string) => Promise<string>;
} {
  return {
    describeKey,
    hashPassword: (password) => hashPassword(password, { ...options, lane: 'trusted' }),
  };
}

/** The fingerprint of a user's password. It changes whenever the password is set, even to the same one (new salt). */
export function userFingerprint(passwordHash: string): string {
  return createHash('sha256').update(`user session\0${passwordHash}`).digest('base64url');
}

/**
 * Finds the account that a name and a password belong to, or null. It runs one scrypt, whether the name is the admin's, a
 * user's, a disabled user's or nobody's, so that the time does not tell them apart. (If UI_USERNAME was changed to a
 * user's name, that name costs a second scrypt.)
 * @throws HttpError `too_many_attempts` if too many sign-ins wait; `invalid_credentials` for the right password of a
 *   disabled user, who would otherwise try other passwords until they are throttled. A wrong password reveals nothing.
 */
export async function checkCredentials(
  username: string,
  password: string,
  options: CheckOptions,
): Promise<Account | null> {
  const { admin, role } = options;
  const user = role === 'admin' ? undefined : options.userByUsername.get(username);
  const isAdminName = role !== 'user' && username === admin.username;
  // Awaited for every name: if only the admin's sign-in waited for the first hash, the time would reveal the name.
  const adminHash = await admin.passwordHash();
  if (isAdminName && (await verifyPassword(password, adminHash, options))) {
    // From the hash that was verified, because the password may have changed since.
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
 * The current record of a signed-in user, checked again because their request may have taken minutes to arrive.
 * @throws HttpError `not_signed_in` if they were deleted or disabled, or have another password.
 */
export function requireStillSignedIn(users: ReadonlyMap<string, User>, signedIn: User): User {
  const user = users.get(signedIn.id);
  if (user?.enabled === true && user.passwordHash === signedIn.passwordHash) return user;
  throw new HttpError('not_signed_in', 'Your session has ended. Sign in again.');
}

/**
 * True if a stored hash is that of a default password. A file from elsewhere may contain such a hash, which would open the
 * default login to the network. @throws HttpError `too_many_attempts` if too many hashes wait.
 */
export async function isHashOfDefaultPassword(stored: string, work: PasswordWork): Promise<boolean> {
  for (const password of DEFAULT_PASSWORDS) {
    if (await verifyPassword(password, stored, { work, lane: 'trusted' })) return true;
  }
  return false;
}
