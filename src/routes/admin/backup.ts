import { HttpError } from '../../errors.ts';
import { readBody } from '../../http/body.ts';
import { sendBytes, sendJson } from '../../http/reply.ts';
import { queryValue } from '../../http/request-target.ts';
import { isJsonType } from '../../protocols/passed-headers.ts';
import { type BackupSecrets, exportBackup, parseBackup } from '../../store/backup.ts';
import { DOCUMENT_LIMIT_BYTES } from '../../store/document.ts';
import { planRestore } from '../../store/restore.ts';
import type { Context, Handler } from '../context.ts';
import type { Services } from '../services.ts';

const PASSPHRASE_LENGTH = 12;

/** The whole configuration as one file, without sessions, keys of providers sealed or left out. */
export function downloadBackup(services: Services): Handler {
  const { store, now, randomBytes } = services;
  return async (context) => {
    const secrets = chooseSecrets(context, services);
    const bytes = await exportBackup(store.config.snapshot(), { secrets, now, randomBytes });
    const name = `ipin-proxy-backup-${new Date(now()).toISOString().slice(0, 10)}.json`;
    sendBytes(context, 200, bytes, [
      'content-type',
      'application/json',
      'content-disposition',
      `attachment; filename="${name}"`,
      'cache-control',
      'no-store',
    ]);
  };
}

/** Replaces the configuration with a backup, all or nothing, or only reports what that would change. */
export function restoreBackup(services: Services): Handler {
  const { store, config, credentials, now, randomBytes } = services;
  return async (context) => {
    if (!isJsonType(context.req.headers['content-type'])) {
      throw new HttpError(
        'unsupported_content_type',
        'Send the backup file as it is, with Content-Type: application/json.',
      );
    }
    const isDryRun = queryValue(context.query, 'dryRun') === 'true';
    const lease = services.budget.open('api');
    try {
      const bytes = await readBody(context, { limitBytes: DOCUMENT_LIMIT_BYTES, lease });
      const { encryptionKey, previousEncryptionKey } = config;
      const passphrase = readPassphrase(context);
      const options = { encryptionKey, previousEncryptionKey, passphrase, credentials, now, randomBytes };
      const backup = await parseBackup(bytes, options);
      if (isDryRun) return sendJson(context, 200, planRestore(store.config.snapshot(), backup).report);
      const report = await store.config.update((state) => {
        const plan = planRestore(state, backup);
        return { state: plan.config, result: plan.report };
      });
      await keepOnlySession(context, services);
      sendJson(context, 200, report);
    } finally {
      lease.release();
    }
  };
}

/** Ends every session but the restorer's, which goes on under the admin's restored password. */
async function keepOnlySession({ principal }: Context, { admin, sessions }: Services): Promise<void> {
  if (principal.kind !== 'admin') return sessions.endEverybody();
  await sessions.rebind(principal.session, await admin.fingerprint());
  await sessions.endEverybody(principal.session.digest);
}

function chooseSecrets(context: Context, { config }: Services): BackupSecrets {
  if (queryValue(context.query, 'secrets') === 'omit') return { mode: 'omit' };
  const passphrase = readPassphrase(context);
  if (passphrase !== null) return { mode: 'passphrase', passphrase };
  if (config.encryptionKey !== null) return { mode: 'encryption-key', key: config.encryptionKey };
  throw new HttpError(
    'passphrase_required',
    'Without ENCRYPTION_KEY the provider keys need a passphrase: send X-Backup-Passphrase (12 or more characters), or ?secrets=omit to leave them out.',
  );
}

/** Percent-encoded UTF-8, because headers carry ASCII only. @throws HttpError `invalid_passphrase`. */
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
