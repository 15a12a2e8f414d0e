/** Each bucket reaches this much higher than the one before: a percentile is right within 12 percent. */
const STEP = 1.25;
/** The last bucket begins at about 21 minutes, in milliseconds. */
const BUCKETS = 64;
const LOG_STEP = Math.log(STEP);

/** Counts durations in buckets of fixed bounds, so that counts of several times can be added up. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);

  /** Counts a duration in milliseconds. */
  add(ms: number): void {
    const bucket = ms <= 1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms) / LOG_STEP));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  addAll(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0);
    }
  }

  get size(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * The duration that a share of all durations does not exceed, in milliseconds; null if nothing was counted.
   * @param share from 0 to 1
   */
  percentile(share: number): number | null {
    const { size } = this;
    if (size === 0) return null;
    let rest = Math.max(1, Math.ceil(size * share));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      rest -= this.#counts[bucket] ?? 0;
      if (rest <= 0) return Math.round(STEP ** bucket);
    }
    return null;
  }
}
