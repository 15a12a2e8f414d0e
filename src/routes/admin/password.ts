import { isDefaultPassword } from '../../auth/known-secrets.ts';
import { parseNewPassword } from '../../auth/passwords.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import type { Handler } from '../context.ts';
import { requireCurrentPassword, wrongPassword } from '../current-password.ts';
import { requireField, wrong } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { Services } from '../services.ts';

/**
 * Sets the admin's password, which ends the default password for good, and ends the admin's other sessions.
 * @throws (the handler) HttpError `managed_by_environment` if UI_PASSWORD is set.
 */
export function changeAdminPassword(services: Services): Handler {
  const { admin, credentials, store, sessions } = services;
  return async (context) => {
    const { principal } = context;
    if (principal.kind !== 'admin') throw new HttpError('forbidden', 'This address is for the admin.');
    if (admin.isManagedByEnvironment) {
      const message = 'UI_PASSWORD sets the admin password. Change that variable, then restart.';
      throw new HttpError('managed_by_environment', message);
    }
    const fields = await readFields(context, services.budget);
    const password = parseNewPassword(requireField(fields, 'newPassword'), 'newPassword');
    if (isDefaultPassword(password)) throw wrong('newPassword', 'must not be a default password');
    const before = store.config.view().adminPasswordHash;
    const account = { username: admin.username, passwordHash: await admin.passwordHash() };
    await requireCurrentPassword(context, fields, { ...services, account });
    const adminPasswordHash = await credentials.hashPassword(password);
    await services.changeConfig((state) => {
      // Another session may have set a password meanwhile, to lock out a person who knew this one.
      if (state.adminPasswordHash !== before) throw wrongPassword();
      return { state: { ...state, adminPasswordHash }, result: null };
    });
    await sessions.rebind(principal.session, await admin.fingerprint(adminPasswordHash));
    await sessions.endAll(null, principal.session.digest);
    sendJson(context, 200, { username: admin.username, role: 'admin' });
  };
}
