import { MASTER_ID, type MasterKey } from './entities.ts';
import type { JsonObject } from './json-text.ts';
import { listPlainRecords, type PlainRecord } from './plain-record.ts';

/** Turns the plain-text credentials of older files into what is stored today. */
export interface CredentialCodec {
  /** Digest and hint of an API key. */
  readonly describeKey: (key: string) => MasterKey;
  readonly hashPassword: (password: string) => Promise<string>;
}

export interface MigrationOptions extends CredentialCodec {
  /** The current time in milliseconds: for records without a time. */
  readonly now: () => number;
  readonly instanceId: string;
}

export interface Migration {
  /** A document of schema version 1, not yet decoded. */
  readonly object: JsonObject;
  /** Sentences for the log; no secrets. */
  readonly notices: readonly string[];
}

/** No password has this hash: its user cannot sign in until the admin sets a new password. */
export const NO_PASSWORD_HASH = '!';

const KEY_NAMES = ['key', 'apiKey', 'value', 'token'] as const;
const DIGEST_NAMES = ['digest', 'keyHash'] as const;

type Fields = Record<string, unknown>;

/**
 * Turns a plain file of earlier programs (no `schemaVersion`; `providers`, `models`, `apiKeys`, `users` as lists or as
 * maps by id; camelCase or snake_case; keys and passwords in plain text) into a document of version 1.
 * @throws DocumentError `refused` naming the record that cannot be read; nothing is left out in silence.
 */
export async function migratePlainDocument(
  object: JsonObject,
  options: MigrationOptions,
): Promise<Migration> {
  const notices: string[] = [];
  const time = new Date(options.now()).toISOString();
  const collection = (...names: string[]): PlainRecord[] => listPlainRecords(object, names, time);
  const users = collection('users');
  const { apiKeys, masterKey } = migrateApiKeys(collection('apiKeys', 'api_keys', 'keys'), users, options);
  const migratedUsers = [];
  // One at a time: hashing is slow on purpose, and nothing else waits for it.
  for (const user of users) migratedUsers.push(await migrateUser(user, options));
  const migrated = {
    schemaVersion: 1,
    generation: 0,
    savedAt: time,
    instanceId: options.instanceId,
    masterKey,
    providers: collection('providers').map(migrateProvider),
    models: collection('models').map(migrateModel),
    apiKeys,
    users: migratedUsers,
  };
  const locked = migratedUsers.filter(({ passwordHash }) => passwordHash === NO_PASSWORD_HASH).length;
  if (locked > 0) {
    notices.push(
      `${locked} user(s) had a password in a form that cannot be taken over; set a new password for each in the panel.`,
    );
  }
  return { object: migrated, notices };
}

function migrateProvider(plain: PlainRecord): Fields {
  const id = plain.id();
  const type = String(plain.get('type') ?? 'openai').toLowerCase();
  return {
    id,
    name: plain.text(id, 'name', 'displayName'),
    baseUrl: plain.text(null, 'baseUrl', 'baseURL', 'url'),
    apiKey: plain.text('', 'apiKey', 'key') || null,
    type: type === 'chutes' ? 'chutes' : 'openai',
    enabled: plain.flag(true, 'enabled', 'isEnabled', 'active', 'isActive'),
    options: {},
    ...plain.times(),
  };
}

function migrateModel(plain: PlainRecord): Fields {
  const id = plain.id('modelId', 'model');
  const vision = plain.flag(false, 'vision', 'supportsVision', 'supportsImageUpload', 'isVision');
  return {
    id,
    name: plain.text(id, 'name', 'displayName'),
    providerId: plain.text(null, 'providerId', 'provider'),
    upstreamModel: plain.text('', 'upstreamModel', 'upstreamId') || null,
    enabled: plain.flag(true, 'enabled', 'isEnabled', 'active', 'isActive'),
    // Earlier programs wrote false for every model nobody had thought about.
    vision: vision ? true : null,
    ...plain.times(),
  };
}

function migrateApiKeys(
  keys: readonly PlainRecord[],
  users: readonly PlainRecord[],
  options: MigrationOptions,
): { readonly apiKeys: Fields[]; readonly masterKey: MasterKey | null } {
  const ownerOf = new Map<string, string>();
  for (const user of users) {
    const keyId = user.get('apiKeyId', 'keyId');
    if (keyId != null) ownerOf.set(String(keyId), user.id());
  }
  const apiKeys: Fields[] = [];
  let masterKey: MasterKey | null = null;
  for (const plain of keys) {
    // Earlier programs listed the master key among the others.
    const isMaster = plain.hasId(MASTER_ID) || plain.flag(false, 'isMaster', 'master');
    // If the environment set the master key, its row was there for display only.
    if (isMaster && plain.get(...KEY_NAMES, ...DIGEST_NAMES) === undefined) continue;
    const described = describe(plain, options);
    if (isMaster) masterKey = described;
    else apiKeys.push(migrateApiKey(plain, described, ownerOf));
  }
  return { apiKeys, masterKey };
}

function migrateApiKey(plain: PlainRecord, key: MasterKey, ownerOf: ReadonlyMap<string, string>): Fields {
  const id = isNamedByKey(plain) ? `key_${key.digest.slice(0, 12)}` : plain.id();
  const userId = plain.get('userId') ?? ownerOf.get(id) ?? null;
  return {
    id,
    name: plain.text(id, 'name', 'label'),
    ...key,
    enabled: plain.flag(true, 'enabled', 'isEnabled', 'active', 'isActive'),
    models: plain.modelList(),
    userId: userId === null || userId === '' ? null : String(userId),
    expiresAt: plain.time(null, 'expiresAt'),
    createdAt: plain.times().createdAt,
  };
}

/** True for a record of a map whose names are the keys themselves. */
function isNamedByKey(plain: PlainRecord): boolean {
  const hasKey = plain.get(...KEY_NAMES, ...DIGEST_NAMES) !== undefined;
  return !hasKey && !plain.hasOwnId && plain.name !== null && /^sk-|^.{20}/.test(plain.name);
}

/** Digest and hint of a stored key: in plain text, already as a digest, or as the name of the record in a map. */
function describe(plain: PlainRecord, options: MigrationOptions): MasterKey {
  const key = plain.get(...KEY_NAMES);
  if (typeof key === 'string' && key !== '') return options.describeKey(key);
  const digest = plain.get(...DIGEST_NAMES);
  if (typeof digest === 'string') return { digest, keyHint: plain.text('...', 'keyHint') };
  if (isNamedByKey(plain)) return options.describeKey(plain.name ?? '');
  return plain.fail('key', 'a text');
}

async function migrateUser(
  plain: PlainRecord,
  options: MigrationOptions,
): Promise<Fields & { readonly passwordHash: string }> {
  const username = plain.text(plain.name ?? null, 'username', 'login', 'email');
  return {
    id: plain.hasOwnId ? plain.id() : username,
    username,
    name: plain.text(username, 'name', 'displayName'),
    enabled: plain.flag(true, 'enabled', 'isEnabled', 'active', 'isActive'),
    models: plain.modelList(),
    passwordHash: await migratePassword(plain, options),
    ...plain.times(),
  };
}

async function migratePassword(plain: PlainRecord, options: MigrationOptions): Promise<string> {
  const hash = plain.text('', 'passwordHash');
  const password = plain.text('', 'password');
  const known = [hash, password].find((text) => text.startsWith('scrypt$'));
  if (known !== undefined) return known;
  // A bare digest (SHA-256 or the like) or another program's hash does not give the password back.
  const isDigest = /^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i.test(password);
  if (hash !== '' || password === '' || isDigest || password.startsWith('$')) return NO_PASSWORD_HASH;
  return await options.hashPassword(password);
}
