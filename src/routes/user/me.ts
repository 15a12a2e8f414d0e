import { userFingerprint } from '../../auth/credentials.ts';
import { parseNewPassword } from '../../auth/passwords.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import { requireEntity, withEntity } from '../../store/changes.ts';
import type { Context, Handler } from '../context.ts';
import { requireCurrentPassword, wrongPassword } from '../current-password.ts';
import { requireField } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { Services } from '../services.ts';
import { offeredModels } from '../v1/models.ts';

/** The signed-in user of a `/api/user` request: the guard let nobody else in. */
export function signedInUser(context: Context): Extract<Context['principal'], { kind: 'user' }> {
  if (context.principal.kind === 'user') return context.principal;
  throw new HttpError('forbidden', 'This address is for users.');
}

/** Who is signed in, and which models they may use. */
export function userMe({ store }: Services): Handler {
  return (context) => {
    const principal = signedInUser(context);
    const { id, username, name } = principal.user;
    const models = offeredModels(store.config.view(), principal).map((model) => model.id);
    sendJson(context, 200, { id, username, name, role: 'user', models, limits: null });
  };
}

/** Changes the user's own password and ends their other sessions. */
export function changePassword(services: Services): Handler {
  const { credentials, store, sessions } = services;
  return async (context) => {
    const { user, session } = signedInUser(context);
    const fields = await readFields(context, services.budget);
    const password = parseNewPassword(requireField(fields, 'newPassword'), 'newPassword');
    await requireCurrentPassword(context, fields, { ...services, account: user });
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
