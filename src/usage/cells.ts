/** A list does not hold what its reader expects. */
export class MalformedCellsError extends Error {
  override readonly name = 'MalformedCellsError';
}

/** The largest time of a Date, ECMA-262 section 21.4.1.1. */
const TIME_LIMIT_MS = 8.64e15;

/**
 * Reads the values of a JSON array one after another and checks their types.
 * @example new Cells(['a', 1]).text() // 'a'
 */
export class Cells {
  readonly #values: readonly unknown[];
  #next = 0;

  /** @throws MalformedCellsError if the value is no array. */
  constructor(value: unknown) {
    if (!Array.isArray(value)) throw new MalformedCellsError('no list');
    this.#values = value;
  }

  /** @throws MalformedCellsError */
  text(): string {
    const value = this.#take();
    if (typeof value !== 'string') throw new MalformedCellsError('no text');
    return value;
  }

  /** @throws MalformedCellsError */
  textOrNull(): string | null {
    return this.#isNull() ? null : this.text();
  }

  /** @throws MalformedCellsError */
  number(): number {
    const value = this.#take();
    if (typeof value !== 'number') throw new MalformedCellsError('no number');
    return value;
  }

  /** @throws MalformedCellsError */
  numberOrNull(): number | null {
    return this.#isNull() ? null : this.number();
  }

  /** Milliseconds since the epoch that a Date can hold. @throws MalformedCellsError */
  timeMs(): number {
    const value = this.number();
    if (Math.abs(value) > TIME_LIMIT_MS) throw new MalformedCellsError('no time');
    return value;
  }

  /** @throws MalformedCellsError */
  oneOf<T extends string>(allowed: readonly T[]): T {
    const value = this.#take();
    const found = allowed.find((item) => item === value);
    if (found === undefined) throw new MalformedCellsError('an unknown word');
    return found;
  }

  /** A list within the list, or null. @throws MalformedCellsError */
  listOrNull<T>(read: (cells: Cells) => T): T | null {
    return this.#isNull() ? null : read(new Cells(this.#take()));
  }

  /** A list of lists. @throws MalformedCellsError */
  lists<T>(read: (cells: Cells) => T): readonly T[] {
    const value = this.#take();
    if (!Array.isArray(value)) throw new MalformedCellsError('no list');
    return value.map((item: unknown) => read(new Cells(item)));
  }

  #take(): unknown {
    const value = this.#values[this.#next];
    this.#next += 1;
    return value;
  }

  /** True for null, which is then read. */
  #isNull(): boolean {
    if (this.#values[this.#next] !== null) return false;
    this.#next += 1;
    return true;
  }
}
