import { parseJson } from '../../json/value.ts';
import { appendCheckedLines, readCheckedLines, writeCheckedLines } from '../../store/checked-lines.ts';
import type { FileOps } from '../../store/file-ops.ts';
import type { LastNames } from './names.ts';

const FILE_LIMIT_BYTES = 64 * 1024 * 1024;

/** The file of the last names: a line for each change, written anew once most lines are out of date. */
export class NamesFile {
  readonly #ops: FileOps;
  readonly #path: string;
  #lines = 0;

  constructor(ops: FileOps, path: string) {
    this.#ops = ops;
    this.#path = path;
  }

  /** Reads the file. Returns true if a part of it was damaged. @throws the system's error. */
  async load(names: LastNames): Promise<boolean> {
    return await readCheckedLines(this.#ops, this.#path, {
      limitBytes: FILE_LIMIT_BYTES,
      onText: (text) => {
        this.#lines += 1;
        const line = parseJson(text);
        if (!Array.isArray(line)) return;
        const [place, name]: readonly unknown[] = line;
        if (typeof place === 'string' && typeof name === 'string') names.learn([place, name]);
      },
    });
  }

  /** Writes what has changed. @throws the system's error; it is written next time then. */
  async save(names: LastNames): Promise<void> {
    await names.save(async (changed) => {
      this.#lines += changed.length;
      const isLong = this.#lines > 2 * names.size + 1_000;
      const texts = (isLong ? names.all() : changed).map((named) => JSON.stringify(named));
      if (isLong) await writeCheckedLines(this.#ops, this.#path, texts);
      else await appendCheckedLines(this.#ops, this.#path, texts);
      if (isLong) this.#lines = texts.length;
    });
  }
}
