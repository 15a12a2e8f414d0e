import { writeNewFile } from './atomic-file.ts';
import { errorCode, type FileOps, factsOrNull, unlinkIfThere } from './file-ops.ts';
import type { StorePaths } from './store-paths.ts';

/** How many earlier versions of the configuration are kept. */
const VERSIONS_LIMIT = 5;
/** Of how many earlier days the last version is kept before recent versions fill the rest. */
const EARLIER_DAYS = 3;
/** Where the file system has no hard links a backup is a copy, and not worth more than one in this time. */
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
 * it was complete and acknowledged; keeping it costs a hard link. The five that are kept: the last one of each of the
 * three most recent earlier days (UTC), and the most recent ones for the rest, so that a busy hour does not push
 * yesterday's out.
 */
export class VersionHistory {
  readonly #ops: FileOps;
  readonly #paths: StorePaths;
  #versions: readonly Version[];

  constructor(ops: FileOps, paths: StorePaths, versions: readonly Version[]) {
    this.#ops = ops;
    this.#paths = paths;
    this.#versions = versions;
  }

  /** Finds the versions among the names in the folder. @throws the system's errors. */
  static async open(ops: FileOps, paths: StorePaths, names: readonly string[]): Promise<VersionHistory> {
    const versions: Version[] = [];
    for (const name of names) {
      const number = paths.versionOf(name);
      const facts = number === null ? null : await factsOrNull(ops, paths.join(name));
      if (number === null || facts?.kind !== 'file') continue;
      versions.push({ number, savedAtMs: Number(facts.mtimeNs / 1_000_000n) });
    }
    return new VersionHistory(
      ops,
      paths,
      versions.sort((one, other) => other.number - one.number),
    );
  }

  /** Newest first. */
  get versions(): readonly Version[] {
    return this.#versions;
  }

  has(number: number): boolean {
    return this.#versions.some((version) => version.number === number);
  }

  /**
   * Keeps the file's present content under a number; the file stays. `read` gives the content where only a copy is
   * possible. True where there is a backup now. @throws the system's errors.
   */
  async keepCurrent(version: Version, read: () => Promise<Buffer>): Promise<boolean> {
    const path = this.#paths.backup(version.number);
    try {
      await this.#ops.link(this.#paths.target, path);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') {
        await unlinkIfThere(this.#ops, path);
        return await this.keepCurrent(version, read);
      }
      if (!NO_LINKS.includes(errorCode(error))) throw error;
      const newest = this.#versions[0];
      if (newest !== undefined && version.savedAtMs - newest.savedAtMs < COPY_SPACING_MS) return false;
      await writeNewFile(this.#ops, path, await read());
    }
    this.#add(version);
    return true;
  }

  /** Takes a file that holds a complete version into the history. @throws the system's errors. */
  async adopt(path: string, version: Version): Promise<void> {
    await this.#ops.rename(path, this.#paths.backup(version.number));
    this.#add(version);
  }

  /** Puts a version back into the file's place. @throws the system's errors. */
  async putBack(number: number): Promise<void> {
    await this.#ops.rename(this.#paths.backup(number), this.#paths.target);
    this.forget(number);
  }

  /** Drops a number whose file is gone. */
  forget(number: number): void {
    this.#versions = this.#versions.filter((version) => version.number !== number);
  }

  /** Removes what is beyond the limit. @throws the system's errors. */
  async prune(): Promise<void> {
    for (const { number } of versionsToDrop(this.#versions)) {
      await unlinkIfThere(this.#ops, this.#paths.backup(number));
      this.forget(number);
    }
  }

  #add(version: Version): void {
    this.forget(version.number);
    this.#versions = [version, ...this.#versions];
  }
}

/** Of versions, newest first, those that need not be kept. */
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
