import { percentileOf } from '../../histogram.ts';
import { CALL_OUTCOMES, type CallOutcome } from '../call-entry.ts';
import { toUsd } from '../money.ts';
import { type Measure, MS_START, PLACE } from './measures.ts';
import type { UsageSums } from './query.ts';

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

/** The sums of a row in the API's names and units, in the order in which they are shown. */
export interface UsageFigures extends Record<CallOutcome, number> {
  readonly requests: number;
  readonly attempts: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly audioSeconds: number;
  readonly images: number;
  /** null: nothing was priced. */
  readonly costUsd: number | null;
  readonly unpricedRequests: number;
  readonly estimatedRequests: number;
  readonly ttftMs: Percentiles;
  readonly ms: Percentiles;
}

/** Turns sums into what the API tells. */
export function toFigures({ values, outcomes, counts }: UsageSums): UsageFigures {
  const of = (measure: Measure): number => values[PLACE[measure]] ?? 0;
  const byOutcome = (outcome: CallOutcome): number => outcomes[CALL_OUTCOMES.indexOf(outcome)] ?? 0;
  return {
    requests: of('requests'),
    ok: byOutcome('ok'),
    clientErrors: byOutcome('clientErrors'),
    providerErrors: byOutcome('providerErrors'),
    limited: byOutcome('limited'),
    cancelled: byOutcome('cancelled'),
    broken: byOutcome('broken'),
    attempts: of('attempts'),
    promptTokens: of('promptTokens'),
    cachedTokens: of('cachedTokens'),
    cacheWriteTokens: of('cacheWriteTokens'),
    completionTokens: of('completionTokens'),
    reasoningTokens: of('reasoningTokens'),
    audioSeconds: of('audioMs') / 1000,
    images: of('images'),
    costUsd: of('pricedRequests') === 0 ? null : toUsd(of('costNanoUsd')),
    unpricedRequests: of('unpricedRequests'),
    estimatedRequests: of('estimatedRequests'),
    ttftMs: { p50: percentileOf(counts, 0.5), p95: percentileOf(counts, 0.95) },
    ms: { p50: percentileOf(counts, 0.5, MS_START), p95: percentileOf(counts, 0.95, MS_START) },
  };
}
