import { readFile } from 'node:fs/promises';
import type { Logger } from '../logger.ts';
import { originOf } from '../providers/base-url.ts';
import { FILE_MODE, readWholeFile, writeWholeFile } from './atomic-file.ts';
import { DatabaseFile, type DatabaseTools, type KnownFile, quietly } from './database-file.ts';
import { DOCUMENT_LIMIT_BYTES, DocumentCodec, parseRawDocument } from './document.ts';
import { DocumentError, StoreStartError } from './document-error.ts';
import { errorCode, type FileOps, nodeFileOps, orMissing } from './file-ops.ts';
import { JsonFileStore } from './json-file-store.ts';
import type { StoreLocation } from './location.ts';
import type { CredentialCodec } from './migrations.ts';
import { PlainCopies } from './plain-copies.ts';
import { hasUnreadableKey } from './provider-keys.ts';
import { type Loaded, readDatabase, type Seed } from './read-database.ts';
import { createSealer } from './secrets.ts';
import type { StorageStatus } from './store.ts';
import { acquireStoreLock, type StoreLock } from './store-lock.ts';
import { StorePaths } from './store-paths.ts';
import { VersionHistory } from './version-history.ts';

export interface JsonFileStoreOptions {
  readonly location: StoreLocation;
  /** null: provider keys are stored as they are. */
  readonly encryptionKey: string | null;
  /** The key before the last change; the start seals with the new key whatever this one opens. */
  readonly previousEncryptionKey: string | null;
  readonly credentials: CredentialCodec;
  readonly logger: Logger;
  /** The current time in milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
  /**
   * Called once the lock is held: finds content for a database that does not exist yet, and may move files aside for it.
   * It goes before the location's own seed. Its errors are passed on.
   */
  readonly findSeed?: () => Promise<Seed | null>;
  readonly ops?: FileOps;
  readonly acquireLock?: typeof acquireStoreLock;
  readonly softChangeDelayMs?: number;
  readonly retryDelayMs?: number;
}

/**
 * Opens the database: takes its lock, reads the file or the newest sound copy, keeps what is replaced, migrates, and
 * writes what the file does not hold yet. The store holds the lock until it is closed.
 * @throws StoreStartError with one line that says what is wrong and what to do.
 */
export async function openJsonFileStore(options: JsonFileStoreOptions): Promise<JsonFileStore> {
  const { location, acquireLock = acquireStoreLock } = options;
  const paths = new StorePaths(location.path);
  const refuse = (error: unknown): never => {
    throw asStartError(error, paths);
  };
  const lock = location.mode === 'read-only' ? null : await acquireLock(paths, options).catch(refuse);
  try {
    const seed = (await options.findSeed?.()) ?? null;
    return await start(options, { paths, lock, seed }).catch(refuse);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

interface Start {
  readonly paths: StorePaths;
  /** null: nothing is changed on the disk, now or later. */
  readonly lock: StoreLock | null;
  readonly seed: Seed | null;
}

/** What follows once the lock is held. */
async function start(options: JsonFileStoreOptions, { paths, lock, seed }: Start): Promise<JsonFileStore> {
  const { location, encryptionKey, logger, ops = nodeFileOps } = options;
  const names = await ops.list(paths.folder).catch((error) => {
    if (lock === null) return [];
    throw error;
  });
  const history = await VersionHistory.open(ops, paths, names);
  const tools = { ...options, ops, paths, history, codec: createCodec(options) };
  const loaded = await readDatabase({
    ...tools,
    seed: seed ?? (await readSeed(location.seedPath)),
    hasStored: lock?.hasReplacedSettled ?? false,
  });
  logLoaded(loaded, options);

  if (lock !== null) {
    await quietly(logger, 'store.tidy', () => removeStrays(tools, names, lock));
    await keepOriginal(tools, loaded);
    await closeToOthers(tools);
  }

  const copies = new PlainCopies({ ops, paths, isEncrypted: encryptionKey !== null });
  const store = new JsonFileStore({
    ...options,
    document: loaded.document,
    status: statusOf(loaded, options),
    file: new DatabaseFile(tools, knownFile(loaded, history), loaded.document),
    lock,
    copies,
    usageFolder: paths.usage,
  });
  if (lock !== null && (await writeLoaded(tools, store, loaded))) {
    await quietly(logger, 'store.tidy', () => tidy(tools, loaded, copies));
  }
  return store;
}

function asStartError(error: unknown, { target }: StorePaths): StoreStartError {
  if (error instanceof StoreStartError) return error;
  const problem = errorCode(error) || String(error);
  return new StoreStartError(
    `The database ${target} cannot be opened (${problem}); see that its folder exists and can be written.`,
    { cause: error },
  );
}

function createCodec({
  encryptionKey,
  previousEncryptionKey,
  randomBytes,
}: JsonFileStoreOptions): DocumentCodec {
  if (encryptionKey === null) return new DocumentCodec(null);
  return new DocumentCodec(
    createSealer({ key: encryptionKey, previousKey: previousEncryptionKey, randomBytes }),
  );
}

async function readSeed(path: string | null): Promise<Seed | null> {
  return path === null ? null : { bytes: await readFile(path), name: path };
}

/** What the file holds before the first write. */
function knownFile({ document, file, checksum, origin }: Loaded, { newest }: VersionHistory): KnownFile {
  const stamp = file?.stamp ?? null;
  return {
    stamp,
    checksum,
    // A restored file counts from the newest backup on, so that "newest" keeps its meaning.
    generation: document.generation >= newest ? document.generation : newest + 1,
    savedAtMs: stamp === null ? 0 : Number(stamp.mtimeNs / 1_000_000n),
    isSure: origin !== 'backup' && origin !== 'side-copy',
  };
}

/** Removes useless files that a dead process left behind. */
async function removeStrays(
  { ops, paths }: DatabaseTools,
  names: readonly string[],
  lock: StoreLock,
): Promise<void> {
  for (const name of names) {
    if (paths.isStray(name) && !lock.isOwn(name)) await orMissing(ops.unlink(paths.join(name)));
  }
}

/**
 * Keeps the file's bytes before other content replaces them: the original of a migration, an unusable or a torn file.
 * @throws StoreStartError if that fails: then nothing may overwrite the file.
 */
async function keepOriginal({ ops, paths, now }: DatabaseTools, loaded: Loaded): Promise<void> {
  const { file, origin, isMigrated } = loaded;
  if (file === null || file.bytes.length === 0) return;
  const { bytes } = file;
  const keep = (path: string, content: Buffer): Promise<unknown> =>
    writeWholeFile(ops, { path, temp: paths.temp('aside') }, content);
  try {
    const corrupt = paths.aside('corrupt', now());
    if (bytes === 'too-large') await ops.link(paths.target, corrupt);
    else if (origin === 'backup') await keep(corrupt, bytes);
    else if (origin === 'side-copy') await keep(paths.torn, bytes);
    else if (isMigrated) {
      // An interrupted start may have kept the original already. A different file of that name is never overwritten.
      const path = paths.beforeMigration;
      const kept = await readWholeFile(ops, path, DOCUMENT_LIMIT_BYTES);
      if (!Buffer.isBuffer(kept) || !kept.equals(bytes))
        await keep(kept === null ? path : `${path}-${now()}`, bytes);
    }
  } catch (error) {
    const problem = `could not be kept beside its successor (${errorCode(error)})`;
    throw new StoreStartError(`The old content of ${paths.target} ${problem}; make room, or move it away.`, {
      cause: error,
    });
  }
}

/** Removes the rights of group and others from a file that came from elsewhere, if possible. */
async function closeToOthers({ ops, paths }: DatabaseTools): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const { mode } = await ops.stat(paths.target);
    if ((mode & 0o077n) === 0n) return;
    const file = await ops.open(paths.target, 'r');
    await file.chmod(FILE_MODE).finally(() => file.close());
  } catch {
    // There is no file, or it belongs to another user: we may only read and replace it.
  }
}

/**
 * Writes the loaded content if the file does not hold it, or holds it in an older form; false if that failed.
 * @throws StoreStartError if it failed and the content is nowhere on the disk in this form.
 */
async function writeLoaded({ paths }: DatabaseTools, store: JsonFileStore, loaded: Loaded): Promise<boolean> {
  const { origin, isMigrated, document } = loaded;
  const isInFile = origin === 'file' && !isMigrated;
  if (isInFile && !document.hasStaleSecrets) return true;
  if (await store.rewrite()) return true;
  if (isInFile || origin === 'backup' || origin === 'side-copy') return false;
  const { message } = store.status();
  await store.close();
  throw new StoreStartError(`The database ${paths.target} cannot be written. ${message}`);
}

/**
 * Removes the side copy. Seals the provider keys in the backups with the current key, so that the previous key is no
 * longer needed: if the database held stale keys, or an interrupted start left a backup with plain ones.
 */
async function tidy(tools: DatabaseTools, { document }: Loaded, copies: PlainCopies): Promise<void> {
  const { ops, paths, codec, history, logger } = tools;
  await quietly(logger, 'store.tidy', () => orMissing(ops.unlink(paths.side)));
  const plain = document.hasStaleSecrets ? [] : (await copies.find()).map((name) => paths.join(name));
  if (!document.hasStaleSecrets && !history.files.some((path) => plain.includes(path))) return;
  for (const path of history.files) {
    const bytes = await readWholeFile(ops, path, DOCUMENT_LIMIT_BYTES);
    const resealed = Buffer.isBuffer(bytes) ? reseal(bytes, codec) : null;
    if (resealed !== null) await writeWholeFile(ops, { path, temp: paths.temp('reseal') }, resealed);
  }
}

/** The same document with its keys sealed anew; null if nothing is to be done or it cannot be read. */
function reseal(bytes: Buffer, codec: DocumentCodec): Buffer | null {
  try {
    const { schemaVersion, object } = parseRawDocument(bytes);
    if (schemaVersion === 0) return null;
    const document = codec.decode(object);
    return document.hasStaleSecrets ? codec.encode(document).bytes : null;
  } catch (error) {
    if (error instanceof DocumentError) return null;
    throw error;
  }
}

function statusOf({ notice }: Loaded, { location, encryptionKey }: JsonFileStoreOptions): StorageStatus {
  const encrypted = encryptionKey !== null;
  const { mode, reason } = location;
  if (mode === 'read-only') return { state: 'read-only', message: reason ?? '', encrypted };
  if (notice !== null) return { state: 'recovered', message: notice, encrypted };
  if (mode === 'volatile') return { state: 'volatile', message: reason ?? '', encrypted };
  return { state: 'ok', message: 'Every change is on the disk before it is confirmed.', encrypted };
}

function logLoaded({ migrationNotices, notice, document }: Loaded, options: JsonFileStoreOptions): void {
  const { logger, location } = options;
  for (const message of migrationNotices) logger.warn('store.migrated', { message });
  if (notice !== null) logger.error('store.recovered', { message: notice });
  if (location.reason !== null) logger.warn(`store.${location.mode}`, { message: location.reason });
  const providers = [...document.config.providers.values()];
  const unbound = providers.filter(({ keys }) =>
    keys.some((key) => key.secret !== null && document.unboundKeys.has(key)),
  );
  if (unbound.length > 0) {
    logger.warn('store.unbound_keys', {
      providers: unbound.map(({ id, baseUrl }) => `${id} (${originOf(baseUrl) ?? 'no address'})`).join(', '),
      message:
        'An earlier version encrypted the keys of these providers without their addresses; from now on each is bound to the address shown. If one is wrong, correct it in the panel and replace the key.',
    });
  }
  const unreadable = providers.filter(hasUnreadableKey);
  if (unreadable.length === 0) return;
  logger.error('store.unreadable_keys', {
    providers: unreadable.map(({ id }) => id).join(', '),
    message:
      'The keys of these providers cannot be decrypted, so they stay closed: ENCRYPTION_KEY is another one, or the base URL was changed in the file. Set the right ENCRYPTION_KEY (or ENCRYPTION_KEY_PREVIOUS), or enter their keys again.',
  });
}
