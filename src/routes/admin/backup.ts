import { consumerOf } from '../../auth/consumer.ts';
import { isHashOfDefaultPassword } from '../../auth/credentials.ts';
import type { PasswordWork } from '../../auth/password-work.ts';
import { HttpError } from '../../errors.ts';
import { readBody } from '../../http/body.ts';
import { sendBytes, sendJson } from '../../http/reply.ts';
import { type BackupSecrets, exportBackup, parseBackup } from '../../store/backup.ts';
import { DOCUMENT_LIMIT_BYTES } from '../../store/document.ts';
import { planRestore, type RestorePlan, type RestoreReport } from '../../store/restore.ts';
import type { ConfigState } from '../../store/store.ts';
import type { Context, Handler } from '../context.ts';
import { readQueryChoice, readQueryFlag } from '../fields.ts';
import { requireJsonType } from '../json-body.ts';
import type { Services } from '../services.ts';

const PASSPHRASE_LENGTH = 12;

/** Sends the whole configuration as one file, without sessions. Provider keys are sealed or left out. */
export function downloadBackup(services: Services): Handler {
  const { store, now, randomBytes } = services;
  return async (context) => {
    const secrets = chooseSecrets(context, services);
    const bytes = await exportBackup(store.config.view(), { secrets, now, randomBytes });
    const name = `ipin-proxy-backup-${new Date(now()).toISOString().slice(0, 10)}.json`;
    sendBytes(context, 200, bytes, [
      'content-type',
      'application/json',
      'content-disposition',
      `attachment; filename="${name}"`,
    ]);
  };
}

/** Replaces the whole configuration with a backup. With `?dryRun=true` it only reports what would change. */
export function restoreBackup(services: Services): Handler {
  const { store, config, credentials, now, randomBytes } = services;
  return async (context) => {
    requireJsonType(context);
    const isDryRun = readQueryFlag(context.query, 'dryRun') ?? false;
    const acceptsUnbound = readQueryFlag(context.query, 'acceptUnboundKeys');
    const lease = services.budget.open(consumerOf(context.principal));
    try {
      const bytes = await readBody(context, { limitBytes: DOCUMENT_LIMIT_BYTES, lease });
      const { encryptionKey, previousEncryptionKey } = config;
      const passphrase = readPassphrase(context);
      const options = { encryptionKey, previousEncryptionKey, passphrase, credentials, now, randomBytes };
      const backup = await parseBackup(bytes, options);
      await refuseDefaultPassword(backup.config, services.passwordWork);
      const plan = (state: ConfigState): RestorePlan => {
        refuseAdminName(state, backup.config, config.uiUsername);
        const hasOwnMasterKey = config.masterApiKey !== null;
        return planRestore(state, backup, { hasOwnMasterKey, closesUnboundKeys: acceptsUnbound === false });
      };
      if (isDryRun) return sendJson(context, 200, plan(store.config.view()).report);
      const report = await services.changeConfig((state) => {
        const planned = plan(state);
        if (acceptsUnbound === null) refuseUnboundKeys(planned.report);
        return { state: planned.config, result: planned.report };
      });
      await keepOnlySession(context, services);
      sendJson(context, 200, report);
    } finally {
      lease.release();
    }
  };
}

/** A stored password signs in from everywhere, so it must not be a known one. @throws HttpError `invalid_value`. */
async function refuseDefaultPassword({ adminPasswordHash }: ConfigState, work: PasswordWork): Promise<void> {
  if (adminPasswordHash === null || !(await isHashOfDefaultPassword(adminPasswordHash, work))) return;
  const message =
    'Nothing was changed. The admin password in the backup is a default one. Remove its "adminPasswordHash" line.';
  throw new HttpError('invalid_value', message, { param: 'adminPasswordHash' });
}

/** Ends every session except the caller's, which goes on under the restored admin password. */
async function keepOnlySession({ principal }: Context, { admin, sessions }: Services): Promise<void> {
  if (principal.kind !== 'admin') return sessions.endEverybody();
  await sessions.rebind(principal.session, await admin.fingerprint());
  await sessions.endEverybody(principal.session.digest);
}

/**
 * A person may have altered a backup of an earlier version so that it names another host for a key. The caller must
 * confirm the addresses. @throws HttpError `missing_required_parameter`.
 */
function refuseUnboundKeys({ unboundKeys }: RestoreReport): void {
  if (unboundKeys.length === 0) return;
  const keys = unboundKeys.map(({ id, origin }) => `${id}: ${origin ?? 'no address'}`).join(', ');
  throw new HttpError(
    'missing_required_parameter',
    `Nothing was changed. An earlier version made this backup and did not bind provider keys to their addresses. The keys would be sent to: ${keys}. If all are right, restore with ?acceptUnboundKeys=true. With =false these keys are left out and must be entered again.`,
    { param: 'acceptUnboundKeys' },
  );
}

/**
 * Users must not have the admin's name. (A start allows it, because UI_USERNAME may be changed to a user's name.)
 * @throws HttpError `already_exists`.
 */
function refuseAdminName(current: ConfigState, restored: ConfigState, adminName: string): void {
  const folded = adminName.toLowerCase();
  for (const { id, username } of restored.users.values()) {
    if (username.toLowerCase() !== folded || current.users.get(id)?.username === username) continue;
    throw new HttpError(
      'already_exists',
      `Nothing was changed. In the backup, the user ${id} has the admin's name. Set UI_USERNAME to another name first.`,
      { param: 'username' },
    );
  }
}

function chooseSecrets(context: Context, { config }: Services): BackupSecrets {
  if (readQueryChoice(context.query, 'secrets', ['omit']) !== null) return { mode: 'omit' };
  const passphrase = readPassphrase(context);
  if (passphrase !== null) return { mode: 'passphrase', passphrase };
  if (config.encryptionKey !== null) return { mode: 'encryption-key', key: config.encryptionKey };
  throw new HttpError(
    'passphrase_required',
    `Without ENCRYPTION_KEY the provider keys need a passphrase. Send X-Backup-Passphrase (${PASSPHRASE_LENGTH} or more characters), or ?secrets=omit to leave the keys out.`,
  );
}

/** The header is percent-encoded UTF-8, because headers carry ASCII only. @throws HttpError `invalid_passphrase`. */
function readPassphrase(context: Context): string | null {
  const header = context.req.headers['x-backup-passphrase'];
  if (typeof header !== 'string' || header === '') return null;
  const passphrase = decode(header);
  if (passphrase !== null && [...passphrase].length >= PASSPHRASE_LENGTH) return passphrase;
  throw new HttpError(
    'invalid_passphrase',
    `X-Backup-Passphrase must be ${PASSPHRASE_LENGTH} or more characters of percent-encoded UTF-8.`,
  );
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
