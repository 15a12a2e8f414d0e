/** Shapes of the API's answers, for the type checker only. Nothing imports this file at run time. */

/** @typedef {'admin' | 'user'} Role */
/** @typedef {{ username: string, role: Role }} Me */
/** @typedef {{ id: string, username: string, name: string, role: 'user', models: { id: string, name: string, vision?: boolean | null }[] | string[] }} UserMe */
/**
 * @typedef {{
 *   pathMode?: 'auto' | 'append-v1' | 'exact' | null, transcribePath?: string | null, chutesLanguageHint?: boolean | null,
 *   connectTimeoutMs?: number | null, headersTimeoutMs?: number | null, idleTimeoutMs?: number | null,
 * }} ProviderOptions
 */
/**
 * @typedef {{
 *   id: string, name: string, baseUrl: string, apiKeyHint: string | null, apiKeyUnreadable?: boolean, type: 'openai' | 'chutes', enabled: boolean,
 *   options: ProviderOptions, createdAt: string, updatedAt: string,
 * }} Provider
 */
/**
 * @typedef {{
 *   id: string, name: string, providerId: string, upstreamModel: string | null, enabled: boolean,
 *   vision: boolean | null, createdAt: string, updatedAt: string,
 * }} Model
 */
/**
 * @typedef {{
 *   id: string, name: string, keyHint: string, enabled: boolean, models: string[] | null, userId: string | null,
 *   expiresAt: string | null, createdAt: string, lastUsedAt: string | null, key?: string,
 * }} ApiKey
 */
/**
 * @typedef {{
 *   id: string, username: string, name: string, enabled: boolean, models: string[] | null,
 *   createdAt: string, updatedAt: string,
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
 *   changesAdminPassword: boolean,
 *   unboundKeys: readonly { id: string, name: string, origin: string | null }[],
 * }} RestoreReport
 */

export {};
