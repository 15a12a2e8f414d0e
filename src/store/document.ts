import { hash } from 'node:crypto';
import { originOf } from '../providers/base-url.ts';
import { DocumentError } from './document-error.ts';
import { layOut, type Member, membersOf } from './document-layout.ts';
import type { Provider, Session } from './entities.ts';
import { findDuplicateMember, type JsonObject, parseJsonObject } from './json-text.ts';
import {
  readAdminPasswordHash,
  readApiKey,
  readList,
  readMasterKey,
  readModel,
  readProvider,
  readSession,
  readUser,
  refuseDuplicates,
  type StoredSecret,
} from './records.ts';
import { isUnbound, type Sealer, type SecretPlace } from './secrets.ts';
import type { ConfigState } from './store.ts';

/** Version 2 binds provider keys to an origin and may hold the admin's password; otherwise it is read as version 1. */
const SCHEMA_VERSION = 2;
const READ_VERSIONS: readonly unknown[] = [1, SCHEMA_VERSION];

/** A larger database, backup or off-site snapshot is not ours; it is not read. */
export const DOCUMENT_LIMIT_BYTES = 64 * 1024 * 1024;

/** All that a store keeps. Sessions and numbers may change between two iterations. */
export interface StoreContent {
  readonly config: ConfigState;
  readonly sessions: Iterable<Session>;
  /** Times of last use, and other numbers by name whose last minute may be lost; `counters` in the file. */
  readonly numbers: Iterable<readonly [string, number]>;
}

/** What one database file says. */
export interface StoredDocument extends StoreContent {
  /** Counts the writes. */
  readonly generation: number;
  /** ISO 8601. */
  readonly savedAt: string;
}

export interface DecodedDocument extends StoredDocument {
  /** True if a provider key should be sealed anew: it was not sealed, or not in the present form. */
  readonly hasStaleSecrets: boolean;
  /**
   * Ids of the providers whose key an earlier version sealed without binding it to an origin: anybody who can change the
   * file can have such a key sent anywhere.
   */
  readonly unboundKeys: ReadonlySet<string>;
}

/** A database file as JSON, with its checksum verified and its records not yet read. */
export interface RawDocument {
  /** 0: none is given, as in the plain files of earlier programs. */
  readonly schemaVersion: number;
  /** SHA-256 over the content, whether the file states it or not. */
  readonly checksum: string;
  readonly object: JsonObject;
}

/**
 * Reads the bytes of a database file, but not its records.
 * @throws DocumentError `damaged` if it is no JSON object; `altered` for a wrong checksum; `refused` for a duplicate
 * member, a newer version or another program's file.
 */
export function parseRawDocument(bytes: Uint8Array): RawDocument {
  const { text, object } = parseJsonObject(bytes);
  const { checksum: stated = null, ...rest } = object;
  const checksum = checksumOf(layOut(membersOf(rest)));
  refuseDuplicateMembers(text);
  const schemaVersion = readSchemaVersion(object);
  requireChecksum(stated, checksum);
  return { schemaVersion, checksum, object };
}

/** Compares the stated checksum (null: none is stated) with the computed one. @throws DocumentError `altered`. */
export function requireChecksum(stated: unknown, checksum: string): void {
  if (stated === null || stated === checksum) return;
  const fix = 'If you edited it by hand, remove its "checksum" line to accept it as it is';
  throw new DocumentError('altered', 'its checksum does not fit its content', { fix });
}

/**
 * Turns documents into bytes and back; one codec per store. Keeps the text of each record, so that a write serialises only
 * records that changed, and the sealed form of each provider key, so that an unchanged key is not sealed again.
 */
export class DocumentCodec {
  readonly #sealer: Sealer | null;
  readonly #texts = new WeakMap<object, string>();

  /** Without a sealer, provider keys are stored as they are. */
  constructor(sealer: Sealer | null) {
    this.#sealer = sealer;
  }

  /** The bytes of a database file: JSON, one record per line, the checksum first, then the members of `header`. */
  encode(
    document: StoredDocument,
    header: readonly Member[] = [],
  ): { readonly bytes: Buffer; readonly checksum: string } {
    const { config } = document;
    const body = layOut([
      ...header,
      ['schemaVersion', String(SCHEMA_VERSION)],
      ['generation', String(document.generation)],
      ['savedAt', JSON.stringify(document.savedAt)],
      ['instanceId', JSON.stringify(config.instanceId)],
      ['masterKey', JSON.stringify(config.masterKey)],
      ...adminPasswordMember(config),
      ['providers', this.#list(config.providers, (provider) => this.#providerText(provider))],
      ['models', this.#list(config.models)],
      ['apiKeys', this.#list(config.apiKeys)],
      ['users', this.#list(config.users)],
      ['sessions', Array.from(document.sessions, (session) => this.#text(session))],
      ['counters', Array.from(document.numbers, ([name, value]) => JSON.stringify([name, value]))],
    ]);
    const checksum = checksumOf(body);
    return { bytes: Buffer.from(`{\n"checksum":"${checksum}",\n${body.slice(2)}`), checksum };
  }

  /** Reads the records of a document of this version. @throws DocumentError `refused`. */
  decode(object: JsonObject): DecodedDocument {
    const generation = object['generation'] ?? 0;
    const { savedAt = '', instanceId, masterKey, providers, models, apiKeys, users } = object;
    if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 0) {
      throw new DocumentError('refused', 'its generation is not a whole number');
    }
    if (typeof instanceId !== 'string') throw new DocumentError('refused', 'instanceId is not a text');
    let hasStaleSecrets = false;
    const unboundKeys = new Set<string>();
    const read = (value: unknown, place: string): Provider => {
      const { provider, isStale, isBound } = this.#readProvider(value, place);
      hasStaleSecrets ||= isStale;
      if (!isBound) unboundKeys.add(provider.id);
      return provider;
    };
    const config: ConfigState = {
      instanceId,
      masterKey: readMasterKey(masterKey),
      adminPasswordHash: readAdminPasswordHash(object['adminPasswordHash']),
      providers: readList(providers, 'providers', { read, keyOf: ({ id }) => id }),
      models: readList(models, 'models', { read: readModel, keyOf: ({ id }) => id }),
      apiKeys: readList(apiKeys, 'apiKeys', { read: readApiKey, keyOf: ({ id }) => id }),
      users: readList(users, 'users', { read: readUser, keyOf: ({ id }) => id }),
    };
    refuseDuplicates(config.apiKeys, 'API keys', ({ digest }) => digest);
    refuseDuplicates(config.users, 'usernames', ({ username }) => username);
    return {
      generation,
      savedAt: String(savedAt),
      config,
      sessions: readSessions(object['sessions']),
      numbers: readNumbers(object['counters']),
      hasStaleSecrets,
      unboundKeys,
    };
  }

  #readProvider(value: unknown, place: string): ReadProvider {
    let isStale = false;
    let isBound = true;
    let kept: StoredSecret = null;
    const provider = readProvider(value, place, (stored, owner) => {
      if (stored === null) return { apiKey: null, unreadableApiKey: null };
      if (typeof stored === 'string') {
        isStale = this.#sealer !== null;
        return { apiKey: stored === '' ? null : stored, unreadableApiKey: null };
      }
      isBound = !isUnbound(stored.sealed);
      const opened = this.#sealer?.open(stored.sealed, placeOf(owner)) ?? null;
      if (opened === null) return { apiKey: null, unreadableApiKey: stored.sealed };
      isStale = opened.isStale;
      if (!isStale) kept = stored;
      return { apiKey: opened.text, unreadableApiKey: null };
    });
    if (kept !== null) this.#texts.set(provider, providerText(provider, kept));
    return { provider, isStale, isBound };
  }

  #providerText(provider: Provider): string {
    const known = this.#texts.get(provider);
    if (known !== undefined) return known;
    const text = providerText(provider, this.#sealed(provider));
    this.#texts.set(provider, text);
    return text;
  }

  #sealed(provider: Provider): StoredSecret {
    const { apiKey, unreadableApiKey } = provider;
    if (apiKey === null) return unreadableApiKey === null ? null : { sealed: unreadableApiKey };
    return this.#sealer === null ? apiKey : { sealed: this.#sealer.seal(apiKey, placeOf(provider)) };
  }

  #list<T extends object>(
    records: ReadonlyMap<string, T>,
    textOf: (record: T) => string = (record) => this.#text(record),
  ): string[] {
    return Array.from(records.values(), textOf);
  }

  #text(record: object): string {
    const known = this.#texts.get(record);
    if (known !== undefined) return known;
    const text = JSON.stringify(record);
    this.#texts.set(record, text);
    return text;
  }
}

/** A provider from a file, and how its key was stored. */
interface ReadProvider {
  readonly provider: Provider;
  readonly isStale: boolean;
  readonly isBound: boolean;
}

/**
 * A provider's key is sealed to its record and origin, and does not open with another origin. Without an origin nothing
 * is ever sent.
 */
function placeOf({ id, baseUrl }: Pick<Provider, 'id' | 'baseUrl'>): SecretPlace {
  return { record: 'provider', id, field: 'apiKey', origin: originOf(baseUrl) ?? '' };
}

function providerText(provider: Provider, apiKey: StoredSecret): string {
  const { unreadableApiKey: _, ...stored } = provider;
  return JSON.stringify({ ...stored, apiKey });
}

/** None if no password was set in the panel. */
function adminPasswordMember({ adminPasswordHash }: ConfigState): Member[] {
  return adminPasswordHash === null ? [] : [['adminPasswordHash', JSON.stringify(adminPasswordHash)]];
}

function checksumOf(text: string): string {
  return `sha256:${hash('sha256', text, 'hex')}`;
}

/** @throws DocumentError `refused` if a member stands twice in one object of a JSON text. */
export function refuseDuplicateMembers(text: string): void {
  const name = findDuplicateMember(text);
  if (name === null) return;
  throw new DocumentError('refused', `the member ${JSON.stringify(name)} stands twice in one record`);
}

/** @throws DocumentError `refused` for a newer version and for a file of another program. */
export function readSchemaVersion(object: JsonObject): number {
  const version = object['schemaVersion'];
  if (version === undefined) {
    const isPlainShape = ['providers', 'models', 'apiKeys', 'api_keys', 'users'].some(
      (name) => name in object,
    );
    if (isPlainShape) return 0;
    const fix = 'Set DB_PATH to another file, or move this one away';
    throw new DocumentError('refused', 'it is not a database of this program', { fix });
  }
  if (READ_VERSIONS.includes(version)) return SCHEMA_VERSION;
  if (typeof version !== 'number') throw new DocumentError('refused', 'its schemaVersion is not a number');
  const versions = `schemaVersion ${version}, this one knows ${SCHEMA_VERSION}`;
  throw new DocumentError('refused', `a newer version of the program wrote it (${versions})`, {
    fix: 'Update the program, or put an older copy in its place',
  });
}

/** A session that cannot be read ends: its owner signs in again. */
function readSessions(value: unknown): Session[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    try {
      return [readSession(item, 'sessions')];
    } catch {
      return [];
    }
  });
}

function readNumbers(value: unknown): (readonly [string, number])[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    const [name, number] = Array.isArray(item) ? item : [];
    return typeof name === 'string' && typeof number === 'number' ? [[name, number] as const] : [];
  });
}
