import { verifyPassword } from '../auth/passwords.ts';
import { HttpError } from '../errors.ts';
import type { Context } from './context.ts';
import { requireField, wrong } from './fields.ts';
import type { Fields } from './json-body.ts';
import { addressOf } from './request-origin.ts';
import type { Services } from './services.ts';

export interface CurrentPasswordOptions extends Pick<Services, 'config' | 'passwordWork' | 'throttle'> {
  /** Whose password is to be changed. */
  readonly account: { readonly username: string; readonly passwordHash: string };
}

/**
 * Checks the field `currentPassword`, under the same throttle as a sign-in.
 * @throws HttpError `invalid_credentials` where it is wrong, `too_many_attempts`, `missing_required_parameter`,
 *   `invalid_value`
 */
export async function requireCurrentPassword(
  context: Context,
  fields: Fields,
  { config, passwordWork: work, throttle, account }: CurrentPasswordOptions,
): Promise<void> {
  const current = requireField(fields, 'currentPassword');
  if (typeof current !== 'string') throw wrong('currentPassword', 'must be text');
  const attempt = throttle.begin(account.username, addressOf(context, config.trustProxyHops));
  const isRight = await verifyPassword(current, account.passwordHash, { work, lane: 'trusted' }).catch(
    (error: unknown) => {
      attempt.cancel();
      throw error;
    },
  );
  if (!isRight) throw wrongPassword();
  attempt.succeed();
}

/** The refusal of a wrong current password. */
export function wrongPassword(): HttpError {
  return new HttpError('invalid_credentials', 'The current password is wrong.', { param: 'currentPassword' });
}
