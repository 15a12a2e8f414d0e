import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describeKey } from './auth/api-keys.ts';
import { createPasswordWork } from './auth/password-work.ts';
import { hashPassword } from './auth/passwords.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { readDocumentFacts } from './snapshot/document-facts.ts';
import type { SnapshotSeed } from './snapshot/restore.ts';
import type { Snapshotter } from './snapshot/snapshotter.ts';
import { type JsonFileStore, openJsonFileStore } from './store/json-file-store.ts';
import { locateStore, type StoreLocation } from './store/location.ts';

export interface OpenStoreOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The program's own folder. */
  readonly root: string;
  /** Null where no copies are kept off the machine. */
  readonly snapshotter: Snapshotter | null;
}

/**
 * Opens the database file where it belongs; where the machine has lost its state, from the copy that is kept elsewhere.
 * @throws StoreStartError, SnapshotStartError with one line that says what to do.
 */
export async function openStore(options: OpenStoreOptions): Promise<JsonFileStore> {
  const { config, logger, snapshotter } = options;
  const work = createPasswordWork();
  const location = await locateStore({
    dbPath: config.dbPath,
    onRender: config.onRender,
    workingFolder: process.cwd(),
    temporaryFolder: tmpdir(),
    programFolder: options.root,
    secretsFolder: '/etc/secrets',
  });
  const seed = snapshotter === null ? null : await findSeed(location, snapshotter);
  const store = await openJsonFileStore({
    location,
    seed,
    encryptionKey: config.encryptionKey,
    previousEncryptionKey: config.previousEncryptionKey,
    credentials: {
      describeKey,
      hashPassword: (password) => hashPassword(password, { work, lane: 'trusted', randomBytes }),
    },
    logger,
    now: Date.now,
    randomBytes,
  });
  return store;
}

/** Asks for the snapshot where the disk is empty or does not last; a lasting store with content needs none. */
async function findSeed(location: StoreLocation, snapshotter: Snapshotter): Promise<SnapshotSeed | null> {
  const bytes = await readFile(location.path).catch(() => null);
  const local = bytes === null ? null : readDocumentFacts(bytes);
  const isEmpty = bytes === null || bytes.length === 0;
  if (!isEmpty && location.mode === 'persistent') return null;
  const restored = await snapshotter.restore(local);
  if (restored.kind !== 'loaded') return null;
  if (restored.replacesLocal) await moveAside(location.path);
  return restored.seed;
}

/** An older state in a folder that does not last makes room, with all that is beside it; nothing is deleted. */
async function moveAside(path: string): Promise<void> {
  const folder = dirname(path);
  const aside = join(folder, `replaced-${Date.now()}`);
  await mkdir(aside, { mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name.startsWith(basename(path))) await rename(join(folder, name), join(aside, name));
  }
}
