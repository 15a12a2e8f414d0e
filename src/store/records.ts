import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';
import type { JsonObject } from './document-text.ts';
import {
  type ApiKey,
  type Fallback,
  MASTER_ID,
  type MasterKey,
  type Model,
  type Provider,
  type ProviderKey,
  type Session,
  type User,
} from './entities.ts';
import { LIMIT_FIELDS } from './limit-rules.ts';
import { PRICE_FIELDS, PROVIDER_PRICE_FIELDS, PROVIDER_PRICES } from './price-rules.ts';
import {
  DIGEST,
  FLAG,
  ID,
  LIST,
  MODEL_LIST,
  MODEL_OPTION_RULES,
  MODEL_OPTIONS,
  NUMBER,
  OPTION_RULES,
  OPTIONS,
  oneOf,
  orNull,
  type Rule,
  TEXT,
  TIME,
  WEIGHT,
} from './record-rules.ts';

/** One member of a stored record. */
export interface Field extends Rule {
  /** Stands for a member that is absent or null; undefined: the member is required. */
  readonly absent?: unknown;
  /** Further names of the member in plain files of earlier programs, each also in snake_case. */
  readonly plainNames?: readonly string[];
  /** For an object: the rules of its members. A member may be absent; null counts as absent. */
  readonly members?: Readonly<Record<string, Rule>>;
  /** For an object that is a record itself: its fields. */
  readonly record?: Readonly<Record<string, Field>>;
  /** For a list of records: their fields. */
  readonly items?: Readonly<Record<string, Field>>;
  /** For an object of records by name: their fields. */
  readonly entries?: Readonly<Record<string, Field>>;
}

export type Fields<T> = Readonly<Record<keyof T, Field>>;

/** A provider's key in a file: in clear text, sealed, or none. */
export type StoredSecret = string | { readonly sealed: string } | null;

/** A provider's key as a file holds it. */
export type StoredKey = Omit<ProviderKey, 'secret' | 'unreadable'> & { readonly secret: StoredSecret };

/** A provider as a file holds it. */
export type StoredProvider = Omit<Provider, 'keys'> & { readonly keys: readonly StoredKey[] };

const NAME: Field = { ...TEXT, plainNames: ['displayName'] };
const ENABLED: Field = { ...FLAG, plainNames: ['isEnabled', 'active', 'isActive'] };
const MODELS: Field = { ...MODEL_LIST, absent: null, plainNames: ['allowedModels'] };
const OWNER: Field = { ...orNull(TEXT), absent: null };
const CREATED_AT: Field = { ...TIME, plainNames: ['created'] };
const UPDATED_AT: Field = { ...TIME, plainNames: ['updated'] };

// The fields of each kind of record, for reading today's files and for migrating those of earlier programs. Writing needs
// no table: a record is written as it is, but for a provider's keys.

export const SECRET: Field = {
  ...orNull(TEXT),
  expected: 'a text, null or {"sealed": "..."}',
  isRight: (value) =>
    value === null || (isRecord(value) ? typeof value['sealed'] === 'string' : TEXT.isRight(value)),
  absent: null,
};

const PROVIDER_KEY: Fields<StoredKey> = { id: ID, secret: SECRET, enabled: { ...ENABLED, absent: true } };

export const PROVIDER: Fields<StoredProvider> = {
  id: ID,
  name: NAME,
  baseUrl: { ...TEXT, plainNames: ['baseURL', 'url'] },
  keys: { ...LIST, absent: [], items: PROVIDER_KEY },
  type: {
    ...oneOf('openai', 'chutes'),
    fromPlain: (value) => (String(value).toLowerCase() === 'chutes' ? 'chutes' : 'openai'),
  },
  enabled: ENABLED,
  options: { ...OPTIONS, absent: {}, members: OPTION_RULES },
  prices: { ...PROVIDER_PRICES, absent: {}, entries: PROVIDER_PRICE_FIELDS, fromPlain: () => undefined },
  createdAt: CREATED_AT,
  updatedAt: UPDATED_AT,
};

const PRICE: Field = {
  ...orNull(MODEL_OPTIONS),
  absent: null,
  record: PRICE_FIELDS,
  fromPlain: () => undefined,
};
const LIMITS: Field = {
  ...orNull(MODEL_OPTIONS),
  absent: null,
  record: LIMIT_FIELDS,
  fromPlain: () => undefined,
};

const FALLBACK: Fields<Fallback> = {
  providerId: TEXT,
  upstreamModel: { ...orNull(TEXT), absent: null },
  weight: { ...orNull(WEIGHT), absent: null },
  price: PRICE,
};

export const MODEL: Fields<Model> = {
  id: { ...ID, plainNames: ['modelId', 'model'] },
  name: NAME,
  providerId: { ...TEXT, plainNames: ['provider'] },
  upstreamModel: { ...orNull(TEXT), absent: null, plainNames: ['upstreamId'] },
  enabled: ENABLED,
  vision: {
    ...orNull(FLAG),
    absent: null,
    plainNames: ['supportsVision', 'supportsImageUpload', 'isVision'],
    // Earlier programs wrote false for every model that nobody had set.
    fromPlain: (value) => (value === false || value === 0 ? null : FLAG.fromPlain(value)),
  },
  // Earlier programs knew nothing of these three; what a plain file calls so is something else.
  weight: { ...orNull(WEIGHT), absent: null, fromPlain: () => undefined },
  fallbacks: { ...LIST, absent: [], items: FALLBACK, fromPlain: () => undefined },
  options: { ...MODEL_OPTIONS, absent: {}, members: MODEL_OPTION_RULES, fromPlain: () => undefined },
  price: PRICE,
  createdAt: CREATED_AT,
  updatedAt: UPDATED_AT,
};

export const API_KEY: Fields<ApiKey> = {
  id: {
    ...ID,
    expected: `${ID.expected}; "${MASTER_ID}" is the master key's`,
    // The panel shows the master key under this id and never deletes it: such a key could not be withdrawn.
    isRight: (value) => ID.isRight(value) && value !== MASTER_ID,
  },
  name: { ...TEXT, plainNames: ['label'] },
  digest: DIGEST,
  keyHint: TEXT,
  enabled: ENABLED,
  models: MODELS,
  userId: OWNER,
  expiresAt: { ...orNull(TIME), absent: null },
  passThrough: { ...FLAG, absent: false },
  limits: LIMITS,
  createdAt: CREATED_AT,
};

export const USER: Fields<User> = {
  id: ID,
  username: { ...TEXT, plainNames: ['login', 'email'] },
  name: NAME,
  enabled: ENABLED,
  models: MODELS,
  limits: LIMITS,
  passwordHash: TEXT,
  createdAt: CREATED_AT,
  updatedAt: UPDATED_AT,
};

export const MASTER_KEY: Fields<MasterKey> = { digest: DIGEST, keyHint: TEXT };

/** The single values of a document. */
export interface DocumentHead {
  /** Counts the writes. */
  readonly generation: number;
  readonly instanceId: string;
  readonly adminPasswordHash: string | null;
}

/** The form that `hashPassword` writes; with any other the admin could not sign in. */
const ADMIN_PASSWORD_HASH = /^scrypt\$\d{1,7}\$\d{1,3}\$\d{1,3}\$[\w-]{1,100}\$[\w-]{1,100}$/;

export const HEAD: Fields<DocumentHead> = {
  generation: {
    expected: 'a whole number',
    isRight: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    absent: 0,
  },
  instanceId: TEXT,
  adminPasswordHash: {
    expected: 'the hash of a password',
    isRight: (value) => value === null || (typeof value === 'string' && ADMIN_PASSWORD_HASH.test(value)),
    absent: null,
  },
};

export const SESSION: Fields<Session> = {
  digest: TEXT,
  role: oneOf('admin', 'user'),
  userId: OWNER,
  credential: TEXT,
  createdAt: NUMBER,
  lastSeenAt: NUMBER,
};

/**
 * Reads a stored record. Members that this version does not know are kept: a newer version may have written them.
 * @throws DocumentError `refused`, naming the member of `place` that is wrong.
 */
export function readRecord<T extends object>(fields: Fields<T>, value: unknown, place: string): T {
  if (!isRecord(value)) throw new DocumentError('refused', `${place} is not an object`);
  const record = { ...value };
  for (const name in fields) {
    const field: Field = fields[name];
    const given = value[name] ?? field.absent;
    // A file has hundreds of thousands of members: only what differs is written, only what is wrong gets a place.
    if (given !== value[name]) record[name] = given;
    if (!field.isRight(given)) requireRight(field, given, `${place}.${name}`);
    if (field.members !== undefined) record[name] = readMembers(field.members, given, `${place}.${name}`);
    if (field.record !== undefined && given !== null)
      record[name] = readRecord<JsonObject>(field.record, given, `${place}.${name}`);
    if (field.items !== undefined) record[name] = readItems(field.items, given, `${place}.${name}`);
    if (field.entries !== undefined) record[name] = readEntries(field.entries, given, `${place}.${name}`);
  }
  return record as T;
}

function readMembers(rules: Readonly<Record<string, Rule>>, value: unknown, place: string): JsonObject {
  const given = Object.entries(value ?? {}).filter(([, member]) => member !== null);
  const members = Object.fromEntries(given);
  for (const [name, rule] of Object.entries(rules)) {
    if (name in members) requireRight(rule, members[name], `${place}.${name}`);
  }
  return members;
}

function readItems(fields: Fields<JsonObject>, value: unknown, place: string): JsonObject[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.map((item, index) => readRecord(fields, item, `${place}[${index}]`));
}

function readEntries(fields: Fields<JsonObject>, value: unknown, place: string): JsonObject {
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(
    entries.map(([name, entry]) => [name, readRecord<JsonObject>(fields, entry, `${place}.${name}`)]),
  );
}

/**
 * Reads a list of a document into a map by id.
 * @throws DocumentError `refused` if it is no list, a record cannot be read or two have the same id.
 */
export function readList<T extends { readonly id: string }>(
  object: JsonObject,
  name: string,
  fields: Fields<T>,
): Map<string, T> {
  const items = object[name];
  if (!Array.isArray(items)) throw new DocumentError('refused', `${name} is not a list`);
  const records = new Map<string, T>();
  for (const [index, item] of items.entries()) {
    const record = readRecord(fields, item, `${name}[${index}]`);
    if (records.has(record.id)) throw new DocumentError('refused', `${name}[${index}] is there twice`);
    records.set(record.id, record);
  }
  return records;
}

/** @throws DocumentError `refused`: "PLACE is not what the rule expects". */
export function requireRight(rule: Rule, value: unknown, place: string): void {
  if (!rule.isRight(value)) throw new DocumentError('refused', `${place} is not ${rule.expected}`);
}
