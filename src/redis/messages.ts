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
  /** With the times of their acknowledgements, the oldest first. */
  readonly #acknowledged = new Map<Message<T>, number>();
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

  /** Notes that the engine has counted a message, or once more. */
  acknowledge(message: Message<T>): void {
    const nowMs = this.#now();
    this.#unacknowledged = this.#unacknowledged.filter((other) => other !== message);
    this.#acknowledged.delete(message);
    this.#acknowledged.set(message, nowMs);
    for (const [oldest, atMs] of this.#acknowledged) {
      if (atMs > nowMs - KEPT_MS) break;
      this.#acknowledged.delete(oldest);
    }
  }

  /** Those whose reply has not come, in their order. */
  get unacknowledged(): readonly Message<T>[] {
    return this.#unacknowledged;
  }

  /** All that an engine may lack that was away, in their order. */
  get resendable(): readonly Message<T>[] {
    const all = [...this.#acknowledged.keys(), ...this.#unacknowledged];
    return all.sort((one, other) => one.number - other.number);
  }
}
