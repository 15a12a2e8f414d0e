import { readWholeFile, writeNewFile } from './atomic-file.ts';
import { DOCUMENT_LIMIT_BYTES } from './document.ts';
import { errorCode, type FileOps, orMissing } from './file-ops.ts';
import type { StorePaths } from './store-paths.ts';

/** How many earlier versions of the configuration are kept. */
const VERSIONS_LIMIT = 5;
/** For how many earlier days the last version is kept before recent versions fill the rest. */
const EARLIER_DAYS = 3;
/** Where the file system has no hard links a backup is a copy, made at most once in this time. */
const COPY_SPACING_MS = 10 * 60 * 1000;
const NO_LINKS: readonly string[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'];

/** One earlier version on the disk. */
export interface Version {
  /** Rises with each version. */
  readonly number: number;
  readonly savedAtMs: number;
}

/**
 * The earlier versions of a database file. A version is what the file held when a write changed the configuration, so
 * it was complete and acknowledged; keeping it costs a hard link. Five are kept: the last one of each of the three most
 * recent earlier days (UTC), and the most recent ones, so that a busy hour does not push yesterday's out.
 */
export class VersionHistory {
  readonly #ops: FileOps;
  readonly #paths: StorePaths;
  /** Newest first. */
  #versions: readonly Version[];

  constructor(ops: FileOps, paths: StorePaths, versions: readonly Version[]) {
    this.#ops = ops;
    this.#paths = paths;
    this.#versions = versions.toSorted((one, other) => other.number - one.number);
  }

  /** Finds the versions among the names in the folder. @throws the system's errors. */
  static async open(ops: FileOps, paths: StorePaths, names: readonly string[]): Promise<VersionHistory> {
    const versions: Version[] = [];
    for (const name of names) {
      const number = paths.versionOf(name);
      const stats = number === null ? null : await orMissing(ops.stat(paths.join(name)));
      if (number === null || !stats?.isFile()) continue;
      versions.push({ number, savedAtMs: Number(stats.mtimeMs) });
    }
    return new VersionHistory(ops, paths, versions);
  }

  /** The newest version's number; 0: there is none. */
  get newest(): number {
    return this.#versions[0]?.number ?? 0;
  }

  /** The files of the versions, newest first. */
  get files(): readonly string[] {
    return this.#versions.map(({ number }) => this.#paths.backup(number));
  }

  /** Keeps the file's current content as a version; the file stays. @throws the system's errors. */
  async keepCurrent(version: Version): Promise<void> {
    const { target } = this.#paths;
    const path = this.#paths.backup(version.number);
    if (this.files.includes(path)) return;
    // A file of this number that is not a known version, such as a half copy.
    await orMissing(this.#ops.unlink(path));
    try {
      await this.#ops.link(target, path);
    } catch (error) {
      if (!NO_LINKS.includes(errorCode(error))) throw error;
      const newest = this.#versions[0];
      if (newest !== undefined && version.savedAtMs - newest.savedAtMs < COPY_SPACING_MS) return;
      const bytes = await readWholeFile(this.#ops, target, DOCUMENT_LIMIT_BYTES);
      if (!Buffer.isBuffer(bytes)) return;
      await writeNewFile(this.#ops, path, bytes);
    }
    this.#versions = [version, ...this.#versions];
  }

  /** Makes a version of a file that holds a complete content. @throws the system's errors. */
  async adopt(path: string, version: Version): Promise<void> {
    await this.#ops.rename(path, this.#paths.backup(version.number));
    this.#versions = [version, ...this.#versions.filter(({ number }) => number !== version.number)];
  }

  /** Removes what is beyond the limit. @throws the system's errors. */
  async prune(): Promise<void> {
    for (const dropped of versionsToDrop(this.#versions)) {
      await orMissing(this.#ops.unlink(this.#paths.backup(dropped.number)));
      this.#versions = this.#versions.filter((version) => version !== dropped);
    }
  }
}

/** The versions to remove from a list that begins with the newest. */
export function versionsToDrop(versions: readonly Version[]): readonly Version[] {
  if (versions.length <= VERSIONS_LIMIT) return [];
  const kept = new Set<Version>();
  const days = new Set(versions.slice(0, 1).map(dayOf));
  for (const version of versions) {
    if (days.size > EARLIER_DAYS || days.has(dayOf(version))) continue;
    days.add(dayOf(version));
    kept.add(version);
  }
  for (const version of versions) if (kept.size < VERSIONS_LIMIT) kept.add(version);
  return versions.filter((version) => !kept.has(version));
}

function dayOf(version: Version): number {
  return Math.floor(version.savedAtMs / 86_400_000);
}
