import { sha256Hex } from '../sha256.ts';
import { COLLECTIONS } from './changes.ts';
import { DocumentError } from './document-error.ts';
import {
  type JsonObject,
  layoutPieces,
  type Member,
  membersOf,
  parseJsonObject,
  refuseDuplicateMembers,
} from './document-text.ts';
import type { ProviderKey, Session } from './entities.ts';
import {
  API_KEY,
  HEAD,
  MASTER_KEY,
  MODEL,
  readList,
  readRecord,
  SESSION,
  type StoredProvider,
  USER,
} from './records.ts';
import type { Sealer } from './secrets.ts';
import type { ConfigState } from './store.ts';
import { type OpenedProvider, openProvider, readProviders, toStored } from './stored-provider.ts';
import { type OpenedSettings, openSettings, toStoredSettings } from './stored-settings.ts';

/**
 * Version 2 binds provider keys to an origin and may hold the admin's password. Version 3 has several keys per provider
 * and several providers per model; see `readProviders` for the only difference in reading.
 */
const SCHEMA_VERSION = 3;
const READ_VERSIONS: readonly unknown[] = [1, 2, SCHEMA_VERSION];

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
  /** True if a provider key or the webhook's secret should be sealed anew: it was not sealed, or not in the current form. */
  readonly hasStaleSecrets: boolean;
  /**
   * The keys in `config.providers` that an earlier version sealed without binding them to an origin: anybody who can
   * change the file can have such a key sent anywhere.
   */
  readonly unboundKeys: ReadonlySet<ProviderKey>;
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
  const checksum = checksumOf(layOut(membersOf(withoutChecksum(object))));
  refuseDuplicateMembers(text);
  return rawDocument(object, checksum);
}

/** The content that a checksum covers. */
export function withoutChecksum({ checksum: _, ...content }: JsonObject): JsonObject {
  return content;
}

/**
 * Compares the computed checksum with the stated one, if the document states one.
 * @throws DocumentError `altered` for a wrong checksum; `refused` for a newer version or another program's file.
 */
export function rawDocument(object: JsonObject, checksum: string): RawDocument {
  const schemaVersion = readSchemaVersion(object);
  const stated = object['checksum'] ?? null;
  if (stated === null || stated === checksum) return { schemaVersion, checksum, object };
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
    const { instanceId, masterKey, adminPasswordHash, settings, providers } = document.config;
    // Serialised here and not below with the other collections: their keys are sealed.
    for (const provider of providers.values()) this.#text(provider, () => toStored(provider, this.#sealer));
    const head = {
      schemaVersion: SCHEMA_VERSION,
      generation: document.generation,
      savedAt: document.savedAt,
      instanceId,
      masterKey,
      // None if no password was set in the panel.
      ...(adminPasswordHash === null ? {} : { adminPasswordHash }),
    };
    const texts = (records: Iterable<object>): string[] =>
      Array.from(records, (record) => this.#text(record));
    const body = layOut([
      ...header,
      ...membersOf(head),
      ['settings', this.#text(settings, () => toStoredSettings(settings, this.#sealer))],
      ...COLLECTIONS.map((name): Member => [name, texts(document.config[name].values())]),
      ['sessions', texts(document.sessions)],
      ['counters', Array.from(document.numbers, (entry) => JSON.stringify(entry))],
    ]);
    const checksum = checksumOf(body);
    return { bytes: Buffer.from(`{\n"checksum":"${checksum}",\n${body.slice(2)}`), checksum };
  }

  /** Reads the records of a document of this version. @throws DocumentError `refused`. */
  decode(object: JsonObject): DecodedDocument {
    const { savedAt = '', masterKey = null } = object;
    const head = readRecord(HEAD, object, 'document');
    const opened = Array.from(readProviders(object).values(), (provider) => this.#open(provider));
    const settings = this.#openSettings(object['settings']);
    const config: ConfigState = {
      instanceId: head.instanceId,
      masterKey: masterKey === null ? null : readRecord(MASTER_KEY, masterKey, 'masterKey'),
      adminPasswordHash: head.adminPasswordHash,
      settings: settings.settings,
      providers: new Map(opened.map(({ provider }) => [provider.id, provider])),
      models: readList(object, 'models', MODEL),
      apiKeys: readList(object, 'apiKeys', API_KEY),
      users: readList(object, 'users', USER),
    };
    refuseDuplicates(config.apiKeys, 'API keys', ({ digest }) => digest);
    refuseDuplicates(config.users, 'usernames', ({ username }) => username);
    return {
      generation: head.generation,
      savedAt: String(savedAt),
      config,
      sessions: lenientList(object['sessions'], (value) => readRecord(SESSION, value, 'sessions')),
      numbers: lenientList(object['counters'], readNumber),
      hasStaleSecrets: settings.isStale || opened.some(({ isStale }) => isStale),
      unboundKeys: new Set(opened.flatMap(({ unbound }) => unbound)),
    };
  }

  #open(stored: StoredProvider): OpenedProvider {
    const opened = openProvider(stored, this.#sealer);
    // The sealed keys stay as they are in the file.
    if (this.#sealer !== null && !opened.isStale) this.#text(opened.provider, () => stored);
    return opened;
  }

  #openSettings(value: unknown): OpenedSettings {
    const opened = openSettings(value, this.#sealer);
    const { settings, stored, isStale } = opened;
    // The sealed secret stays as it is in the file.
    if (this.#sealer !== null && stored !== null && !isStale) this.#text(settings, () => stored);
    return opened;
  }

  /** The JSON text of a record; made once, from its stored form. */
  #text(record: object, toStored: () => object = () => record): string {
    const known = this.#texts.get(record);
    if (known !== undefined) return known;
    const text = JSON.stringify(toStored());
    this.#texts.set(record, text);
    return text;
  }
}

function layOut(members: Iterable<Member>): string {
  return [...layoutPieces(members)].join('');
}

function checksumOf(text: string): string {
  return `sha256:${sha256Hex(text)}`;
}

/** @throws DocumentError `refused` for a newer version and for a file of another program. */
function readSchemaVersion(object: JsonObject): number {
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

/** @throws DocumentError `refused` if two records have the same value, such as two users one username. */
function refuseDuplicates<T>(
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

/** The items that can be read. A session that is left out ends: its owner signs in again. */
function lenientList<T>(value: unknown, read: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    try {
      return [read(item)];
    } catch {
      return [];
    }
  });
}

function readNumber(entry: unknown): readonly [string, number] {
  const [name, number] = Array.isArray(entry) ? entry : [];
  if (typeof name === 'string' && typeof number === 'number') return [name, number];
  throw new DocumentError('refused', 'counters has an entry that is not a name and a number');
}
