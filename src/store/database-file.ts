import type { Logger } from '../logger.ts';
import {
  discard,
  overwriteFile,
  readWholeFile,
  renameOver,
  syncFolder,
  writeNewFile,
  writeWholeFile,
} from './atomic-file.ts';
import { isSameConfig } from './config-view.ts';
import { DOCUMENT_LIMIT_BYTES, type DocumentCodec, parseRawDocument, type StoreContent } from './document.ts';
import { errorCode, type FileOps, type FileStamp, isSameStamp, orMissing } from './file-ops.ts';
import type { StoreLock } from './store-lock.ts';
import type { StorePaths } from './store-paths.ts';
import type { Version, VersionHistory } from './version-history.ts';

/** Less than the limit for reading, so that the program can always read what it wrote. */
const WRITE_LIMIT_BYTES = 48 * 1024 * 1024;
/** The codes of `rename` where the target is itself a mount point (one file mounted into a container). */
const NOT_REPLACEABLE: readonly string[] = ['EBUSY', 'EXDEV'];

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

/** What reads and writes the database and the files beside it. */
export interface DatabaseTools {
  readonly ops: FileOps;
  readonly paths: StorePaths;
  readonly codec: DocumentCodec;
  readonly history: VersionHistory;
  readonly logger: Logger;
  /** The current time in milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Buffer;
}

/** The database file is no longer this process's to write. */
export class NotOursError extends Error {
  override readonly name = 'NotOursError';
  /** `replaced`: somebody put another file in its place, which is kept. `taken`: another process took over the lock. */
  readonly reason: 'replaced' | 'taken';

  constructor(reason: 'replaced' | 'taken') {
    super(`The database file was ${reason}.`);
    this.reason = reason;
  }
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
export class DatabaseFile {
  readonly #tools: DatabaseTools;
  #known: KnownFile;
  #content: StoreContent;
  #isMountPoint = false;

  constructor(tools: DatabaseTools, known: KnownFile, content: StoreContent) {
    this.#tools = tools;
    this.#known = known;
    this.#content = content;
  }

  /** The bytes of a database file with what was written last. */
  encode(): Buffer {
    return this.#encode(this.#content, this.#known.generation).bytes;
  }

  /**
   * Replaces the file's content durably.
   * @throws NotOursError; the system's error if the write failed: then the old content stands, or memory knows that the
   * file is not to be trusted.
   */
  async write(content: StoreContent, lock: Pick<StoreLock, 'isHeld' | 'settle'>): Promise<void> {
    const { history, logger } = this.#tools;
    if (!(await lock.isHeld())) throw new NotOursError('taken');
    await this.refuseIfReplaced();
    const generation = this.#known.generation + 1;
    const next = this.#encode(content, generation);
    const isGrowing = next.bytes.length > (this.#known.stamp?.size ?? 0);
    if (isGrowing && next.bytes.length > WRITE_LIMIT_BYTES) {
      throw Object.assign(new Error('The database is full.'), { code: 'EFBIG' });
    }
    const version = this.#versionToKeep(content);
    const stamp = this.#isMountPoint ? null : await this.#replace(next, version);
    this.#wrote(next, stamp ?? (await this.#overwrite(next, version)), generation);
    this.#content = content;
    await quietly(logger, 'store.prune', () => history.prune());
    await quietly(logger, 'store.lock', () => lock.settle());
  }

  /** Saves what was written last beside the file; returns its path. @throws the system's error. */
  async saveConflict(): Promise<string> {
    const { ops, paths, now } = this.#tools;
    const path = paths.aside('conflict', now());
    await writeWholeFile(ops, { path, temp: this.#temp() }, this.encode());
    return path;
  }

  /** @throws NotOursError if the file holds what this process did not write; the system's error. */
  async refuseIfReplaced(): Promise<void> {
    const { ops, paths, logger } = this.#tools;
    const { stamp, isSure } = this.#known;
    if (!isSure) return;
    const found = await orMissing(ops.stat(paths.target));
    if (found === null && stamp !== null)
      logger.warn('store.file_missing', { message: 'It is written anew.' });
    if (found !== null && (stamp === null || !isSameStamp(found, stamp)) && !(await this.#isOurContent())) {
      throw new NotOursError('replaced');
    }
    this.#known = { ...this.#known, stamp: found };
  }

  async #isOurContent(): Promise<boolean> {
    const { ops, paths } = this.#tools;
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
    const { ops, paths, logger, history } = this.#tools;
    const temp = this.#temp();
    const stamp = await writeNewFile(ops, temp, next.bytes);
    try {
      await this.refuseIfReplaced();
      // A backup that cannot be made does not fail the write.
      if (version !== null) await quietly(logger, 'store.backup', () => history.keepCurrent(version));
      await renameOver(ops, temp, paths.target);
    } catch (error) {
      await discard(ops, temp);
      if (!NOT_REPLACEABLE.includes(errorCode(error))) throw error;
      this.#isMountPoint = true;
      const message =
        'The database is a single mounted file; mount its folder instead, which is faster and safer.';
      logger.warn('store.in_place', { message });
      return null;
    }
    try {
      await syncFolder(ops, paths.folder);
    } catch (error) {
      await this.#putBack((old) => writeWholeFile(ops, { path: paths.target, temp }, old));
      throw error;
    }
    return stamp;
  }

  async #overwrite(next: Encoded, version: Version | null): Promise<FileStamp> {
    const { ops, paths, history, logger } = this.#tools;
    await writeWholeFile(ops, { path: paths.side, temp: this.#temp() }, this.encode());
    let stamp: FileStamp;
    try {
      stamp = await overwriteFile(ops, paths.target, next.bytes);
    } catch (error) {
      await this.#putBack((old) => overwriteFile(ops, paths.target, old));
      throw error;
    }
    await quietly(logger, 'store.side_copy', () =>
      version === null ? orMissing(ops.unlink(paths.side)) : history.adopt(paths.side, version),
    );
    return stamp;
  }

  /** After a write that failed half-way: tries to write the old content again, so that no refused change comes to life. */
  async #putBack(write: (old: Buffer) => Promise<FileStamp>): Promise<void> {
    const { generation } = this.#known;
    const old = this.#encode(this.#content, generation);
    this.#known = { ...this.#known, isSure: false };
    await quietly(this.#tools.logger, 'store.put_back', async () => {
      this.#wrote(old, await write(old.bytes), generation);
    });
  }

  #wrote({ checksum }: Encoded, stamp: FileStamp, generation: number): void {
    this.#known = { stamp, checksum, generation, savedAtMs: this.#tools.now(), isSure: true };
  }

  /** The version that the file holds, if the write changes the configuration. */
  #versionToKeep(content: StoreContent): Version | null {
    const { generation, savedAtMs, isSure, stamp } = this.#known;
    const isNew = isSure && stamp !== null && !isSameConfig(content.config, this.#content.config);
    return isNew && generation > 0 ? { number: generation, savedAtMs } : null;
  }

  #encode(content: StoreContent, generation: number): Encoded {
    const savedAt = new Date(this.#tools.now()).toISOString();
    return this.#tools.codec.encode({ ...content, generation, savedAt });
  }

  #temp(): string {
    return this.#tools.paths.temp(this.#tools.randomBytes(6).toString('hex'));
  }
}

/** Does what the caller's work does not depend on; the log tells of a failure. */
export async function quietly(logger: Logger, event: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn(event, { code: errorCode(error) });
  }
}
