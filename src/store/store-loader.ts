import { readWholeFile } from './atomic-file.ts';
import {
  type DecodedDocument,
  DOCUMENT_LIMIT_BYTES,
  type DocumentCodec,
  parseRawDocument,
} from './document.ts';
import { DocumentError, StoreStartError } from './document-error.ts';
import { errorCode, type FileOps, type FileStamp, factsOrNull } from './file-ops.ts';
import { type CredentialCodec, migratePlainDocument } from './migrations.ts';
import { createNewConfig, type NewConfigOptions } from './new-config.ts';
import type { StorePaths } from './store-paths.ts';
import type { VersionHistory } from './version-history.ts';

/** Where a store's first content came from. */
export type Origin = 'file' | 'side-copy' | 'backup' | 'migration' | 'seed' | 'fresh';

/** Content for a store that has none yet, such as a Secret File or a snapshot. */
export interface Seed {
  readonly bytes: Uint8Array;
  /** For messages: where it comes from. */
  readonly name: string;
}

export interface LoadOptions extends NewConfigOptions {
  readonly ops: FileOps;
  readonly paths: StorePaths;
  readonly codec: DocumentCodec;
  readonly credentials: CredentialCodec;
  readonly history: VersionHistory;
  readonly seed: Seed | null;
  /** True if a dead process that had stored something left its lock: then an empty file is a torn one. */
  readonly hasStored: boolean;
}

export interface Loaded {
  readonly origin: Origin;
  readonly document: DecodedDocument;
  /** The file as it is on the disk; null: there is none. */
  readonly file: { readonly stamp: FileStamp; readonly bytes: Buffer | 'too-large' } | null;
  /** Of the file's content, if the document came from it unchanged. */
  readonly checksum: string | null;
  /** What went wrong and what was done about it, one sentence; null: nothing went wrong. */
  readonly notice: string | null;
  /** The notices of a migration. */
  readonly migrationNotices: readonly string[];
}

const FILE_LIMIT_TEXT = `${DOCUMENT_LIMIT_BYTES / 1024 / 1024} MiB`;

/** A document that was read from some file. */
interface Good {
  readonly kind: 'good';
  readonly document: DecodedDocument;
  readonly checksum: string;
  readonly isMigrated: boolean;
  readonly notices: readonly string[];
}

type Examined =
  | Good
  | { readonly kind: 'missing' | 'empty' }
  | { readonly kind: 'bad'; readonly error: DocumentError };

/**
 * Decides what a store starts with, and changes nothing on the disk: the file; if it cannot be used, its side copy or
 * the newest good backup; if there never was anything, the seed or the content of a new database.
 * @throws StoreStartError if only a person can decide, or nothing usable is left.
 */
export async function loadStore(options: LoadOptions): Promise<Loaded> {
  const { paths, history } = options;
  const file = await readTarget(options);
  const main = await examine(file?.bytes ?? null, options);
  const found = (origin: Origin, document: DecodedDocument, more: Partial<Loaded> = {}): Loaded => {
    return { origin, document, file, checksum: null, notice: null, migrationNotices: [], ...more };
  };
  if (main.kind === 'good') {
    const { document, checksum, isMigrated, notices } = main;
    return found(isMigrated ? 'migration' : 'file', document, { checksum, migrationNotices: notices });
  }
  if (main.kind === 'bad' && main.error.fault === 'refused') throw unusable(paths.target, main.error);

  const problem = main.kind === 'bad' ? main.error.message : `it is ${main.kind}`;
  const side = await examineFile(paths.side, options);
  if (side.kind === 'good') {
    const notice = `The database file was cut off in a write (${problem}); the complete copy beside it was used, nothing is lost.`;
    return found('side-copy', side.document, { notice });
  }
  if (main.kind === 'bad' && main.error.fault === 'altered') throw unusable(paths.target, main.error);
  const wasStored =
    history.versions.length > 0 || side.kind === 'bad' || (main.kind === 'empty' && options.hasStored);
  if (main.kind !== 'bad' && !wasStored) {
    const seed = await examineSeed(options);
    if (seed === null) return found('fresh', newDocument(options));
    return found('seed', seed.document, { migrationNotices: seed.notices });
  }
  const backup = await newestGoodBackup(options);
  if (backup === null) throw lost(paths, problem);
  const notice = `The database file could not be used (${problem}); the backup of ${backup.document.savedAt} was used, later changes are lost.`;
  return found('backup', backup.document, { notice });
}

async function examineSeed(options: LoadOptions): Promise<Good | null> {
  if (options.seed === null) return null;
  const seed = await examine(options.seed.bytes, options);
  if (seed.kind === 'bad') throw unusable(options.seed.name, seed.error);
  return seed.kind === 'good' ? seed : null;
}

function newDocument(options: LoadOptions): DecodedDocument {
  return {
    generation: 0,
    savedAt: new Date(options.now()).toISOString(),
    config: createNewConfig(options),
    sessions: [],
    numbers: [],
    hasStaleSecrets: false,
    unboundKeys: new Set(),
  };
}

async function readTarget({ ops, paths }: LoadOptions): Promise<Loaded['file']> {
  const { target } = paths;
  try {
    const facts = await factsOrNull(ops, target);
    if (facts === null) return null;
    if (facts.kind !== 'file') {
      throw new StoreStartError(`The database ${target} is not a file; set DB_PATH to another path.`);
    }
    const isTooLarge = facts.size > BigInt(DOCUMENT_LIMIT_BYTES);
    const bytes = isTooLarge ? 'too-large' : await readWholeFile(ops, target, DOCUMENT_LIMIT_BYTES);
    return bytes === null ? null : { stamp: facts, bytes };
  } catch (error) {
    if (error instanceof StoreStartError) throw error;
    throw unreadable(target, error);
  }
}

async function examineFile(path: string, options: LoadOptions): Promise<Examined> {
  let bytes: Buffer | 'too-large' | null;
  try {
    bytes = await readWholeFile(options.ops, path, DOCUMENT_LIMIT_BYTES);
  } catch (error) {
    throw unreadable(path, error);
  }
  return await examine(bytes, options);
}

async function examine(bytes: Uint8Array | 'too-large' | null, options: LoadOptions): Promise<Examined> {
  if (bytes === null) return { kind: 'missing' };
  if (bytes.length === 0) return { kind: 'empty' };
  try {
    if (bytes === 'too-large') throw new DocumentError('damaged', `it is larger than ${FILE_LIMIT_TEXT}`);
    const { schemaVersion, object, checksum } = parseRawDocument(bytes);
    if (schemaVersion > 0) {
      const document = options.codec.decode(object);
      return { kind: 'good', document, checksum, isMigrated: false, notices: [] };
    }
    const instanceId = options.randomBytes(8).toString('hex');
    const migration = await migratePlainDocument(object, {
      ...options.credentials,
      now: options.now,
      instanceId,
    });
    const document = options.codec.decode(migration.object);
    return { kind: 'good', document, checksum, isMigrated: true, notices: migration.notices };
  } catch (error) {
    if (error instanceof DocumentError) return { kind: 'bad', error };
    throw error;
  }
}

/** @throws StoreStartError at a backup of a newer program version: an older backup would lose later changes. */
async function newestGoodBackup(options: LoadOptions): Promise<Good | null> {
  for (const { number } of options.history.versions) {
    const path = options.paths.backup(number);
    const backup = await examineFile(path, options);
    if (backup.kind === 'good') return backup;
    if (backup.kind === 'bad' && backup.error.fault === 'refused') throw unusable(path, backup.error);
  }
  return null;
}

function unusable(name: string, error: DocumentError): StoreStartError {
  return new StoreStartError(`The database ${name} cannot be used: ${error.message}. ${error.fix}.`, {
    cause: error,
  });
}

function lost(paths: StorePaths, problem: string): StoreStartError {
  return new StoreStartError(
    `The database ${paths.target} cannot be used: ${problem}, and no good backup is beside it. Put a good copy in its place, or move it and its .lock, .side and .bak files away to start with an empty one.`,
  );
}

function unreadable(path: string, error: unknown): StoreStartError {
  const user = process.getuid?.() ?? 'USER';
  return new StoreStartError(
    `The database ${path} cannot be read (${errorCode(error)}); run: sudo chown ${user} '${path}' && sudo chmod 600 '${path}'`,
    { cause: error },
  );
}
