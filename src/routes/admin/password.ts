import { parseNewPassword } from '../../auth/passwords.ts';
import { isDefaultPassword } from '../../config.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../http/reply.ts';
import type { Handler } from '../context.ts';
import { requireCurrentPassword, wrongPassword } from '../current-password.ts';
import { requireField, wrong } from '../fields.ts';
import { readFields } from '../json-body.ts';
import type { Services } from '../services.ts';

/**
 * Sets the admin's password, which ends the default one for good, and ends the admin's other sessions.
 * @throws (the handler) HttpError `managed_by_environment` where UI_PASSWORD is set
 */
export function changeAdminPassword(services: Services): Handler {
  const { admin, credentials, store, sessions } = services;
  return async (context) => {
    const { principal } = context;
    if (principal.kind !== 'admin') throw new HttpError('forbidden', 'This address is for the admin.');
    if (admin.isManagedByEnvironment) {
      throw new HttpError(
        'managed_by_environment',
        'UI_PASSWORD sets the admin password. Change that variable, then restart.',
      );
    }
    const fields = await readFields(context, services.budget);
    const password = parseNewPassword(requireField(fields, 'newPassword'), 'newPassword');
    if (isDefaultPassword(password)) throw wrong('newPassword', 'must not be a default password');
    const before = store.config.view().adminPasswordHash;
    const passwordHash = await admin.passwordHash();
    await requireCurrentPassword(context, fields, {
      ...services,
      account: { username: admin.username, passwordHash },
    });
    const adminPasswordHash = await credentials.hashPassword(password);
    await store.config.update((state) => {
      // Another session may have set one meanwhile, to keep out whoever knew this one.
      if (state.adminPasswordHash !== before) throw wrongPassword();
      return { state: { ...state, adminPasswordHash }, result: null };
    });
    await sessions.rebind(principal.session, await admin.fingerprint(adminPasswordHash));
    await sessions.endAll(null, principal.session.digest);
    sendJson(context, 200, { username: admin.username, role: 'admin' });
  };
}
