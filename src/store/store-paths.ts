import { basename, dirname, join } from 'node:path';

/** The names of all files that the store keeps beside the database. */
export class StorePaths {
  readonly target: string;
  readonly folder: string;
  /** The complete old content while the file is overwritten in place. */
  readonly side: string;
  readonly lock: string;
  /** The file of an earlier program, from before its migration. */
  readonly beforeMigration: string;
  /** The torn file that a side copy replaced; only the latest is kept. */
  readonly torn: string;
  /** The folder of the counted usage and the request log. */
  readonly usage: string;
  readonly #name: string;

  constructor(target: string) {
    this.target = target;
    this.folder = dirname(target);
    this.#name = basename(target);
    this.side = `${target}.side`;
    this.lock = `${target}.lock`;
    this.torn = `${target}.torn`;
    this.usage = `${target}.usage`;
    this.beforeMigration = `${target}.v0.bak`;
  }

  temp(unique: string): string {
    return `${this.target}.tmp-${unique}`;
  }

  socket(unique: string): string {
    return `${this.target}.sock-${unique}`;
  }

  backup(version: number): string {
    return `${this.target}.bak-${version}`;
  }

  /** A file that is kept for people: an unusable one, or our own state after somebody replaced the file. */
  aside(kind: 'corrupt' | 'conflict', nowMs: number): string {
    const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
    return `${this.target}.${kind}-${time}`;
  }

  /** The number of a backup by its file name, or null for other files. */
  versionOf(name: string): number | null {
    const rest = name.startsWith(`${this.#name}.bak-`) ? name.slice(this.#name.length + 5) : '';
    return /^\d{1,15}$/.test(rest) ? Number(rest) : null;
  }

  /** True for the original of a migration, also inside a folder. */
  isBeforeMigration(name: string): boolean {
    return basename(name).startsWith(`${this.#name}.v0.bak`);
  }

  /** True for a copy of the database that is kept for people or for a later start. */
  isCopy(name: string): boolean {
    const rest = name.startsWith(this.#name) ? name.slice(this.#name.length) : '';
    return /^\.(?:bak-\d+|v0\.bak|corrupt-|conflict-|torn$)/.test(rest);
  }

  /** True for the database and all that is kept beside it, but for locks, which may be held. */
  isContent(name: string): boolean {
    const rest = name.startsWith(this.#name) ? name.slice(this.#name.length) : null;
    return rest !== null && /^(?:$|\.(?!lock|sock))/.test(rest);
  }

  /** True for the name of a folder that `replaced` made. */
  isReplaced(name: string): boolean {
    return /^replaced-\d+$/.test(name);
  }

  /** The folder for the files that a newer state replaces. */
  replaced(nowMs: number): string {
    return join(this.folder, `replaced-${nowMs}`);
  }

  /** True for a useless file that a dead process may have left. */
  isStray(name: string): boolean {
    return ['.tmp-', '.sock-', '.lock.'].some((part) => name.startsWith(this.#name + part));
  }

  join(name: string): string {
    return join(this.folder, name);
  }
}
