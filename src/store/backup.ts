import { HttpError } from '../errors.ts';
import { isRecord } from '../json/value.ts';
import { shownText } from '../shown-text.ts';
import { DocumentCodec } from './document.ts';
import { DocumentError } from './document-error.ts';
import { type JsonObject, membersOf } from './document-text.ts';
import { parseRawDocumentInTurns } from './document-turns.ts';
import type { ProviderKey } from './entities.ts';
import { type CredentialCodec, migratePlainDocument } from './migrations.ts';
import {
  createPassphraseSealer,
  createSealer,
  isPassphraseParameters,
  newPassphraseParameters,
  type PassphraseParameters,
  type Sealer,
  type SecretPlace,
} from './secrets.ts';
import type { ConfigState } from './store.ts';

/** How a backup protects the keys of providers and the webhook's secret. */
export type BackupSecrets =
  | { readonly mode: 'encryption-key'; readonly key: string }
  | { readonly mode: 'passphrase'; readonly passphrase: string }
  | { readonly mode: 'omit' };

export interface ExportBackupOptions {
  readonly secrets: BackupSecrets;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
}

export interface ParseBackupOptions {
  readonly encryptionKey: string | null;
  readonly previousEncryptionKey: string | null;
  readonly passphrase: string | null;
  /** For plain files of earlier programs. */
  readonly credentials: CredentialCodec;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
}

export interface Backup {
  readonly config: ConfigState;
  /** The keys in `config.providers` that an earlier version sealed, bound to no origin. */
  readonly unboundKeys: ReadonlySet<ProviderKey>;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Stands for a secret that was left out of a backup: no key opens it, so nobody can use it until it is entered again. */
export const OMITTED_SECRET = 'omitted';

const FORMAT = 'ipin-proxy-backup';
/** Of the message about a bad backup: it repeats names from the file. */
const MESSAGE_LENGTH = 500;
/** A known text, sealed with the backup's key: shows whether a key is the right one even if nothing else is sealed. */
const CHECK_TEXT = 'ipin-proxy';
const CHECK_PLACE: SecretPlace = { record: 'backup', id: '', field: 'check' };

/**
 * The whole configuration, without sessions, as one file: a database document with a head that says how the providers'
 * keys are sealed. Passwords and API keys are in it as the hashes that are stored.
 */
export async function exportBackup(config: ConfigState, options: ExportBackupOptions): Promise<Buffer> {
  const { secrets, now, randomBytes } = options;
  const { sealer, scrypt } = await newSealer(secrets, randomBytes);
  const check = sealer?.seal(CHECK_TEXT, CHECK_PLACE);
  const header = membersOf({ format: FORMAT, secrets: { mode: secrets.mode, scrypt, check } });
  const document = {
    generation: 0,
    savedAt: new Date(now()).toISOString(),
    config: secrets.mode === 'omit' ? withoutSecrets(config) : config,
    sessions: [],
    numbers: [],
  };
  return new DocumentCodec(sealer).encode(document, [...header]).bytes;
}

/** The sealer of a new backup; null: keys are left out. With a passphrase also what its key was made with. */
async function newSealer(
  secrets: BackupSecrets,
  randomBytes: (count: number) => Buffer,
): Promise<{ readonly sealer: Sealer | null; readonly scrypt?: PassphraseParameters }> {
  if (secrets.mode === 'omit') return { sealer: null };
  if (secrets.mode === 'encryption-key') {
    return { sealer: createSealer({ key: secrets.key, previousKey: null, randomBytes }) };
  }
  const scrypt = newPassphraseParameters(randomBytes);
  return { sealer: await createPassphraseSealer(secrets.passphrase, scrypt, randomBytes), scrypt };
}

/**
 * Reads and validates a backup, a database file or a plain file of earlier programs.
 * @throws HttpError `invalid_json` or `invalid_body` if it is none of them, `passphrase_required`, `invalid_passphrase` if
 * the passphrase or ENCRYPTION_KEY does not open it.
 */
export async function parseBackup(bytes: Uint8Array, options: ParseBackupOptions): Promise<Backup> {
  const { credentials, now, randomBytes } = options;
  try {
    const raw = await parseRawDocumentInTurns(bytes);
    const codec = new DocumentCodec(await openSecrets(raw.object, options));
    let { object } = raw;
    if (raw.schemaVersion === 0) {
      const instanceId = randomBytes(8).toString('hex');
      ({ object } = await migratePlainDocument(object, { ...credentials, now, instanceId }));
    }
    const { config, unboundKeys, savedAt } = codec.decode(object);
    return { config, unboundKeys, createdAt: savedAt };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    const kind = error.fault === 'damaged' ? 'invalid_json' : 'invalid_body';
    throw new HttpError(kind, `The backup cannot be used: ${shownText(error.message, MESSAGE_LENGTH)}.`, {
      cause: error,
    });
  }
}

/** The sealer that opens the secrets of a backup, tried on its check text. */
async function openSecrets(object: JsonObject, options: ParseBackupOptions): Promise<Sealer | null> {
  const { encryptionKey: key, previousEncryptionKey: previousKey, randomBytes } = options;
  const own = key === null ? null : createSealer({ key, previousKey, randomBytes });
  // A database file: a secret that our key does not open stays closed, as at a start.
  if (object['format'] === undefined) return own;
  const { mode, check, scrypt } = readHead(object);
  if (mode === 'omit') return null;
  const sealer = mode === 'passphrase' ? await passphraseSealer(scrypt, options) : own;
  if (sealer === null || typeof check !== 'string' || sealer.open(check, CHECK_PLACE)?.text !== CHECK_TEXT) {
    const what = mode === 'passphrase' ? 'The passphrase' : 'ENCRYPTION_KEY';
    throw new HttpError(
      'invalid_passphrase',
      `${what} is not the one that this backup was made with. Nothing was changed.`,
    );
  }
  return sealer;
}

function readHead(object: JsonObject): JsonObject {
  const { format, secrets } = object;
  if (format !== FORMAT || !isRecord(secrets))
    throw new DocumentError('refused', 'it is not a backup of this program');
  if (['encryption-key', 'passphrase', 'omit'].includes(String(secrets['mode']))) return secrets;
  throw new DocumentError('refused', 'its secrets are in a form that this version does not know');
}

async function passphraseSealer(scrypt: unknown, options: ParseBackupOptions): Promise<Sealer> {
  if (options.passphrase === null) {
    throw new HttpError(
      'passphrase_required',
      'This backup was made with a passphrase; send it as X-Backup-Passphrase.',
    );
  }
  if (!isPassphraseParameters(scrypt)) throw new DocumentError('refused', 'secrets.scrypt has a wrong form');
  try {
    return await createPassphraseSealer(options.passphrase, scrypt, options.randomBytes);
  } catch (error) {
    throw new DocumentError('refused', 'secrets.scrypt is out of bounds', { cause: error });
  }
}

function withoutSecrets(config: ConfigState): ConfigState {
  const providers = new Map(config.providers);
  for (const [id, provider] of providers) {
    const keys = provider.keys.map((key) => ({ ...key, secret: null, unreadable: OMITTED_SECRET }));
    providers.set(id, { ...provider, keys });
  }
  const { alertWebhook } = config.settings;
  const settings =
    alertWebhook === null
      ? config.settings
      : {
          ...config.settings,
          alertWebhook: { ...alertWebhook, secret: null, unreadable: OMITTED_SECRET },
        };
  return { ...config, providers, settings };
}
