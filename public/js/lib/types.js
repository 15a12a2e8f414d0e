/** Shapes of the API's answers, for the type checker only. Nothing imports this file at run time. */

/** @typedef {'admin' | 'user'} Role */
/** @typedef {{ username: string, role: Role }} Me */
/** @typedef {{ id: string, username: string, name: string, role: 'user', models: { id: string, name: string, vision?: boolean | null }[] | string[] }} UserMe */
/**
 * @typedef {{
 *   pathMode?: 'auto' | 'append-v1' | 'exact' | null, transcribePath?: string | null, chutesLanguageHint?: boolean | null,
 *   connectTimeoutMs?: number | null, headersTimeoutMs?: number | null, idleTimeoutMs?: number | null,
 *   includeUsage?: 'auto' | 'always' | 'never' | null,
 *   responses?: 'auto' | 'native' | 'translate' | null, messages?: 'auto' | 'native' | 'translate' | null,
 * }} ProviderOptions
 */
/** @typedef {{ at: string, status: number | null, code: string | null, message: string }} LastError */
/**
 * @typedef {{
 *   state: 'untested' | 'ok' | 'slow' | 'failing' | 'resting', since: string | null, restingUntil: string | null,
 *   requests5m: number, errors5m: number, ttftMs: { p50: number | null, p95: number | null },
 *   lastSuccessAt: string | null, lastError: LastError | null,
 * }} Health
 */
/** @typedef {Health['state'] | 'refused' | 'unreadable'} KeyState */
/**
 * @typedef {{
 *   id: string, hint: string | null, enabled: boolean, state: KeyState, restingUntil: string | null,
 *   lastUsedAt: string | null, lastError: LastError | null,
 * }} ProviderKey
 */
/**
 * @typedef {{
 *   id: string, name: string, baseUrl: string, apiKeyHint: string | null, apiKeyUnreadable?: boolean, apiKeys: ProviderKey[],
 *   type: 'openai' | 'chutes', enabled: boolean, options: ProviderOptions, health: Health, createdAt: string, updatedAt: string,
 * }} Provider
 */
/**
 * @typedef {{
 *   inputPerMTok: number | null, outputPerMTok: number | null, cachedInputPerMTok: number | null,
 *   cacheWritePerMTok: number | null,
 * }} TokenRates in dollars; null: not known
 */
/**
 * @typedef {TokenRates & {
 *   perAudioMinute: number | null, perImage: number | null, perRequest: number | null,
 *   above: (TokenRates & { inputTokens: number }) | null,
 * }} Price
 */
/** @typedef {Price & { source: 'own' | 'provider' | 'list' | null, asOf: string | null }} EffectivePrice */
/**
 * @typedef {{
 *   providerId: string, upstreamModel: string | null, weight: number | null, price?: Price | null,
 *   effectivePrice?: EffectivePrice,
 * }} Fallback
 */
/**
 * @typedef {{
 *   rpm: number | null, tpm: number | null, concurrency: number | null, budgetUsd: number | null,
 *   budgetTokens: number | null, budgetPeriod: 'day' | 'week' | 'month' | 'total' | null, warnPercent: number | null,
 *   allowedIps: string[] | null,
 * }} Limits
 */
/**
 * @typedef {{
 *   period: 'day' | 'week' | 'month' | 'total', resetsAt: string | null, costUsd: number, tokens: number,
 *   requests: number, grantedUsd: number, grantedTokens: number,
 * }} PeriodUsage
 */
/**
 * @typedef {{
 *   maxOutputTokens?: number | null, maxTokensField?: 'max_tokens' | 'max_completion_tokens' | null,
 *   reasoningEffort?: boolean | null, reasoningContent?: boolean | 'reasoning' | null, pdf?: boolean | null,
 *   defaults?: Record<string, unknown> | null, drop?: string[] | null, rename?: Record<string, string> | null,
 * }} ModelOptions
 */
/**
 * @typedef {{
 *   id: string, name: string, providerId: string, upstreamModel: string | null, enabled: boolean,
 *   vision: boolean | null, weight: number | null, fallbacks: Fallback[], options: ModelOptions, price?: Price | null,
 *   effectivePrice?: EffectivePrice, createdAt: string, updatedAt: string,
 * }} Model
 */
/**
 * @typedef {{
 *   id: string, name: string, keyHint: string, enabled: boolean, models: string[] | null, userId: string | null,
 *   expiresAt: string | null, createdAt: string, lastUsedAt: string | null, key?: string, limits?: Limits | null,
 *   passThrough?: boolean,
 *   usage?: PeriodUsage,
 * }} ApiKey
 */
/**
 * @typedef {{
 *   id: string, username: string, name: string, enabled: boolean, models: string[] | null, limits?: Limits | null,
 *   usage?: PeriodUsage, createdAt: string, updatedAt: string,
 * }} User
 */
/** @typedef {{ ok: boolean, steps: { name: string, ok: boolean, ms: number, message: string }[] }} ProviderTest */
/** @typedef {{ code: string, message: string }} Warning */
/**
 * @typedef {{
 *   version: string, uptime: number, storage: { state: string, message: string },
 *   encryption: { enabled: boolean }, warnings: Warning[],
 *   adminPassword: { isDefault: boolean, isManagedByEnvironment: boolean },
 *   snapshot: null | { message: string, lastWrittenAt: string | null },
 * }} Status
 */
/** @typedef {{ id: string, name: string }[]} Named */
/** @typedef {{ added: Named, changed: Named, removed: Named }} KindReport */
/**
 * @typedef {{
 *   createdAt: string, providers: KindReport, models: KindReport, apiKeys: KindReport, users: KindReport,
 *   returning: { apiKeys: Named, users: Named }, providersWithoutKey: Named, changesMasterKey: boolean,
 *   changesAdminPassword: boolean, changesSettings: boolean,
 *   unboundKeys: readonly { id: string, name: string, origin: string | null }[],
 * }} RestoreReport
 */

export {};
