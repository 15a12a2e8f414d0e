/**
 * What a call used. null: not known, which is not zero. Tokens of the prompt include those that were read from and written to a
 * cache, tokens of the answer those of reasoning.
 */
export interface Usage {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly audioSeconds: number | null;
  readonly images: number | null;
  /** What the provider says that the call cost, in nano-dollars; it stands above every price. */
  readonly costNanoUsd: number | null;
  /** At least one of the numbers was estimated. */
  readonly isEstimated: boolean;
}

/** Nothing is known. */
export const NO_USAGE: Usage = {
  promptTokens: null,
  cachedTokens: null,
  cacheWriteTokens: null,
  completionTokens: null,
  reasoningTokens: null,
  audioSeconds: null,
  images: null,
  costNanoUsd: null,
  isEstimated: false,
};

/**
 * What of a call is counted: `tokens` of the prompt and of the answer; `input`: tokens of the prompt alone; `speech`: its text,
 * as a prompt; `images`: the pictures of the answer; `audio`: the seconds of the request's file; `reported`: what the provider
 * reports, and nothing else.
 */
export type MeterKind = 'tokens' | 'input' | 'speech' | 'images' | 'audio' | 'reported';

const BYTES_PER_TOKEN = 4;

/** How many tokens a text probably has, for tokens that nobody counted. */
export function estimateTokens(textBytes: number): number {
  return Math.ceil(textBytes / BYTES_PER_TOKEN);
}
