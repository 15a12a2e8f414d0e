import { BoundedMap } from '../../bounded-map.ts';
import { parseJson } from '../../json/value.ts';
import { appendCheckedLines, readCheckedLines, writeCheckedLines } from '../../store/checked-lines.ts';
import type { OwnerKind } from '../../store/entities.ts';
import type { FileOps } from '../../store/file-ops.ts';

const NAMES_LIMIT = 20_000;
const FILE_LIMIT_BYTES = 64 * 1024 * 1024;

/** The last name of each key and user, so that deleted ones still have one. */
export class LastNames {
  readonly #names = new BoundedMap<string>(NAMES_LIMIT);
  #changed = new Set<string>();
  #lines = 0;

  get(kind: OwnerKind, id: string): string | null {
    return this.#names.get(`${kind}:${id}`) ?? null;
  }

  /** Remembers the present name. */
  note(kind: OwnerKind, id: string | null, name: string | null): void {
    if (id === null || name === null) return;
    const place = `${kind}:${id}`;
    if (this.#names.get(place) === name) return;
    this.#names.set(place, name);
    this.#changed.add(place);
  }

  /** Reads the file. Returns true if a part of it was damaged. @throws the system's error. */
  async load(ops: FileOps, path: string): Promise<boolean> {
    return await readCheckedLines(ops, path, {
      limitBytes: FILE_LIMIT_BYTES,
      onText: (text) => {
        this.#lines += 1;
        const line = parseJson(text);
        if (!Array.isArray(line)) return;
        const [place, name]: readonly unknown[] = line;
        if (typeof place === 'string' && typeof name === 'string') this.#names.set(place, name);
      },
    });
  }

  /** Writes what has changed. @throws the system's error; it is written next time then. */
  async save(ops: FileOps, path: string): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = this.#changed;
    this.#changed = new Set();
    try {
      this.#lines += changed.size;
      const isLong = this.#lines > 2 * this.#names.size + 1_000;
      const places = isLong ? [...this.#names.keys()] : [...changed];
      const texts = places.map((place) => JSON.stringify([place, this.#names.get(place) ?? '']));
      if (isLong) await writeCheckedLines(ops, path, texts);
      else await appendCheckedLines(ops, path, texts);
      if (isLong) this.#lines = texts.length;
    } catch (error) {
      for (const place of changed) this.#changed.add(place);
      throw error;
    }
  }
}
