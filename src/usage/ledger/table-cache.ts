import type { UsageTable } from './usage-table.ts';

/** Keeps the tables that were used last, up to a sum of bytes. One that is larger than that alone is not kept. */
export class TableCache {
  readonly #tables = new Map<string, { readonly table: UsageTable; readonly bytes: number }>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): UsageTable | null {
    const found = this.#tables.get(name);
    if (found === undefined) return null;
    this.#tables.delete(name);
    this.#tables.set(name, found);
    return found.table;
  }

  set(name: string, table: UsageTable): void {
    this.delete(name);
    const { bytes } = table;
    this.#tables.set(name, { table, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#tables.keys()) {
      if (this.#bytes <= this.#limitBytes) break;
      this.delete(oldest);
    }
  }

  /** Forgets a table, and those that were made from it: their names begin with its name and a slash. */
  delete(name: string): void {
    for (const [other, { bytes }] of this.#tables) {
      if (other !== name && !other.startsWith(`${name}/`)) continue;
      this.#tables.delete(other);
      this.#bytes -= bytes;
    }
  }

  names(): string[] {
    return [...this.#tables.keys()];
  }
}
