import { readWholeFile } from './atomic-file.ts';
import type { DatabaseTools } from './database-file.ts';
import { type DecodedDocument, DOCUMENT_LIMIT_BYTES, parseRawDocument } from './document.ts';
import { DocumentError, StoreStartError } from './document-error.ts';
import { errorCode, type FileStamp, orMissing } from './file-ops.ts';
import { type CredentialCodec, migratePlainDocument } from './migrations.ts';
import { createNewConfig } from './new-config.ts';

/** Content for a store that has none yet, such as a Secret File or a snapshot. */
export interface Seed {
  readonly bytes: Uint8Array;
  /** For messages: where it comes from. */
  readonly name: string;
}

export interface ReadOptions extends DatabaseTools {
  readonly credentials: CredentialCodec;
  readonly seed: Seed | null;
  /** True if a dead process that had stored something left its lock: then an empty file is a torn one. */
  readonly hasStored: boolean;
}

/** A document that was read from some file. */
interface Sound {
  readonly document: DecodedDocument;
  /** Of the file's content; null: there was no file. */
  readonly checksum: string | null;
  readonly isMigrated: boolean;
  /** The notices of a migration. */
  readonly migrationNotices: readonly string[];
}

/** What a store starts with. */
export interface Loaded extends Sound {
  readonly origin: 'file' | 'side-copy' | 'backup' | 'seed' | 'fresh';
  /** The database file as it is on the disk; null: there is none. */
  readonly file: { readonly stamp: FileStamp; readonly bytes: Buffer | 'too-large' } | null;
  /** What went wrong and what was done about it, one sentence; null: nothing went wrong. */
  readonly notice: string | null;
}

/**
 * Decides what a store starts with, and changes nothing on the disk: the file; if it cannot be used, its side copy or
 * the newest good backup; if there never was anything, the seed or the content of a new database.
 * @throws StoreStartError if only a person can decide, or nothing usable is left.
 */
export async function readDatabase(options: ReadOptions): Promise<Loaded> {
  const { paths, history, seed } = options;
  const file = await readTarget(options);
  const main = await examine(file?.bytes ?? null, options);
  if (isSound(main)) return { ...main, origin: 'file', file, notice: null };
  const isDamaged = main instanceof DocumentError;
  if (isDamaged && main.fault === 'refused') throw unusable(paths.target, main);

  const problem = isDamaged ? main.message : `it is ${main}`;
  const side = await examineFile(paths.side, options);
  if (isSound(side)) {
    const notice = `The database file was cut off in a write (${problem}); the complete copy beside it was used, nothing is lost.`;
    return { ...side, origin: 'side-copy', file, notice };
  }
  if (isDamaged && main.fault === 'altered') throw unusable(paths.target, main);

  const wasStored = history.files.length > 0 || side instanceof DocumentError;
  if (!isDamaged && !wasStored && !(main === 'empty' && options.hasStored)) {
    const seeded = await examine(seed?.bytes ?? null, options);
    if (seeded instanceof DocumentError) throw unusable(seed?.name ?? '', seeded);
    if (isSound(seeded)) return { ...seeded, origin: 'seed', file, notice: null };
    return { ...newDocument(options), origin: 'fresh', file, notice: null };
  }

  const backup = await newestGoodBackup(options);
  if (backup === null) throw lost(paths.target, problem);
  const notice = `The database file could not be used (${problem}); the backup of ${backup.document.savedAt} was used, later changes are lost.`;
  return { ...backup, origin: 'backup', file, notice };
}

type Examined = Sound | 'missing' | 'empty' | DocumentError;

function isSound(examined: Examined): examined is Sound {
  return typeof examined === 'object' && 'document' in examined;
}

async function readTarget({ ops, paths: { target } }: ReadOptions): Promise<Loaded['file']> {
  const stamp = await orUnreadable(target, orMissing(ops.stat(target)));
  if (stamp === null) return null;
  if (!stamp.isFile()) {
    throw new StoreStartError(`The database ${target} is not a file; set DB_PATH to another path.`);
  }
  const bytes = await orUnreadable(target, readWholeFile(ops, target, DOCUMENT_LIMIT_BYTES));
  return bytes === null ? null : { stamp, bytes };
}

async function examineFile(path: string, options: ReadOptions): Promise<Examined> {
  const bytes = await orUnreadable(path, readWholeFile(options.ops, path, DOCUMENT_LIMIT_BYTES));
  return await examine(bytes, options);
}

async function examine(bytes: Uint8Array | 'too-large' | null, options: ReadOptions): Promise<Examined> {
  if (bytes === null) return 'missing';
  if (bytes.length === 0) return 'empty';
  if (bytes === 'too-large') {
    return new DocumentError('damaged', `it is larger than ${DOCUMENT_LIMIT_BYTES / 1024 / 1024} MiB`);
  }
  try {
    const { schemaVersion, object, checksum } = parseRawDocument(bytes);
    const isMigrated = schemaVersion === 0;
    const instanceId = options.randomBytes(8).toString('hex');
    const current = isMigrated
      ? await migratePlainDocument(object, { ...options.credentials, now: options.now, instanceId })
      : { object, notices: [] };
    const document = options.codec.decode(current.object);
    return { document, checksum, isMigrated, migrationNotices: current.notices };
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
}

/** @throws StoreStartError at a backup of a newer program version: an older backup would lose later changes. */
async function newestGoodBackup(options: ReadOptions): Promise<Sound | null> {
  for (const path of options.history.files) {
    const backup = await examineFile(path, options);
    if (isSound(backup)) return backup;
    if (backup instanceof DocumentError && backup.fault === 'refused') throw unusable(path, backup);
  }
  return null;
}

function newDocument(options: ReadOptions): Sound {
  const document = {
    generation: 0,
    savedAt: new Date(options.now()).toISOString(),
    config: createNewConfig(options),
    sessions: [],
    numbers: [],
    hasStaleSecrets: false,
    unboundKeys: new Set<never>(),
  };
  return { document, checksum: null, isMigrated: false, migrationNotices: [] };
}

function unusable(name: string, error: DocumentError): StoreStartError {
  return new StoreStartError(`The database ${name} cannot be used: ${error.message}. ${error.fix}.`, {
    cause: error,
  });
}

function lost(path: string, problem: string): StoreStartError {
  return new StoreStartError(
    `The database ${path} cannot be used: ${problem}, and no good backup is beside it. Put a good copy in its place, or move it and its .lock, .side and .bak files away to start with an empty one.`,
  );
}

/** @throws StoreStartError with the commands that let this user read the file, instead of the system's error. */
async function orUnreadable<T>(path: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    const user = process.getuid?.() ?? 'USER';
    throw new StoreStartError(
      `The database ${path} cannot be read (${errorCode(error)}); run: sudo chown ${user} '${path}' && sudo chmod 600 '${path}'`,
      { cause: error },
    );
  }
}
