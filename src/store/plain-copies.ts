import { readWholeFile } from './atomic-file.ts';
import { DOCUMENT_LIMIT_BYTES } from './document.ts';
import { type FileOps, type FileStamp, isSameStamp, orMissing } from './file-ops.ts';
import type { StorePaths } from './store-paths.ts';

/** A member that holds a secret in clear text, in files of this program and of earlier ones. */
const PLAIN_SECRET = /"(?:apiKey|api_key|key|password)"\s*:\s*"[^"]/;

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

/** Finds copies of the database that hold secrets in clear text. An unchanged file is read once. */
export class PlainCopies {
  readonly #options: PlainCopiesOptions;
  readonly #looked = new Map<string, Looked>();

  constructor(options: PlainCopiesOptions) {
    this.#options = options;
  }

  /** Their names, relative to the database's folder. Skips files that cannot be read. */
  async find(): Promise<string[]> {
    const { paths } = this.#options;
    const found: string[] = [];
    for (const name of await this.#list()) {
      const isPlain = paths.isBeforeMigration(name)
        ? (await this.#stamp(name)) !== null
        : this.#options.isEncrypted && (await this.#isPlain(name));
      if (isPlain) found.push(name);
    }
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

  async #stamp(name: string): Promise<FileStamp | null> {
    const { ops, paths } = this.#options;
    const stats = await orMissing(ops.stat(paths.join(name))).catch(() => null);
    return stats?.isFile() ? stats : null;
  }

  async #isPlain(name: string): Promise<boolean> {
    const { ops, paths } = this.#options;
    const stamp = await this.#stamp(name);
    if (stamp === null) return false;
    const known = this.#looked.get(name);
    if (known !== undefined && isSameStamp(known.stamp, stamp)) return known.isPlain;
    const bytes = await readWholeFile(ops, paths.join(name), DOCUMENT_LIMIT_BYTES).catch(() => null);
    const isPlain = Buffer.isBuffer(bytes) && PLAIN_SECRET.test(bytes.toString('latin1'));
    this.#looked.set(name, { stamp, isPlain });
    return isPlain;
  }
}
