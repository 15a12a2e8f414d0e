import { userFingerprint } from '../../auth/credentials.ts';
import { parseNewPassword, verifyPassword } from '../../auth/passwords.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import { requireEntity, withEntity } from '../../store/changes.ts';
import type { Context, Handler } from '../context.ts';
import { requireField, wrong } from '../fields.ts';
import { readFields } from '../json-body.ts';
import { addressOf } from '../request-origin.ts';
import type { Services } from '../services.ts';
import { offeredModels } from '../v1/models.ts';

/** The signed-in user of a `/api/user` request: the guard let nobody else in. */
export function signedInUser(context: Context): Extract<Context['principal'], { kind: 'user' }> {
  if (context.principal.kind === 'user') return context.principal;
  throw new HttpError('forbidden', 'This address is for users.');
}

/** Who is signed in, and which models he may use. */
export function userMe({ store }: Services): Handler {
  return (context) => {
    const principal = signedInUser(context);
    const { id, username, name } = principal.user;
    const models = offeredModels(store.config.snapshot(), principal).map((model) => model.id);
    sendJson(context, 200, { id, username, name, role: 'user', models, limits: null });
  };
}

/** Changes the user's own password and ends his other sessions. */
export function changePassword(services: Services): Handler {
  const { passwordWork: work, credentials, store, sessions, throttle } = services;
  return async (context) => {
    const { user, session } = signedInUser(context);
    const fields = await readFields(context, services.budget);
    const current = requireField(fields, 'currentPassword');
    const password = parseNewPassword(requireField(fields, 'newPassword'), 'newPassword');
    if (typeof current !== 'string') throw wrong('currentPassword', 'must be text');
    const attempt = throttle.begin(user.username, addressOf(context, services.config.trustProxyHops));
    const isRight = await verifyPassword(current, user.passwordHash, { work, lane: 'trusted' }).catch(
      (error: unknown) => {
        attempt.cancel();
        throw error;
      },
    );
    if (!isRight) throw wrongPassword();
    attempt.succeed();
    const passwordHash = await credentials.hashPassword(password);
    const changed = await store.config.update((state) => {
      const before = requireEntity(state, 'users', user.id);
      // The admin may have set another one meanwhile, to keep out whoever knew this one.
      if (before.passwordHash !== user.passwordHash) throw wrongPassword();
      const after = { ...before, passwordHash, updatedAt: new Date(services.now()).toISOString() };
      return { state: withEntity(state, 'users', after), result: after };
    });
    await sessions.rebind(session, userFingerprint(changed.passwordHash));
    await sessions.endAll(user.id, session.digest);
    sendJson(context, 200, { id: user.id, username: user.username });
  };
}

function wrongPassword(): HttpError {
  return new HttpError('invalid_credentials', 'The current password is wrong.', { param: 'currentPassword' });
}
