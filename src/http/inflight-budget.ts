const STEP_BYTES = 64 * 1024;

/**
 * Counts the request bodies that are held in memory by all requests together. No holder (a key, an account) may take
 * more than half, so that one greedy client does not shut out the others.
 */
export class InflightBudget {
  readonly #limitBytes: number;
  readonly #byHolder = new Map<string, number>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Opens an account of zero bytes; the caller must `release()` it. */
  open(holder: string): InflightLease {
    return new InflightLease((bytes) => this.#take(holder, bytes), this.#limitBytes / 2);
  }

  #take(holder: string, bytes: number): boolean {
    const held = this.#byHolder.get(holder) ?? 0;
    const fits = this.#usedBytes + bytes <= this.#limitBytes && held + bytes <= this.#limitBytes / 2;
    if (bytes > 0 && !fits) return false;
    this.#usedBytes += bytes;
    if (held + bytes === 0) this.#byHolder.delete(holder);
    else this.#byHolder.set(holder, held + bytes);
    return true;
  }
}

/**
 * What one request holds of the budget. The first step is free, which spares nearly every request the counting: the number
 * of sockets bounds it.
 */
export class InflightLease {
  /** What its holder may hold at most, with all of his requests: more never fits, however little others hold. */
  readonly limitBytes: number;
  readonly #take: (bytes: number) => boolean;
  #heldBytes = 0;

  constructor(take: (bytes: number) => boolean, limitBytes: number) {
    this.#take = take;
    this.limitBytes = limitBytes;
  }

  /** Raises what is held to `totalBytes`, in steps of 64 KiB; false if the budget has no room. */
  growTo(totalBytes: number): boolean {
    if (totalBytes <= this.#heldBytes || totalBytes <= STEP_BYTES) return true;
    const wantedBytes = Math.ceil(totalBytes / STEP_BYTES) * STEP_BYTES;
    if (!this.#take(wantedBytes - this.#heldBytes)) return false;
    this.#heldBytes = wantedBytes;
    return true;
  }

  release(): void {
    if (this.#heldBytes > 0) this.#take(-this.#heldBytes);
    this.#heldBytes = 0;
  }
}
