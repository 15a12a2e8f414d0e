import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';
import type { JsonObject } from './document-text.ts';
import { type ApiKey, MASTER_ID, type MasterKey, type User } from './entities.ts';
import { FLAG, TEXT } from './record-rules.ts';
import {
  API_KEY,
  type Field,
  type Fields,
  MODEL,
  PROVIDER,
  readRecord,
  requireRight,
  SECRET,
  USER,
} from './records.ts';

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

/**
 * Turns a plain file of earlier programs (no `schemaVersion`; `providers`, `models`, `apiKeys`, `users` as lists or as
 * maps by id; camelCase or snake_case; keys and passwords in plain text) into a document of version 1.
 * @throws DocumentError `refused` naming the record that cannot be read; nothing is left out in silence.
 */
export async function migratePlainDocument(
  object: JsonObject,
  options: MigrationOptions,
): Promise<Migration> {
  const time = new Date(options.now()).toISOString();
  const collection = (...names: string[]): PlainRecord[] => listPlainRecords(object, names, time);
  const keys = collection('apiKeys', 'api_keys', 'keys');
  // If the environment set the master key, its row was there for display only.
  const masters = keys.filter((plain) => isMaster(plain) && hasKey(plain));
  const users: User[] = [];
  const owners = new Map<unknown, string>();
  // One at a time: hashing is slow on purpose, and nothing else waits for it.
  for (const plain of collection('users')) {
    const user = await migrateUser(plain, options);
    users.push(user);
    // Earlier programs noted in the user which key belongs to them.
    owners.set(plain.field('apiKeyId', { ...TEXT, plainNames: ['keyId'] }), user.id);
  }
  const migrated = {
    schemaVersion: 1,
    generation: 0,
    savedAt: time,
    instanceId: options.instanceId,
    masterKey: masters.map((plain) => describe(plain, options)).at(-1) ?? null,
    providers: collection('providers').map(migrateProvider),
    models: collection('models').map((plain) => plain.read(MODEL)),
    apiKeys: keys
      .filter((plain) => !isMaster(plain))
      .map((plain) => migrateApiKey(plain, describe(plain, options), owners)),
    users,
  };
  return { object: migrated, notices: noticesOf(users) };
}

function noticesOf(users: readonly User[]): readonly string[] {
  const locked = users.filter(({ passwordHash }) => passwordHash === NO_PASSWORD_HASH).length;
  if (locked === 0) return [];
  return [
    `${locked} user(s) had a password in a form that cannot be taken over; set a new password for each in the panel.`,
  ];
}

/** Earlier programs listed the master key among the others. */
function isMaster(plain: PlainRecord): boolean {
  if ((plain.get('id') ?? plain.name) === MASTER_ID) return true;
  const flag = FLAG.fromPlain(plain.get('isMaster', 'master') ?? false);
  requireRight(FLAG, flag, `${plain.place}.isMaster`);
  return flag === true;
}

function hasKey(plain: PlainRecord): boolean {
  return plain.get(...KEY_NAMES, ...DIGEST_NAMES) !== undefined;
}

/** True for a record of a map whose names are the keys themselves. */
function isNamedByKey(plain: PlainRecord): boolean {
  return !hasKey(plain) && plain.get('id') === undefined && /^sk-|^.{20}/.test(plain.name ?? '');
}

/** Digest and hint of a stored key: in plain text, already as a digest, or as the name of the record in a map. */
function describe(plain: PlainRecord, options: MigrationOptions): MasterKey {
  const key = plain.get(...KEY_NAMES);
  if (typeof key === 'string' && key !== '') return options.describeKey(key);
  const digest = plain.get(...DIGEST_NAMES);
  if (typeof digest === 'string') return { digest, keyHint: plain.text('keyHint') || '...' };
  if (isNamedByKey(plain)) return options.describeKey(plain.name ?? '');
  throw new DocumentError('refused', `${plain.place}.key is not a text`);
}

/** With its one key, as documents of version 1 have it. */
function migrateProvider(plain: PlainRecord): object {
  const provider = plain.read(PROVIDER, { type: 'openai' }, { options: {}, keys: [] });
  const apiKey = plain.field('apiKey', { ...SECRET, plainNames: ['key'] }) ?? null;
  requireRight(SECRET, apiKey, `${plain.place}.apiKey`);
  const { keys: _, ...rest } = provider;
  return { ...rest, apiKey };
}

function migrateApiKey(plain: PlainRecord, key: MasterKey, owners: ReadonlyMap<unknown, string>): ApiKey {
  const id = isNamedByKey(plain) ? `key_${key.digest.slice(0, 12)}` : plain.field('id', API_KEY.id);
  return plain.read(API_KEY, { userId: owners.get(id ?? plain.name) }, { ...key, id });
}

async function migrateUser(plain: PlainRecord, options: MigrationOptions): Promise<User> {
  const username = plain.field('username', USER.username) ?? plain.name;
  const passwordHash = await migratePassword(plain, options);
  return plain.read(USER, { id: username, username, name: username }, { passwordHash });
}

async function migratePassword(plain: PlainRecord, options: MigrationOptions): Promise<string> {
  const hash = plain.text('passwordHash');
  const password = plain.text('password');
  const known = [hash, password].find((text) => text.startsWith('scrypt$'));
  if (known !== undefined) return known;
  // A bare digest (SHA-256 or the like) or another program's hash does not give the password back.
  const isDigest = /^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i.test(password);
  if (hash !== '' || password === '' || isDigest || password.startsWith('$')) return NO_PASSWORD_HASH;
  return await options.hashPassword(password);
}

/** If the member is absent in a plain file, it has the value of the other member. */
const SAME_AS: Readonly<Record<string, string>> = { name: 'id', updatedAt: 'createdAt' };

/** One record of a plain file, whose members may have several names. Today's fields say how to read them. */
class PlainRecord {
  /** Its name in the map that held it; null in a list. */
  readonly name: string | null;
  /** Where it is, for messages. */
  readonly place: string;
  readonly #record: JsonObject;
  readonly #now: string;

  constructor(record: JsonObject, { name, place, now }: { name: string | null; place: string; now: string }) {
    this.#record = record;
    this.name = name;
    this.place = place;
    this.#now = now;
  }

  /** The first member that is present, in camelCase or snake_case. */
  get(...names: readonly string[]): unknown {
    for (const name of names) {
      const snake = name.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);
      const value = this.#record[name] ?? this.#record[snake];
      if (value != null) return value;
    }
    return undefined;
  }

  /** The member as today's records hold it, under any of its names; undefined if it is absent. */
  field(name: string, { plainNames = [], fromPlain }: Field): unknown {
    const value = this.get(name, ...plainNames);
    return value === undefined || fromPlain === undefined ? value : fromPlain(value);
  }

  /** A member, empty if it is absent. @throws DocumentError `refused` if it is no text. */
  text(name: string): string {
    const value = this.field(name, TEXT) ?? '';
    requireRight(TEXT, value, `${this.place}.${name}`);
    return String(value);
  }

  /** A record of today: from `values`, the plain record or `defaults`. @throws DocumentError `refused`. */
  read<T extends object>(fields: Fields<T>, defaults: JsonObject = {}, values: JsonObject = {}): T {
    const known: JsonObject = { id: this.name, enabled: true, createdAt: this.#now, ...defaults };
    const record: Record<string, unknown> = {};
    for (const [name, field] of Object.entries<Field>(fields)) {
      const given = values[name] ?? this.field(name, field);
      record[name] = given === undefined ? (known[name] ?? record[SAME_AS[name] ?? '']) : given;
    }
    return readRecord(fields, record, this.place);
  }
}

/**
 * The records of a collection of a plain file, a list or a map by id, under the first of the names that is present.
 * @throws DocumentError `refused` if it is neither, or an item is no object.
 */
function listPlainRecords(object: JsonObject, names: readonly string[], now: string): PlainRecord[] {
  const collection = names.find((candidate) => object[candidate] != null);
  if (collection === undefined) return [];
  const value = object[collection];
  if (!Array.isArray(value) && !isRecord(value)) {
    throw new DocumentError('refused', `${collection} is neither a list nor a map`);
  }
  return Object.entries(value).map(([key, record], index) => {
    const place = `${collection}[${index}]`;
    if (!isRecord(record)) throw new DocumentError('refused', `${place} is not an object`);
    return new PlainRecord(record, { name: Array.isArray(value) ? null : key, place, now });
  });
}
