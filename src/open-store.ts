import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createCredentialCodec } from './auth/credentials.ts';
import { createPasswordWork } from './auth/password-work.ts';
import { IDLE_LIFETIME_MS } from './auth/sessions.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { type DocumentVersion, readDocumentVersion } from './offsite/document-version.ts';
import type { LoadedSnapshot } from './offsite/restore.ts';
import type { Snapshotter } from './offsite/snapshotter.ts';
import type { OpenedRedis } from './redis/open-redis.ts';
import type { FirstContent } from './redis/take-over.ts';
import type { JsonFileStore } from './store/json-file-store.ts';
import { DEFAULT_NAME, locateStore, type StoreLocation } from './store/location.ts';
import { openJsonFileStore } from './store/open-json-file-store.ts';
import { StorePaths } from './store/store-paths.ts';

export interface OpenStoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The program's own folder. */
  readonly root: string;
  /** null: no copies are kept off the machine. */
  readonly snapshotter: Snapshotter | null;
}

/**
 * Opens the database; if the machine has lost its state, from the copy that is kept off the machine.
 * @throws StoreStartError, ConfigError with one line that says what to do.
 */
export async function openStore(options: OpenStoreOptions): Promise<JsonFileStore> {
  const { config, logger, snapshotter } = options;
  const location = await locateStore({
    dbPath: config.dbPath,
    onRender: config.onRender,
    workingFolder: process.cwd(),
    temporaryFolder: tmpdir(),
    programFolder: options.root,
    secretsFolder: '/etc/secrets',
  });
  return openJsonFileStore({
    location,
    findSeed: async () => (snapshotter === null ? null : await findSeed(location, snapshotter)),
    encryptionKey: config.encryptionKey,
    previousEncryptionKey: config.previousEncryptionKey,
    credentials: createCredentialCodec({ work: createPasswordWork(), randomBytes }),
    logger,
    now: Date.now,
    randomBytes,
  });
}

/**
 * Opens store and books in the shared engine; an empty engine takes over the file at DB_PATH, which stays as it is.
 * @throws StoreStartError, ConfigError with one line that says what to do.
 */
export async function openShared(url: string, options: OpenStoreOptions): Promise<OpenedRedis> {
  const { openRedis } = await import('./redis/open-redis.ts');
  return openRedis({
    ...options,
    url,
    sessionLifetimeMs: IDLE_LIFETIME_MS,
    findFirst: () => readFirst(options),
  });
}

/** What the database file holds; null: there is no file, and none is made. @throws StoreStartError for an unusable file. */
async function readFirst(options: OpenStoreOptions): Promise<FirstContent | null> {
  const path = resolve(options.config.dbPath ?? DEFAULT_NAME);
  const found = await stat(path).catch(() => null);
  const file = found?.isDirectory() === true ? await stat(join(path, DEFAULT_NAME)).catch(() => null) : found;
  if (file === null || file.size === 0) return null;
  const store = await openStore(options);
  const { config, sessions, numbers, usageFolder } = store;
  const first = { config: config.view(), sessions: await sessions.list(), numbers, usageFolder };
  await store.close();
  return first;
}

/** Asks for the off-site snapshot if the disk is empty or does not last; else the database on the disk is used. */
async function findSeed(
  { path, mode }: StoreLocation,
  snapshotter: Snapshotter,
): Promise<LoadedSnapshot | null> {
  const paths = new StorePaths(path);
  const bytes = await readFile(path).catch(() => null);
  const isEmpty = bytes === null || bytes.length === 0;
  if (!isEmpty && mode !== 'volatile') return null;
  const names = (await readdir(paths.folder).catch(() => [])).filter((name) => paths.isContent(name));
  const own = bytes === null ? null : readDocumentVersion(bytes);
  const loaded = await snapshotter.restore(own ?? (await newestCopy(paths, names)));
  if (loaded === null || mode === 'read-only') return loaded;
  // An empty file may be a mount, which stays where it is.
  if (isEmpty) await unlink(path).catch(() => {});
  await moveAside(
    paths,
    names.filter((name) => !isEmpty || paths.join(name) !== path),
  );
  return loaded;
}

/** The newest copy that a start would use for a missing database. */
async function newestCopy(paths: StorePaths, names: readonly string[]): Promise<DocumentVersion | null> {
  let newest: DocumentVersion | null = null;
  for (const path of names.map((name) => paths.join(name))) {
    if (path !== paths.side && paths.versionOf(basename(path)) === null) continue;
    const bytes = await readFile(path).catch(() => null);
    const version = bytes === null ? null : readDocumentVersion(bytes);
    if (version !== null && version.generation > (newest?.generation ?? -1)) newest = version;
  }
  return newest;
}

/** Moves files aside for a newer state; nothing is deleted. */
async function moveAside(paths: StorePaths, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const aside = paths.replaced(Date.now());
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(paths.join(name), join(aside, name));
}
