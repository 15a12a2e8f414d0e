import { bucketOf, HISTOGRAM_BUCKETS } from '../../histogram.ts';
import type { CallEntry } from '../call-entry.ts';

/** What is summed up in each row, in the order in which rows hold it. All are integers. */
export const MEASURES = [
  'requests',
  'attempts',
  'promptTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'completionTokens',
  'reasoningTokens',
  'audioMs',
  'images',
  'costNanoUsd',
  /** Calls with a cost, 0 included. */
  'pricedRequests',
  /** Calls that used something, but whose price is not known. */
  'unpricedRequests',
  'estimatedRequests',
] as const;

export type Measure = (typeof MEASURES)[number];
export const MEASURE_COUNT = MEASURES.length;

/** The place of each measure in a row. */
export const PLACE = Object.fromEntries(MEASURES.map((name, place) => [name, place])) as Readonly<
  Record<Measure, number>
>;

/** The buckets of two histograms: the time to the first byte, then the whole time. */
export const COUNTS_LENGTH = 2 * HISTOGRAM_BUCKETS;
export const MS_START = HISTOGRAM_BUCKETS;

/** No single number is counted higher, so that sums stay exact. */
const LARGEST = 1e15;

/** Adds one call to the sums and histograms of its row. */
export function addCall(values: Float64Array, counts: Uint32Array, call: CallEntry): void {
  const { usage, costNanoUsd } = call;
  add(values, PLACE.requests, 1);
  add(values, PLACE.attempts, call.attempts.length);
  if (usage !== null) {
    add(values, PLACE.promptTokens, usage.promptTokens);
    add(values, PLACE.cachedTokens, usage.cachedTokens);
    add(values, PLACE.cacheWriteTokens, usage.cacheWriteTokens);
    add(values, PLACE.completionTokens, usage.completionTokens);
    add(values, PLACE.reasoningTokens, usage.reasoningTokens);
    if (usage.audioSeconds !== null) add(values, PLACE.audioMs, usage.audioSeconds * 1000);
    add(values, PLACE.images, usage.images);
    if (usage.isEstimated) add(values, PLACE.estimatedRequests, 1);
  }
  add(values, PLACE.costNanoUsd, costNanoUsd);
  if (costNanoUsd !== null) add(values, PLACE.pricedRequests, 1);
  else if (usage !== null) add(values, PLACE.unpricedRequests, 1);
  if (call.ttftMs !== null) count(counts, bucketOf(call.ttftMs));
  count(counts, MS_START + bucketOf(call.ms));
}

function add(values: Float64Array, place: number, value: number | null): void {
  if (value === null || !(value > 0)) return;
  values[place] = (values[place] ?? 0) + Math.min(LARGEST, Math.round(value));
}

function count(counts: Uint32Array, bucket: number): void {
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}
