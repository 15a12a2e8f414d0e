/** A message to the engine, which counts it once however often it is sent, because of its number. */
export interface Message<T> {
  readonly number: number;
  readonly content: T;
}

/**
 * For so long a message is kept after the engine has acknowledged it: with `appendfsync everysec`, an engine that is killed has
 * lost the last second, on a slow disk the last two.
 */
const KEPT_MS = 5_000;

/** The numbered messages of one kind, until the engine cannot lose them any more. */
export class Messages<T> {
  readonly #now: () => number;
  #unacknowledged: Message<T>[] = [];
  #acknowledged: { readonly message: Message<T>; readonly atMs: number }[] = [];
  #number = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Makes the next message. */
  add(content: T): Message<T> {
    this.#number += 1;
    const message = { number: this.#number, content };
    this.#unacknowledged.push(message);
    return message;
  }

  acknowledge(message: Message<T>): void {
    const atMs = this.#now();
    this.#unacknowledged = this.#unacknowledged.filter((other) => other !== message);
    const firstKept = this.#acknowledged.findIndex((kept) => kept.atMs > atMs - KEPT_MS);
    this.#acknowledged.splice(0, firstKept === -1 ? this.#acknowledged.length : firstKept);
    this.#acknowledged.push({ message, atMs });
  }

  /** Those whose reply has not come, in their order. */
  get unacknowledged(): readonly Message<T>[] {
    return this.#unacknowledged;
  }

  /** All that an engine may lack that was away, in their order. */
  get resendable(): readonly Message<T>[] {
    const known = this.#acknowledged.map(({ message }) => message);
    return [...known, ...this.#unacknowledged].sort((one, other) => one.number - other.number);
  }
}
