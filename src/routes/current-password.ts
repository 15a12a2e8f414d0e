import { verifyPassword } from '../auth/passwords.ts';
import { HttpError } from '../errors.ts';
import { clientAddress } from '../http/client-address.ts';
import type { Context } from './context.ts';
import { requireField, wrong } from './fields.ts';
import type { Fields } from './json-body.ts';
import type { Services } from './services.ts';

export interface CurrentPasswordOptions extends Pick<Services, 'config' | 'passwordWork' | 'throttle'> {
  /** The account whose password is to be changed. */
  readonly account: { readonly username: string; readonly passwordHash: string };
}

/**
 * Checks the field `currentPassword`, under the same throttle as a sign-in.
 * @throws HttpError `invalid_credentials` if it is wrong, `too_many_attempts`, `missing_required_parameter`,
 *   `invalid_value`.
 */
export async function requireCurrentPassword(
  { req }: Context,
  fields: Fields,
  { config, passwordWork: work, throttle, account }: CurrentPasswordOptions,
): Promise<void> {
  const password = requireField(fields, 'currentPassword');
  if (typeof password !== 'string') throw wrong('currentPassword', 'must be text');
  const address = clientAddress(req, config.trustProxyHops);
  const attempt = await throttle.begin(account.username, address);
  let isRight: boolean;
  try {
    isRight = await verifyPassword(password, account.passwordHash, { work, lane: 'trusted' });
  } catch (error) {
    await attempt.cancel();
    throw error;
  }
  if (!isRight) throw wrongPassword();
  await attempt.succeed();
}

/** The error for a wrong current password. */
export function wrongPassword(): HttpError {
  return new HttpError('invalid_credentials', 'The current password is wrong.', { param: 'currentPassword' });
}
