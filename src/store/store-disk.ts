import type { Logger } from '../logger.ts';
import {
  NotReplaceableError,
  overwriteFile,
  readWholeFile,
  UnsyncedError,
  writeWholeFile,
} from './atomic-file.ts';
import { isSameConfig } from './config-view.ts';
import { DOCUMENT_LIMIT_BYTES, type DocumentCodec, parseRawDocument, type StoreContent } from './document.ts';
import {
  errorCode,
  type FileOps,
  type FileStamp,
  factsOrNull,
  isSameStamp,
  unlinkIfThere,
} from './file-ops.ts';
import type { StoreLock } from './store-lock.ts';
import type { StorePaths } from './store-paths.ts';
import type { Version, VersionHistory } from './version-history.ts';

/** Less than what is read, so that a file that was written can always be read again. */
const WRITE_LIMIT_BYTES = 48 * 1024 * 1024;

/** What the file holds, as far as this process knows. */
export interface KnownFile {
  /** null: there is no file. */
  readonly stamp: FileStamp | null;
  /** null: no readable content. */
  readonly checksum: string | null;
  readonly generation: number;
  readonly savedAtMs: number;
  /** False if the file may be torn or hold a change that was refused: then there is nothing in it to protect. */
  readonly isSure: boolean;
}

export interface StoreDiskOptions {
  readonly ops: FileOps;
  readonly paths: StorePaths;
  readonly codec: DocumentCodec;
  readonly lock: Pick<StoreLock, 'isHeld' | 'settle'>;
  readonly history: VersionHistory;
  readonly known: KnownFile;
  readonly content: StoreContent;
  readonly logger: Logger;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
}

/** Somebody else put another file in the place of ours; that file is kept. */
export class ReplacedError extends Error {
  override readonly name = 'ReplacedError';
}

/** Another process has taken over the file. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError';
}

/** The file would grow beyond the limit. */
class DatabaseFullError extends Error {
  override readonly name = 'DatabaseFullError';
  readonly code = 'EFBIG';
}

interface Encoded {
  readonly bytes: Buffer;
  readonly checksum: string;
}

/**
 * The database file: writes it whole, keeps earlier versions, and never writes over what is not its own.
 * Where one file is mounted into a container, it can only be overwritten in place: then a side copy of the old content is
 * durable before the first byte is overwritten, and a start takes it if the file is torn.
 */
export class StoreDisk {
  readonly #options: StoreDiskOptions;
  #known: KnownFile;
  #content: StoreContent;
  #isSettled = false;
  #isMountPoint = false;

  constructor(options: StoreDiskOptions) {
    this.#options = options;
    this.#known = options.known;
    this.#content = options.content;
  }

  /** The bytes of a database file with what was written last. */
  encode(): Buffer {
    return this.#encode(this.#content, this.#known.generation).bytes;
  }

  /**
   * Replaces the file's content durably.
   * @throws ReplacedError or LockLostError if the file is no longer ours; the system's error if the write failed: then
   * the old content stands, or memory knows that the file is not to be trusted.
   */
  async write(content: StoreContent): Promise<void> {
    if (!(await this.#options.lock.isHeld())) throw new LockLostError('Another process holds the lock.');
    await this.refuseIfReplaced();
    const generation = this.#known.generation + 1;
    const next = this.#encode(content, generation);
    const isGrowing = next.bytes.length > (this.#known.stamp?.size ?? 0);
    if (isGrowing && next.bytes.length > WRITE_LIMIT_BYTES)
      throw new DatabaseFullError('The database is full.');
    const version = this.#versionToKeep(content);
    const stamp = this.#isMountPoint ? null : await this.#replace(next, version);
    this.#wrote(next, stamp ?? (await this.#overwrite(next, version)), generation);
    this.#content = content;
    await this.#quietly('store.prune', () => this.#options.history.prune());
    if (this.#isSettled) return;
    this.#isSettled = true;
    await this.#quietly('store.lock', () => this.#options.lock.settle());
  }

  /** Saves what was written last beside the file; returns its path. @throws the system's error. */
  async saveConflict(): Promise<string> {
    const { ops, paths, now } = this.#options;
    const path = paths.aside('conflict', now());
    await writeWholeFile(ops, { path, temp: paths.temp('conflict') }, this.encode());
    return path;
  }

  /** @throws ReplacedError if the file holds what this process did not write; the system's error. */
  async refuseIfReplaced(): Promise<void> {
    const { ops, paths, logger } = this.#options;
    const { stamp, isSure } = this.#known;
    if (!isSure) return;
    const facts = await factsOrNull(ops, paths.target);
    if (facts === null) {
      if (stamp !== null) logger.warn('store.file_missing', { message: 'It is written anew.' });
      this.#known = { ...this.#known, stamp: null };
      return;
    }
    if (stamp !== null && isSameStamp(facts, stamp)) return;
    if (!(await this.#isOurContent())) throw new ReplacedError('The file was replaced from outside.');
    this.#known = { ...this.#known, stamp: facts };
  }

  async #isOurContent(): Promise<boolean> {
    const { ops, paths } = this.#options;
    const bytes = await readWholeFile(ops, paths.target, DOCUMENT_LIMIT_BYTES);
    if (!Buffer.isBuffer(bytes)) return false;
    try {
      return parseRawDocument(bytes).checksum === this.#known.checksum;
    } catch {
      return false;
    }
  }

  /** The usual way, by rename; null if the file is a mount point. */
  async #replace(next: Encoded, version: Version | null): Promise<FileStamp | null> {
    const { ops, paths, logger, history } = this.#options;
    const target = { path: paths.target, temp: this.#temp() };
    try {
      return await writeWholeFile(ops, target, next.bytes, async () => {
        await this.refuseIfReplaced();
        // A backup that cannot be made does not fail the write.
        if (version !== null) await this.#quietly('store.backup', () => history.keepCurrent(version));
      });
    } catch (error) {
      if (error instanceof UnsyncedError) await this.#putBack((old) => writeWholeFile(ops, target, old));
      if (!(error instanceof NotReplaceableError)) throw error;
    }
    this.#isMountPoint = true;
    const advice =
      'The database is a single mounted file; mount its folder instead, which is faster and safer.';
    logger.warn('store.in_place', { message: advice });
    return null;
  }

  async #overwrite(next: Encoded, version: Version | null): Promise<FileStamp> {
    const { ops, paths, history } = this.#options;
    await writeWholeFile(ops, { path: paths.side, temp: this.#temp() }, this.encode());
    let stamp: FileStamp;
    try {
      stamp = await overwriteFile(ops, paths.target, next.bytes);
    } catch (error) {
      await this.#putBack((old) => overwriteFile(ops, paths.target, old));
      throw error;
    }
    await this.#quietly('store.side_copy', () =>
      version === null ? unlinkIfThere(ops, paths.side) : history.adopt(paths.side, version),
    );
    return stamp;
  }

  /** After a write that failed half-way: tries to write the old content again, so that no refused change comes to life. */
  async #putBack(write: (old: Buffer) => Promise<FileStamp>): Promise<void> {
    const { generation } = this.#known;
    const old = this.#encode(this.#content, generation);
    this.#known = { ...this.#known, isSure: false };
    await this.#quietly('store.put_back', async () => this.#wrote(old, await write(old.bytes), generation));
  }

  #wrote({ checksum }: Encoded, stamp: FileStamp, generation: number): void {
    this.#known = { stamp, checksum, generation, savedAtMs: this.#options.now(), isSure: true };
  }

  /** The version that the file holds, if the write changes the configuration. */
  #versionToKeep(content: StoreContent): Version | null {
    const { generation, savedAtMs, isSure, stamp } = this.#known;
    const isNew = isSure && stamp !== null && !isSameConfig(content.config, this.#content.config);
    return isNew && generation > 0 ? { number: generation, savedAtMs } : null;
  }

  #encode(content: StoreContent, generation: number): Encoded {
    const savedAt = new Date(this.#options.now()).toISOString();
    return this.#options.codec.encode({ ...content, generation, savedAt });
  }

  #temp(): string {
    return this.#options.paths.temp(this.#options.randomBytes(6).toString('hex'));
  }

  /** For what a finished write does not depend on. */
  async #quietly(event: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.warn(event, { code: errorCode(error) });
    }
  }
}
