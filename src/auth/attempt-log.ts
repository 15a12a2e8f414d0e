export interface AttemptLogOptions {
  /** So many attempts are let through in any `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  /** How many names are remembered; the one not heard of for longest is forgotten first. */
  readonly maxNames: number;
}

/**
 * Remembers when attempts were made under a name: a sliding window, exact to the millisecond. (A token bucket would let
 * nearly twice the limit through in its first minute.)
 */
export class AttemptLog {
  readonly #options: AttemptLogOptions;
  /** Ascending times, at most `limit` of them; the map's order is that of the latest use. */
  readonly #timesByName = new Map<string, number[]>();

  constructor(options: AttemptLogOptions) {
    this.#options = options;
  }

  /** How many names are remembered now. */
  get size(): number {
    return this.#timesByName.size;
  }

  /** Milliseconds until another attempt is allowed under this name; 0: now. Asking keeps the name remembered. */
  waitMs(name: string, nowMs: number): number {
    const times = this.#recent(name, nowMs);
    const oldest = times[0];
    if (oldest === undefined || times.length < this.#options.limit) return 0;
    return oldest + this.#options.windowMs - nowMs;
  }

  /**
   * Counts an attempt, unless the limit is reached. The function that it returns takes the attempt back; it is to be
   * called once at most.
   */
  add(name: string, nowMs: number): () => void {
    const times = this.#recent(name, nowMs);
    if (times.length >= this.#options.limit) return () => {};
    times.push(nowMs);
    this.#keep(name, times);
    return () => this.#remove(name, nowMs);
  }

  #remove(name: string, atMs: number): void {
    const times = this.#timesByName.get(name);
    const index = times?.lastIndexOf(atMs) ?? -1;
    if (index >= 0) times?.splice(index, 1);
    if (times?.length === 0) this.#timesByName.delete(name);
  }

  #recent(name: string, nowMs: number): number[] {
    const known = this.#timesByName.get(name);
    if (known === undefined) return [];
    // A time in the future is from before the clock was set back: it would block for as long as the step was.
    const times = known.filter((at) => at <= nowMs && nowMs - at < this.#options.windowMs);
    if (times.length === 0) this.#timesByName.delete(name);
    else this.#keep(name, times);
    return times;
  }

  #keep(name: string, times: number[]): void {
    this.#timesByName.delete(name);
    this.#timesByName.set(name, times);
    if (this.#timesByName.size <= this.#options.maxNames) return;
    for (const oldest of this.#timesByName.keys()) {
      this.#timesByName.delete(oldest);
      return;
    }
  }
}
