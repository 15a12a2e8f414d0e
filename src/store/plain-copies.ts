import { readWholeFile } from './atomic-file.ts';
import { DOCUMENT_LIMIT_BYTES } from './document.ts';
import { type FileOps, type FileStamp, isSameStamp, orMissing } from './file-ops.ts';
import type { StorePaths } from './store-paths.ts';

/** A member that holds a secret in clear text, in files of this program and of earlier ones. */
const PLAIN_SECRET = /"(?:apiKey|api_key|key|secret|password)"\s*:\s*"[^"]/;

export interface PlainCopiesOptions {
  readonly ops: FileOps;
  readonly paths: StorePaths;
  /** False if provider keys are stored in clear text: then only the originals of migrations are reported. */
  readonly isEncrypted: boolean;
}

interface Looked {
  readonly stamp: FileStamp;
  readonly isPlain: boolean;
}

/**
 * Finds copies of the database that hold secrets in clear text: the panel asks a person to delete them, and a start seals
 * those among the backups. An unchanged file is read once, because every opening of the settings asks.
 */
export class PlainCopies {
  readonly #options: PlainCopiesOptions;
  readonly #looked = new Map<string, Looked>();

  constructor(options: PlainCopiesOptions) {
    this.#options = options;
  }

  /** Their names, relative to the database's folder. Skips files that cannot be read. */
  async find(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await this.#list()) if (await this.#isPlain(name)) found.push(name);
    return found.sort();
  }

  async #list(): Promise<string[]> {
    const { ops, paths } = this.#options;
    const names = await ops.list(paths.folder).catch(() => []);
    const found = names.filter((name) => paths.isCopy(name));
    for (const folder of names.filter((name) => paths.isReplaced(name))) {
      const inside = await ops.list(paths.join(folder)).catch(() => []);
      found.push(...inside.map((name) => `${folder}/${name}`));
    }
    return found;
  }

  async #isPlain(name: string): Promise<boolean> {
    const { ops, paths, isEncrypted } = this.#options;
    const stamp = await orMissing(ops.stat(paths.join(name))).catch(() => null);
    if (!stamp?.isFile()) return false;
    // Earlier programs stored the keys of clients in clear text too.
    if (paths.isBeforeMigration(name)) return true;
    if (!isEncrypted) return false;
    const known = this.#looked.get(name);
    if (known !== undefined && isSameStamp(known.stamp, stamp)) return known.isPlain;
    const bytes = await readWholeFile(ops, paths.join(name), DOCUMENT_LIMIT_BYTES).catch(() => null);
    const isPlain = Buffer.isBuffer(bytes) && PLAIN_SECRET.test(bytes.toString('latin1'));
    this.#looked.set(name, { stamp, isPlain });
    return isPlain;
  }
}
