import { isRecord } from '../json/value.ts';
import { DocumentError } from './document-error.ts';
import type { JsonObject } from './json-text.ts';

/** Longest text in a record: far above any real text, far below what would hurt. */
const TEXT_LIMIT = 64 * 1024;
const ID_LIMIT = 256;

/** Reads the members of one stored record. Its methods throw DocumentError `refused`, which names the member. */
export class RecordReader {
  readonly record: JsonObject;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.#place = place;
    if (!isRecord(value)) throw new DocumentError('refused', `${place} is not an object`);
    this.record = value;
  }

  id(): string {
    const id = this.text('id');
    const isText = id !== '' && id.length <= ID_LIMIT && !/[\p{Cc}\p{Cs}]/u.test(id);
    // No URL can name "." and ".." (WHATWG URL, section 4.1, dot segments): the panel could not delete such a record.
    return isText && id !== '.' && id !== '..'
      ? id
      : this.fail('id', `1 to ${ID_LIMIT} printable characters other than "." and ".."`);
  }

  text(name: string): string {
    const value = this.record[name];
    if (typeof value !== 'string' || value.length > TEXT_LIMIT) return this.fail(name, 'a text');
    return value;
  }

  textOrNull(name: string): string | null {
    return this.record[name] == null ? null : this.text(name);
  }

  boolean(name: string): boolean {
    const value = this.record[name];
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  booleanOrNull(name: string): boolean | null {
    return this.record[name] == null ? null : this.boolean(name);
  }

  number(name: string): number {
    const value = this.record[name];
    return typeof value === 'number' ? value : this.fail(name, 'a number');
  }

  textsOrNull(name: string): readonly string[] | null {
    const value = this.record[name];
    if (value == null) return null;
    if (!Array.isArray(value)) return this.fail(name, 'a list of texts, or null');
    return value.map((item) =>
      typeof item === 'string' ? item : this.fail(name, 'a list of texts, or null'),
    );
  }

  time(name: string): string {
    const value = this.text(name);
    return Number.isNaN(Date.parse(value))
      ? this.fail(name, 'a time such as 2026-01-31T12:00:00.000Z')
      : value;
  }

  timeOrNull(name: string): string | null {
    return this.record[name] == null ? null : this.time(name);
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const text = this.text(name);
    return values.find((value) => value === text) ?? this.fail(name, `one of ${values.join(', ')}`);
  }

  fail(name: string, expected: string): never {
    throw new DocumentError('refused', `${this.#place}.${name} is not ${expected}`);
  }
}
