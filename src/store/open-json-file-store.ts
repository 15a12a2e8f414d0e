import { readFile } from 'node:fs/promises';
import type { Logger } from '../logger.ts';
import { originOf } from '../providers/base-url.ts';
import { DocumentCodec } from './document.ts';
import { StoreStartError } from './document-error.ts';
import { type FileOps, nodeFileOps, unlinkIfThere } from './file-ops.ts';
import { JsonFileStore } from './json-file-store.ts';
import type { StoreLocation } from './location.ts';
import type { CredentialCodec } from './migrations.ts';
import { PlainCopies } from './plain-copies.ts';
import { createSealer } from './secrets.ts';
import { closeToOthers, keepOriginal, knownFile, removeStrays, resealBackups } from './start-steps.ts';
import type { StorageStatus } from './store.ts';
import { StoreDisk } from './store-disk.ts';
import { codeOf } from './store-health.ts';
import { type Loaded, loadStore, type Seed } from './store-loader.ts';
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
 * Opens the database: takes its lock, reads the file or the copy that replaces it, migrates it, and holds the lock.
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
    return await new Opening(options, paths, lock).open(seed).catch(refuse);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

function asStartError(error: unknown, { target }: StorePaths): StoreStartError {
  if (error instanceof StoreStartError) return error;
  const problem = codeOf(error) || String(error);
  return new StoreStartError(
    `The database ${target} cannot be opened (${problem}); see that its folder exists and can be written.`,
    { cause: error },
  );
}

/** One start of a store. */
class Opening {
  readonly #options: JsonFileStoreOptions;
  readonly #ops: FileOps;
  readonly #paths: StorePaths;
  readonly #lock: StoreLock | null;
  readonly #codec: DocumentCodec;
  readonly #copies: PlainCopies;

  constructor(options: JsonFileStoreOptions, paths: StorePaths, lock: StoreLock | null) {
    const { encryptionKey, previousEncryptionKey: previousKey, randomBytes } = options;
    const keys = encryptionKey === null ? null : { key: encryptionKey, previousKey, randomBytes };
    this.#options = options;
    this.#ops = options.ops ?? nodeFileOps;
    this.#paths = paths;
    this.#lock = lock;
    this.#codec = new DocumentCodec(keys === null ? null : createSealer(keys));
    this.#copies = new PlainCopies({ ops: this.#ops, paths, isEncrypted: encryptionKey !== null });
  }

  async open(seed: Seed | null): Promise<JsonFileStore> {
    const lock = this.#lock;
    const names =
      lock === null
        ? await this.#ops.list(this.#paths.folder).catch(() => [])
        : await this.#ops.list(this.#paths.folder);
    const history = await VersionHistory.open(this.#ops, this.#paths, names);
    const loaded = await loadStore({
      ...this.#options,
      ops: this.#ops,
      paths: this.#paths,
      codec: this.#codec,
      history,
      seed: seed ?? (await readSeed(this.#options.location.seedPath)),
      hasStored: lock?.hasReplacedSettled ?? false,
    });
    this.#log(loaded);
    if (lock === null) return this.#store(loaded, null);

    const steps = { ops: this.#ops, paths: this.#paths, now: this.#options.now };
    await this.#quietly(() => removeStrays(steps, names, (name) => lock.isOwn(name)));
    await keepOriginal(steps, loaded);
    await closeToOthers(steps);
    const { ops, logger, now, randomBytes } = { ...this.#options, ops: this.#ops };
    const disk = new StoreDisk({
      ops,
      paths: this.#paths,
      codec: this.#codec,
      lock,
      history,
      known: knownFile(loaded, history),
      content: loaded.document,
      logger,
      now,
      randomBytes,
    });
    const store = this.#store(loaded, disk);
    await this.#bringUpToDate(store, loaded, history);
    return store;
  }

  /** Writes the loaded content if the file does not hold it, or holds it in an older form. */
  async #bringUpToDate(store: JsonFileStore, loaded: Loaded, history: VersionHistory): Promise<void> {
    const { hasStaleSecrets } = loaded.document;
    if (loaded.origin !== 'file' || hasStaleSecrets) {
      const isWritten = await store.rewrite();
      const isRequired =
        loaded.origin !== 'file' && loaded.origin !== 'backup' && loaded.origin !== 'side-copy';
      if (!isWritten && isRequired) {
        const { message } = store.status();
        await store.close();
        throw new StoreStartError(`The database ${this.#paths.target} cannot be written. ${message}`);
      }
      if (!isWritten) return;
    }
    await this.#quietly(() => unlinkIfThere(this.#ops, this.#paths.side));
    await this.#quietly(async () => {
      if (!hasStaleSecrets && !(await this.#hasPlainBackup())) return;
      await resealBackups(
        { ops: this.#ops, paths: this.#paths, now: this.#options.now },
        this.#codec,
        history,
      );
    });
  }

  /** An interrupted start may have left such a backup, or its provider is gone from the database. */
  async #hasPlainBackup(): Promise<boolean> {
    if (this.#options.encryptionKey === null) return false;
    return (await this.#copies.find()).some((name) => this.#paths.versionOf(name) !== null);
  }

  #store(loaded: Loaded, disk: StoreDisk | null): JsonFileStore {
    const { location, logger, softChangeDelayMs, retryDelayMs, encryptionKey } = this.#options;
    return new JsonFileStore({
      path: this.#paths.target,
      loadedGeneration: loaded.document.generation,
      document: loaded.document,
      status: statusOf(loaded, location, encryptionKey !== null),
      disk,
      lock: this.#lock,
      copies: this.#copies,
      exportDocument: () => disk?.encode() ?? this.#codec.encode(loaded.document).bytes,
      logger,
      ...(softChangeDelayMs === undefined ? {} : { softChangeDelayMs }),
      ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
    });
  }

  #log({ migrationNotices, notice, document }: Loaded): void {
    const { logger, location } = this.#options;
    for (const message of migrationNotices) logger.warn('store.migrated', { message });
    if (notice !== null) logger.error('store.recovered', { message: notice });
    if (location.reason !== null) logger.warn(`store.${location.mode}`, { message: location.reason });
    const providers = [...document.config.providers.values()];
    const unbound = providers.filter(({ id, apiKey }) => apiKey !== null && document.unboundKeys.has(id));
    if (unbound.length > 0) {
      logger.warn('store.unbound_keys', {
        providers: unbound
          .map(({ id, baseUrl }) => `${id} (${originOf(baseUrl) ?? 'no address'})`)
          .join(', '),
        message:
          'An earlier version encrypted the keys of these providers without their addresses; from now on each is bound to the address shown. If one is wrong, correct it in the panel and replace the key.',
      });
    }
    const unreadable = providers.filter(({ unreadableApiKey }) => unreadableApiKey !== null);
    if (unreadable.length === 0) return;
    logger.error('store.unreadable_keys', {
      providers: unreadable.map(({ id }) => id).join(', '),
      message:
        'The keys of these providers cannot be decrypted, so they stay closed: ENCRYPTION_KEY is another one, or the base URL was changed in the file. Set the right ENCRYPTION_KEY (or ENCRYPTION_KEY_PREVIOUS), or enter their keys again.',
    });
  }

  /** For work that a start can do without. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.warn('store.tidy', { code: codeOf(error) });
    }
  }
}

function statusOf(loaded: Loaded, location: StoreLocation, encrypted: boolean): StorageStatus {
  const { mode, reason } = location;
  if (mode === 'read-only') return { state: 'read-only', message: reason ?? '', encrypted };
  if (loaded.notice !== null) return { state: 'recovered', message: loaded.notice, encrypted };
  if (mode === 'volatile') return { state: 'volatile', message: reason ?? '', encrypted };
  return { state: 'ok', message: 'Every change is on the disk before it is confirmed.', encrypted };
}

async function readSeed(path: string | null): Promise<Seed | null> {
  return path === null ? null : { bytes: await readFile(path), name: path };
}
