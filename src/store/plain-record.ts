import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';
import type { JsonObject } from './json-text.ts';

interface PlainItem {
  readonly record: JsonObject;
  /** Its name in the map that held it; null in a list. */
  readonly name: string | null;
  readonly place: string;
}

/** One record of a plain file; a member may have one of several names. Its methods throw DocumentError `refused`. */
export class PlainRecord {
  readonly name: string | null;
  readonly #record: JsonObject;
  readonly #place: string;
  readonly #now: string;

  constructor(item: PlainItem, now: string) {
    this.#record = item.record;
    this.name = item.name;
    this.#place = item.place;
    this.#now = now;
  }

  /** The first member that is present, in camelCase or snake_case. */
  get(...names: string[]): unknown {
    for (const name of names) {
      const snake = name.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);
      const value = this.#record[name] ?? this.#record[snake];
      if (value != null) return value;
    }
    return undefined;
  }

  get hasOwnId(): boolean {
    return this.#record['id'] != null;
  }

  hasId(id: string): boolean {
    return this.#record['id'] === id || (!this.hasOwnId && this.name === id);
  }

  id(...others: string[]): string {
    const id = this.get('id', ...others) ?? this.name;
    if (typeof id === 'number') return String(id);
    return typeof id === 'string' ? id : this.fail('id', 'a text');
  }

  text(fallback: string | null, ...names: string[]): string {
    const value = this.get(...names) ?? fallback;
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? value : this.fail(names[0] ?? '', 'a text');
  }

  flag(fallback: boolean, ...names: string[]): boolean {
    const value = this.get(...names) ?? fallback;
    if (value === 1 || value === 0) return value === 1;
    return typeof value === 'boolean' ? value : this.fail(names[0] ?? '', 'true or false');
  }

  /** In plain files an empty list means all models. */
  modelList(): readonly string[] | null {
    const value = this.get('models', 'allowedModels');
    if (value === undefined || value === '*' || value === 'all') return null;
    if (!Array.isArray(value)) return this.fail('models', 'a list');
    if (value.length === 0 || value.includes('*')) return null;
    return value.map((item) => (typeof item === 'string' ? item : this.fail('models', 'a list of texts')));
  }

  time(fallback: string | null, ...names: string[]): string | null {
    const value = this.get(...names);
    if (value === undefined || value === '') return fallback;
    const time = typeof value === 'number' || typeof value === 'string' ? new Date(value) : null;
    if (time === null || Number.isNaN(time.getTime())) return this.fail(names[0] ?? '', 'a time');
    return time.toISOString();
  }

  times(): { readonly createdAt: string; readonly updatedAt: string } {
    const createdAt = this.time(null, 'createdAt', 'created') ?? this.#now;
    return { createdAt, updatedAt: this.time(null, 'updatedAt', 'updated') ?? createdAt };
  }

  fail(name: string, expected: string): never {
    return refuse(`${this.#place}.${name} is not ${expected}`);
  }
}

/**
 * The records of a collection of a plain file, a list or a map by id, under the first of the names that is present.
 * @throws DocumentError `refused` if it is neither, or an item is no object.
 */
export function listPlainRecords(object: JsonObject, names: readonly string[], now: string): PlainRecord[] {
  const name = names.find((candidate) => object[candidate] != null);
  if (name === undefined) return [];
  const value = object[name];
  const named: (readonly [string | null, unknown])[] = Array.isArray(value)
    ? value.map((item) => [null, item])
    : isRecord(value)
      ? Object.entries(value)
      : refuse(`${name} is neither a list nor a map`);
  return named.map(([key, record], index) => {
    const place = `${name}[${index}]`;
    if (!isRecord(record)) return refuse(`${place} is not an object`);
    return new PlainRecord({ record, name: key, place }, now);
  });
}

function refuse(message: string): never {
  throw new DocumentError('refused', message);
}
