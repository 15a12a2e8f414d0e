/** Each bucket reaches this much higher than the one before: a percentile is right within 12 percent. */
const STEP = 1.25;
/** The last bucket begins at about 21 minutes, in milliseconds. */
export const HISTOGRAM_BUCKETS = 64;
const LOG_STEP = Math.log(STEP);

/** The bucket that counts a duration in milliseconds, from 0 to `HISTOGRAM_BUCKETS` - 1. */
export function bucketOf(ms: number): number {
  return ms > 1 ? Math.min(HISTOGRAM_BUCKETS - 1, Math.ceil(Math.log(ms) / LOG_STEP)) : 0;
}

/**
 * The duration that a share of all counted durations does not exceed, in milliseconds; null if nothing was counted.
 * @param counts holds one count for each bucket, from `start` on
 * @param share from 0 to 1
 */
export function percentileOf(counts: Uint32Array, share: number, start = 0): number | null {
  let size = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) size += counts[start + bucket] ?? 0;
  if (size === 0) return null;
  let rest = Math.max(1, Math.ceil(size * share));
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    rest -= counts[start + bucket] ?? 0;
    if (rest <= 0) return Math.round(STEP ** bucket);
  }
  return null;
}

/** Counts durations in buckets of fixed bounds, so that counts of several times can be added up. */
export class Histogram {
  readonly #counts = new Uint32Array(HISTOGRAM_BUCKETS);

  /** Counts a duration in milliseconds. */
  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  addAll(other: Histogram): void {
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
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
    return percentileOf(this.#counts, share);
  }
}
