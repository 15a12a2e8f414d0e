import type { Logger } from '../logger.ts';
import { HalfWrittenError, readWholeFile, replaceFile, writeNewFile, writeWholeFile } from './atomic-file.ts';
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

/** What is written is smaller, so that what grew is always read again. */
const WRITE_LIMIT_BYTES = 48 * 1024 * 1024;

/** What the file holds, as far as this process knows. */
export interface KnownFile {
  /** null: there is no file. */
  readonly stamp: FileStamp | null;
  /** null: no readable content. */
  readonly checksum: string | null;
  readonly generation: number;
  readonly savedAtMs: number;
  /** False where the file does not hold a whole content. */
  readonly isWhole: boolean;
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

/** Somebody else put another file in the place of ours; it is kept. */
export class ReplacedError extends Error {
  override readonly name = 'ReplacedError';
}

/** Another process has taken the file over. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError';
}

/** The file would grow beyond what is written. */
class DatabaseFullError extends Error {
  override readonly name = 'DatabaseFullError';
  readonly code = 'EFBIG';
}

/** The database file: writes it whole, keeps earlier versions, and never writes over what is not its own. */
export class StoreDisk {
  readonly #options: StoreDiskOptions;
  #known: KnownFile;
  #content: StoreContent;
  #isSettled = false;
  #hasWarnedInPlace = false;

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
   * @throws ReplacedError or LockLostError where the file is no longer ours; the system's error where it failed: then
   * the old content stands, or is written again before anything else.
   */
  async write(content: StoreContent): Promise<void> {
    if (!(await this.#options.lock.isHeld())) throw new LockLostError('Another process holds the lock.');
    const mustMend = !this.#known.isWhole;
    if (mustMend) await this.#replace({ ...content, config: this.#content.config });
    else await this.refuseIfReplaced();
    if (!mustMend || !isSameConfig(content.config, this.#content.config)) await this.#replace(content);
    this.#content = content;
    await this.#settleLock();
  }

  /** Saves what was written last beside the file; returns where. @throws the system's error. */
  async saveConflict(): Promise<string> {
    const { ops, paths, now } = this.#options;
    const path = paths.aside('conflict', now());
    await writeWholeFile(ops, { path, temp: paths.temp('conflict') }, this.encode());
    return path;
  }

  /** @throws ReplacedError where the file holds what this process did not write; the system's error. */
  async refuseIfReplaced(): Promise<void> {
    const { ops, paths, logger } = this.#options;
    const facts = await factsOrNull(ops, paths.target);
    const { stamp } = this.#known;
    if (facts === null) {
      if (stamp !== null) logger.warn('store.file_missing', { message: 'It is written anew.' });
      return;
    }
    if (stamp !== null && isSameStamp(facts, stamp)) return;
    if (!(await this.#isOurContent())) throw new ReplacedError('The file was replaced from outside.');
    this.#known = { ...this.#known, stamp: facts };
  }

  async #settleLock(): Promise<void> {
    if (this.#isSettled) return;
    this.#isSettled = true;
    await this.#quietly('store.lock', () => this.#options.lock.settle());
  }

  async #isOurContent(): Promise<boolean> {
    const { ops, paths } = this.#options;
    const bytes = await readWholeFile(ops, paths.target, DOCUMENT_LIMIT_BYTES);
    if (bytes === null || bytes === 'too-large') return false;
    try {
      return parseRawDocument(bytes).checksum === this.#known.checksum;
    } catch {
      return false;
    }
  }

  async #replace(content: StoreContent): Promise<void> {
    const { ops, paths, now, randomBytes, history } = this.#options;
    const { bytes, checksum } = this.#encode(content, this.#known.generation + 1);
    const isGrowing = bytes.length > (this.#known.stamp?.size ?? 0);
    if (isGrowing && bytes.length > WRITE_LIMIT_BYTES) throw new DatabaseFullError('The database is full.');
    const backup = new BackupStep(this.#options, this.#versionToKeep(content));
    try {
      const { stamp, inPlace } = await replaceFile(
        ops,
        { target: paths.target, side: paths.side, temp: paths.temp(randomBytes(6).toString('hex')) },
        {
          bytes,
          isTargetWhole: this.#known.isWhole,
          beforeReplace: async () => {
            await backup.link();
            if (this.#known.isWhole) await this.refuseIfReplaced();
          },
          beforeOverwrite: (previous) => backup.part(previous),
        },
      );
      const generation = this.#known.generation + 1;
      const isNewVersion = !isSameConfig(content.config, this.#content.config);
      this.#known = { stamp, checksum, generation, savedAtMs: now(), isWhole: true };
      if (inPlace) await this.#dropSideCopy(isNewVersion ? { number: generation, savedAtMs: now() } : null);
      await this.#quietly('store.prune', () => history.prune());
    } catch (error) {
      const isBack = await backup.undo(error instanceof HalfWrittenError);
      if (error instanceof HalfWrittenError && !isBack) this.#known = { ...this.#known, isWhole: false };
      throw error;
    }
  }

  /** The version that the file holds, where it must be kept before it goes. */
  #versionToKeep(content: StoreContent): Version | null {
    const { generation, savedAtMs, isWhole, stamp } = this.#known;
    const isNew = isWhole && stamp !== null && !isSameConfig(content.config, this.#content.config);
    return isNew && generation > 0 ? { number: generation, savedAtMs } : null;
  }

  async #dropSideCopy(version: Version | null): Promise<void> {
    const { ops, paths, history, logger } = this.#options;
    if (!this.#hasWarnedInPlace) {
      this.#hasWarnedInPlace = true;
      logger.warn('store.in_place', {
        message:
          'The database is a single mounted file; mount its folder instead, which is faster and safer.',
      });
    }
    await this.#quietly('store.side_copy', () =>
      version === null ? unlinkIfThere(ops, paths.side) : history.adopt(paths.side, version),
    );
  }

  #encode(content: StoreContent, generation: number): { readonly bytes: Buffer; readonly checksum: string } {
    const savedAt = new Date(this.#options.now()).toISOString();
    return this.#options.codec.encode({ ...content, generation, savedAt });
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

/** Keeps the version that a write replaces; a backup that cannot be made does not fail the write. */
class BackupStep {
  readonly #options: StoreDiskOptions;
  readonly #version: Version | null;
  #isLinked = false;

  constructor(options: StoreDiskOptions, version: Version | null) {
    this.#options = options;
    this.#version = version;
  }

  async link(): Promise<void> {
    const { ops, paths, history, logger } = this.#options;
    const version = this.#version;
    if (version === null || history.has(version.number)) return;
    try {
      this.#isLinked = await history.keepCurrent(version, async () => {
        const bytes = await readWholeFile(ops, paths.target, DOCUMENT_LIMIT_BYTES);
        if (bytes === null || bytes === 'too-large') throw new Error('There is nothing to copy.');
        return bytes;
      });
    } catch (error) {
      logger.warn('store.backup', { code: errorCode(error) });
    }
  }

  /** Makes a copy of a backup that is the very file that is going to be overwritten. */
  async part(previous: Buffer | null): Promise<void> {
    const { ops, paths } = this.#options;
    if (!this.#isLinked || this.#version === null) return;
    const path = paths.backup(this.#version.number);
    await unlinkIfThere(ops, path);
    if (previous !== null) await writeNewFile(ops, path, previous);
  }

  /** After a failed write: puts the old version back into its place, or drops its second name. True where it is back. */
  async undo(isReplaced: boolean): Promise<boolean> {
    const { ops, paths, history } = this.#options;
    if (!this.#isLinked || this.#version === null) return false;
    const { number } = this.#version;
    try {
      if (isReplaced) await history.putBack(number);
      else await unlinkIfThere(ops, paths.backup(number));
      history.forget(number);
      return isReplaced;
    } catch {
      return false;
    }
  }
}
