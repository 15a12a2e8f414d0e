/** The length of a window. */
export const WINDOW_MS = 60_000;

/** Dropped entries are removed from the arrays once there are this many. */
const DROPPED_LIMIT = 64;

/**
 * What happened in the last 60 seconds, exactly: an amount that is added at a time counts until 60 seconds later. Entries of
 * one millisecond are merged, so a window holds 60,000 entries at most. Times are milliseconds since the epoch; a time before
 * the newest entry counts as that entry's time, because clocks are set back.
 */
export class SlidingWindow {
  readonly #times: number[] = [];
  readonly #amounts: number[] = [];
  /** The index of the oldest entry. */
  #first = 0;
  #sum = 0;

  /** The sum of the amounts that count. */
  sumAt(nowMs: number): number {
    this.#drop(nowMs);
    return this.#sum;
  }

  add(nowMs: number, amount: number): void {
    if (amount === 0) return;
    this.#drop(nowMs);
    const last = this.#times.length - 1;
    this.#sum += amount;
    if (last >= this.#first && (this.#times[last] ?? 0) >= nowMs) {
      this.#amounts[last] = (this.#amounts[last] ?? 0) + amount;
      return;
    }
    this.#times.push(nowMs);
    this.#amounts.push(amount);
  }

  /** How long until the sum is `most` or less, if nothing is added; 0: it is. */
  waitMs(nowMs: number, most: number): number {
    let sum = this.sumAt(nowMs);
    const newest = this.#times.at(-1);
    // Asked with every call: all entries have to go.
    if (most === 0 && sum > 0 && newest !== undefined) return newest + WINDOW_MS - nowMs;
    for (let index = this.#first; index < this.#times.length && sum > most; index += 1) {
      sum -= this.#amounts[index] ?? 0;
      if (sum <= most) return (this.#times[index] ?? 0) + WINDOW_MS - nowMs;
    }
    return 0;
  }

  #drop(nowMs: number): void {
    const { length } = this.#times;
    const aheadMs = (this.#times[length - 1] ?? nowMs) - nowMs;
    // The clock was wrong by far when these were added: they would count until it is as late again.
    if (aheadMs > WINDOW_MS) for (let at = this.#first; at < length; at += 1) this.#times[at] = nowMs;
    while (this.#first < length && (this.#times[this.#first] ?? 0) <= nowMs - WINDOW_MS) {
      this.#sum -= this.#amounts[this.#first] ?? 0;
      this.#first += 1;
    }
    if (this.#first < DROPPED_LIMIT || this.#first * 2 < length) return;
    this.#times.splice(0, this.#first);
    this.#amounts.splice(0, this.#first);
    this.#first = 0;
  }
}
