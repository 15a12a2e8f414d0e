import { userFingerprint } from '../../auth/credentials.ts';
import { parseNewPassword } from '../../auth/passwords.ts';
import { sendJson } from '../../http/reply.ts';
import { requireEntity, withEntity } from '../../store/changes.ts';
import type { Handler } from '../context.ts';
import { requireCurrentPassword, wrongPassword } from '../current-password.ts';
import { requireField } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { Services } from '../services.ts';
import { signedInUser } from './me.ts';

/** Changes the user's password and ends their other sessions. */
export function changeOwnPassword(services: Services): Handler {
  const { credentials, sessions } = services;
  return async (context) => {
    const { user, session } = signedInUser(context.principal);
    const fields = await readFields(context, services.budget);
    const password = parseNewPassword(requireField(fields, 'newPassword'), 'newPassword');
    await requireCurrentPassword(context, fields, { ...services, account: user });
    const passwordHash = await credentials.hashPassword(password);
    const updatedAt = new Date(services.now()).toISOString();
    await services.changeConfig((state) => {
      const before = requireEntity(state, 'users', user.id);
      // The admin may have set another password meanwhile, to lock out a person who knew this one.
      if (before.passwordHash !== user.passwordHash) throw wrongPassword();
      return { state: withEntity(state, 'users', { ...before, passwordHash, updatedAt }), result: null };
    });
    await sessions.rebind(session, userFingerprint(passwordHash));
    await sessions.endAll(user.id, session.digest);
    sendJson(context, 200, { id: user.id, username: user.username });
  };
}
