import { BoundedMap } from '../../bounded-map.ts';
import type { OwnerKind } from '../../store/entities.ts';

/** So many names are kept. */
export const NAMES_LIMIT = 20_000;

/** The kind and id of an owner, as one text, and the name. */
export type NamedPlace = readonly [place: string, name: string];

/** The last name of each key and user, so that deleted ones still have one. Others keep them, in a file or in Redis. */
export class LastNames {
  readonly #names = new BoundedMap<string>(NAMES_LIMIT);
  #changed = new Set<string>();

  get size(): number {
    return this.#names.size;
  }

  get(kind: OwnerKind, id: string): string | null {
    return this.#names.get(`${kind}:${id}`) ?? null;
  }

  all(): NamedPlace[] {
    return [...this.#names];
  }

  /** Remembers the present name. */
  note(kind: OwnerKind, id: string | null, name: string | null): void {
    if (id === null || name === null) return;
    const place = `${kind}:${id}`;
    if (this.#names.get(place) === name) return;
    this.#names.set(place, name);
    this.#changed.add(place);
  }

  /** Takes a name from where names are kept, unless a newer one has yet to get there. */
  learn([place, name]: NamedPlace): void {
    if (!this.#changed.has(place)) this.#names.set(place, name);
  }

  /** Has all names saved again. */
  changeAll(): void {
    this.#changed = new Set(this.#names.keys());
  }

  /** Saves what has changed. @throws what `write` throws; the names are saved next time then. */
  async save(write: (changed: NamedPlace[]) => Promise<void>): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = this.#changed;
    this.#changed = new Set();
    try {
      await write(this.#named(changed));
    } catch (error) {
      for (const place of changed) this.#changed.add(place);
      throw error;
    }
  }

  #named(places: Iterable<string>): NamedPlace[] {
    return [...places].flatMap((place): NamedPlace[] => {
      const name = this.#names.get(place);
      return name === undefined ? [] : [[place, name]];
    });
  }
}
