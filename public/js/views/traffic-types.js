/** Shapes of usage and requests in the API's answers, for the type checker only. Nothing imports this file at run time. */

/** @typedef {'key' | 'user' | 'model' | 'provider' | 'endpoint'} GroupName */
/** @typedef {GroupName | 'outcome'} FilterName */
/** @typedef {Partial<Record<FilterName, string>>} TrafficFilters */
/** @typedef {{ p50: number | null, p95: number | null }} Percentiles */
/**
 * @typedef {{
 *   requests: number, ok: number, clientErrors: number, providerErrors: number, limited: number, cancelled: number,
 *   broken: number, promptTokens: number, cachedTokens: number, completionTokens: number, costUsd: number | null,
 *   unpricedRequests: number, ttftMs: Percentiles, ms: Percentiles,
 * }} Figures
 */
/**
 * @typedef {Figures & {
 *   time?: string, model?: string | null, provider?: string | null, endpoint?: string | null, key?: string | null,
 *   keyName?: string | null, user?: string | null, userName?: string | null, outcome?: string | null,
 * }} UsageRow
 */
/** @typedef {{ from: string, to: string, bucket: string, data: UsageRow[], totals: Figures }} UsageReport */
/**
 * @typedef {{
 *   provider: string, keyHint?: string | null, upstreamModel?: string, status: number | null, code: string | null, ms: number,
 * }} Attempt the key and the model there only for the admin
 */
/**
 * @typedef {{
 *   inputPerMTok: number | null, outputPerMTok: number | null, cachedInputPerMTok: number | null,
 *   cacheWritePerMTok: number | null,
 * }} TokenPrices
 */
/**
 * @typedef {TokenPrices & {
 *   perAudioMinute: number | null, perImage: number | null, perRequest: number | null,
 *   above: (TokenPrices & { inputTokens: number }) | null, source: 'own' | 'provider' | 'list',
 * }} UsedPrice
 */
/**
 * @typedef {{
 *   id: string, at: string, endpoint: string, keyId: string | null, keyName: string | null, userId: string | null,
 *   userName: string | null, model: string | null, provider: string | null, upstreamModel?: string | null, stream: boolean,
 *   status: number, outcome: string, code: string | null, ms: number, ttftMs: number | null, promptTokens: number | null,
 *   cachedTokens: number | null, cacheWriteTokens: number | null, completionTokens: number | null,
 *   reasoningTokens: number | null, audioSeconds: number | null, images: number | null, estimated: boolean,
 *   costUsd: number | null, price: UsedPrice | null, attempts: Attempt[], clientAddress: string,
 * }} LoggedRequest
 */

export {};
