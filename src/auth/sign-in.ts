import { HttpError } from '../errors.ts';
import type { Role, User } from '../store/entities.ts';
import { type Account, type AdminCredential, checkCredentials } from './credentials.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { PasswordWork } from './password-work.ts';
import type { OpenedSession, Sessions } from './sessions.ts';

export interface SignInOptions {
  readonly admin: AdminCredential;
  /** Returns the current users by name. */
  readonly userByUsername: () => ReadonlyMap<string, User>;
  readonly throttle: LoginThrottle;
  readonly work: PasswordWork;
  readonly sessions: Sessions;
}

export interface SignInRequest {
  readonly username: string;
  readonly password: string;
  readonly role: Role | 'any';
  /** See `clientAddress`. */
  readonly address: string;
  /** See `LocalAccess`; called only while the admin has a default password. */
  readonly isLocal: () => Promise<boolean>;
}

export interface SignedInAccount extends OpenedSession {
  readonly account: Account;
}

/** Checks a name and a password and opens a session. */
export type SignIn = (request: SignInRequest) => Promise<SignedInAccount>;

/**
 * Makes the sign-in of all three login routes.
 * @throws (the function returned) HttpError `invalid_credentials`, the same for a wrong name and a wrong password, and
 *   with another message, not counted, for a disabled user's right password; `too_many_attempts` with `retry-after`;
 *   `default_password_refused` for the admin's name from another machine while the password is a default one.
 */
export function createSignIn(options: SignInOptions): SignIn {
  return async ({ username, password, role, address, isLocal }) => {
    const isAdminName = role !== 'user' && username === options.admin.username;
    if (isAdminName && options.admin.isDefault() && !(await isLocal())) {
      throw new HttpError(
        'default_password_refused',
        `The default password works only on the machine itself, for the user who runs the server. ${howToSet(options.admin)}`,
      );
    }
    const attempt = await options.throttle.begin(username, address);
    const check = { ...options, role, lane: attempt.lane, userByUsername: options.userByUsername() };
    let account: Account | null;
    try {
      account = await checkCredentials(username, password, check);
    } catch (error) {
      await attempt.cancel();
      throw error;
    }
    if (account === null) throw new HttpError('invalid_credentials', 'The username or password is wrong.');
    await attempt.succeed();
    return { account, ...(await options.sessions.open(account)) };
  };
}

function howToSet(admin: AdminCredential): string {
  return admin.isManagedByEnvironment
    ? 'Set another UI_PASSWORD, then restart.'
    : 'Sign in there and set a password in Settings, or set UI_PASSWORD and restart.';
}
