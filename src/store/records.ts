import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';
import {
  type ApiKey,
  MASTER_ID,
  type MasterKey,
  type Model,
  type Provider,
  type ProviderOptions,
  type Session,
  type User,
} from './entities.ts';
import { OPTION_RULES } from './provider-options.ts';
import { RecordReader } from './record-reader.ts';

/** A provider's key in a file: in clear text, sealed, or none. */
export type StoredSecret = string | { readonly sealed: string } | null;

/** The form that `hashPassword` writes; with any other the admin could not sign in. */
const ADMIN_PASSWORD_HASH = /^scrypt\$\d{1,7}\$\d{1,3}\$\d{1,3}\$[\w-]{1,100}\$[\w-]{1,100}$/;

// Members that this version does not know are kept: a newer version may have written them.

/** Reads a stored provider; `openKey` reads its key. @throws DocumentError `refused`. */
export function readProvider(
  value: unknown,
  place: string,
  openKey: (
    stored: StoredSecret,
    owner: Pick<Provider, 'id' | 'baseUrl'>,
  ) => Pick<Provider, 'apiKey' | 'unreadableApiKey'>,
): Provider {
  const read = new RecordReader(value, place);
  const id = read.id();
  const baseUrl = read.text('baseUrl');
  return {
    ...read.record,
    id,
    name: read.text('name'),
    baseUrl,
    ...openKey(readSecret(read), { id, baseUrl }),
    type: read.oneOf('type', ['openai', 'chutes']),
    enabled: read.boolean('enabled'),
    options: readOptions(read),
    createdAt: read.time('createdAt'),
    updatedAt: read.time('updatedAt'),
  };
}

/** Reads a stored model. @throws DocumentError `refused`. */
export function readModel(value: unknown, place: string): Model {
  const read = new RecordReader(value, place);
  return {
    ...read.record,
    id: read.id(),
    name: read.text('name'),
    providerId: read.text('providerId'),
    upstreamModel: read.textOrNull('upstreamModel'),
    enabled: read.boolean('enabled'),
    vision: read.booleanOrNull('vision'),
    createdAt: read.time('createdAt'),
    updatedAt: read.time('updatedAt'),
  };
}

/** Reads a stored API key. @throws DocumentError `refused`. */
export function readApiKey(value: unknown, place: string): ApiKey {
  const read = new RecordReader(value, place);
  const id = read.id();
  // The panel shows the master key under this id and never deletes it: such a key could not be withdrawn.
  if (id === MASTER_ID) read.fail('id', `an id that keys may have: "${MASTER_ID}" is the master key's`);
  return {
    ...read.record,
    id,
    name: read.text('name'),
    digest: readDigest(read),
    keyHint: read.text('keyHint'),
    enabled: read.boolean('enabled'),
    models: read.textsOrNull('models'),
    userId: read.textOrNull('userId'),
    expiresAt: read.timeOrNull('expiresAt'),
    createdAt: read.time('createdAt'),
  };
}

/** Reads a stored user. @throws DocumentError `refused`. */
export function readUser(value: unknown, place: string): User {
  const read = new RecordReader(value, place);
  return {
    ...read.record,
    id: read.id(),
    username: read.text('username'),
    name: read.text('name'),
    enabled: read.boolean('enabled'),
    models: read.textsOrNull('models'),
    passwordHash: read.text('passwordHash'),
    createdAt: read.time('createdAt'),
    updatedAt: read.time('updatedAt'),
  };
}

/** Reads the stored master key; null if none was generated. @throws DocumentError `refused`. */
export function readMasterKey(value: unknown): MasterKey | null {
  if (value == null) return null;
  const read = new RecordReader(value, 'masterKey');
  return { digest: readDigest(read), keyHint: read.text('keyHint') };
}

/** Reads the hash of the admin's password; null if none was set in the panel. @throws DocumentError `refused`. */
export function readAdminPasswordHash(value: unknown): string | null {
  if (value == null) return null;
  if (typeof value === 'string' && ADMIN_PASSWORD_HASH.test(value)) return value;
  throw new DocumentError('refused', 'adminPasswordHash is not the hash of a password');
}

/** Reads a stored session. @throws DocumentError `refused`. */
export function readSession(value: unknown, place: string): Session {
  const read = new RecordReader(value, place);
  return {
    digest: read.text('digest'),
    role: read.oneOf('role', ['admin', 'user']),
    userId: read.textOrNull('userId'),
    credential: read.text('credential'),
    createdAt: read.number('createdAt'),
    lastSeenAt: read.number('lastSeenAt'),
  };
}

/**
 * Reads a list of records into a map by their `keyOf`.
 * @throws DocumentError `refused` if it is no list, a record cannot be read or two have the same key.
 */
export function readList<T>(
  value: unknown,
  name: string,
  { read, keyOf }: { read: (item: unknown, place: string) => T; keyOf: (item: T) => string },
): Map<string, T> {
  if (!Array.isArray(value)) throw new DocumentError('refused', `${name} is not a list`);
  const records = new Map<string, T>();
  value.forEach((item, index) => {
    const record = read(item, `${name}[${index}]`);
    if (records.has(keyOf(record))) throw new DocumentError('refused', `${name}[${index}] is there twice`);
    records.set(keyOf(record), record);
  });
  return records;
}

/** @throws DocumentError `refused` if two records have the same value, such as two users one username. */
export function refuseDuplicates<T>(
  records: ReadonlyMap<string, T>,
  name: string,
  textOf: (record: T) => string,
): void {
  const seen = new Set<string>();
  for (const [id, record] of records) {
    if (seen.has(textOf(record)))
      throw new DocumentError('refused', `two of the ${name} are the same (${id})`);
    seen.add(textOf(record));
  }
}

function readDigest(read: RecordReader): string {
  const digest = read.text('digest');
  return /^[0-9a-f]{64}$/.test(digest) ? digest : read.fail('digest', 'a SHA-256 in lower-case hex');
}

function readSecret(read: RecordReader): StoredSecret {
  const value = read.record['apiKey'] ?? null;
  if (!isRecord(value)) return read.textOrNull('apiKey');
  const { sealed } = value;
  return typeof sealed === 'string' ? { sealed } : read.fail('apiKey', 'a text, null or {"sealed": "..."}');
}

/** Known options must be as the API takes them; unknown ones are texts, numbers or booleans. */
function readOptions(read: RecordReader): ProviderOptions {
  const value = read.record['options'] ?? {};
  if (!isRecord(value)) return read.fail('options', 'an object');
  const given = Object.entries(value).filter(([, item]) => item !== null);
  if (given.some(([, item]) => typeof item === 'object')) read.fail('options', 'an object of plain values');
  const options = Object.fromEntries(given);
  for (const [name, rule] of Object.entries(OPTION_RULES)) {
    if (name in options && !rule.isRight(options[name])) read.fail(`options.${name}`, rule.expected);
  }
  return options;
}
