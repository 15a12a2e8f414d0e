/** What the store keeps. Plain values, never mutated: a change makes a new object (readers may hold the old one). */

export type ProviderType = 'openai' | 'chutes';
export type PathMode = 'auto' | 'append-v1' | 'exact';
export type IncludeUsage = 'auto' | 'always' | 'never';
/** How a provider serves a protocol other than chat: itself, or by translation to chat. */
export type ProtocolMode = 'auto' | 'native' | 'translate';

/** Per-provider settings; an absent member means the default. */
export interface ProviderOptions {
  readonly pathMode?: PathMode;
  /** Chutes: path of the transcription endpoint, `/transcribe` if absent. */
  readonly transcribePath?: string;
  /** Chutes: forward `language` even though the chute may then translate. */
  readonly chutesLanguageHint?: boolean;
  /** Whether streams are asked for their usage where the client did not ask; `auto`: until the provider refuses it. */
  readonly includeUsage?: IncludeUsage;
  /** OpenAI's Responses API; `auto`: natively until the provider refuses it. */
  readonly responses?: ProtocolMode;
  /** Anthropic's Messages API; `auto`: natively where the base URL is one of that API. */
  readonly messages?: ProtocolMode;
  readonly connectTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
}

/** What a million tokens cost, in USD. null: unknown; 0: free. */
export interface TokenRates {
  readonly inputPerMTok: number | null;
  readonly outputPerMTok: number | null;
  /** null: cached input costs as much as other input. */
  readonly cachedInputPerMTok: number | null;
  /** null: what is written to the cache costs as much as other input. */
  readonly cacheWritePerMTok: number | null;
}

/** What a model's use costs, in USD. null: unknown; 0: free. */
export interface Price extends TokenRates {
  readonly perAudioMinute: number | null;
  readonly perImage: number | null;
  readonly perRequest: number | null;
  readonly above: PriceAbove | null;
}

/** The prices of a whole request whose prompt is longer than `inputTokens`. A null member falls back to `inputPerMTok`. */
export interface PriceAbove extends TokenRates {
  readonly inputTokens: number;
}

/** A price that a provider told for one of its models, and when it was taken over (ISO 8601). */
export interface ProviderPrice {
  readonly price: Price;
  readonly asOf: string;
}

/** The periods of budgets, the shortest first. `total` never ends. */
export const BUDGET_PERIODS = ['day', 'week', 'month', 'total'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Who has limits: an API key, or a user with all their keys. */
export type OwnerKind = 'key' | 'user';

/** How much a key or a user may use; null members are no limits. */
export interface Limits {
  /** Calls that begin in any 60 seconds. */
  readonly rpm: number | null;
  /** Tokens in any 60 seconds. */
  readonly tpm: number | null;
  /** Calls at the same time. */
  readonly concurrency: number | null;
  readonly budgetUsd: number | null;
  readonly budgetTokens: number | null;
  /** By UTC; weeks begin on Monday. */
  readonly budgetPeriod: BudgetPeriod | null;
  /** The share of a budget, in percent, at which an alert is sent; null: 80. */
  readonly warnPercent: number | null;
  /** Addresses and CIDR blocks of clients; null: any. */
  readonly allowedIps: readonly string[] | null;
}

/** What the admin sets for the whole server. */
export interface Settings {
  /** The provider of paths and requests that name no model; null: none. */
  readonly defaultProviderId: string | null;
  /** Whether models without a price may be used. */
  readonly unpricedModels: 'allow' | 'refuse';
  readonly alertWebhook: AlertWebhook | null;
}

/** Where alerts are sent. */
export interface AlertWebhook {
  readonly url: string;
  /** Signs the alerts. Plain text in memory; null: it could not be decrypted. */
  readonly secret: string | null;
  /** The stored ciphertext of a secret that could not be decrypted. */
  readonly unreadable: string | null;
}

/** One of a provider's keys. Either `secret` or `unreadable` is null, never both. */
export interface ProviderKey {
  /** Unique within its provider. A new secret comes with a new id. */
  readonly id: string;
  /** Plain text in memory; null: it could not be decrypted. */
  readonly secret: string | null;
  /** The stored ciphertext of a key that could not be decrypted: nobody can use it, but it is kept. */
  readonly unreadable: string | null;
  readonly enabled: boolean;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  /** The API calls the first one `apiKey`. Empty: the provider needs no key (Ollama). */
  readonly keys: readonly ProviderKey[];
  readonly type: ProviderType;
  readonly enabled: boolean;
  readonly options: ProviderOptions;
  /** The prices that were taken over from the provider, by its names of models. */
  readonly prices: Readonly<Record<string, ProviderPrice>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Another provider that can serve a model. */
export interface Fallback {
  readonly providerId: string;
  /** As in Model. */
  readonly upstreamModel: string | null;
  /** Its part of the load, beside the model's first provider; null: it is asked only when those with a weight fail. */
  readonly weight: number | null;
  /** The owner's own price; null: as the provider's, or the shipped list's. */
  readonly price: Price | null;
}

/** What a model takes, at every provider that serves it; an absent member changes nothing. */
export interface ModelOptions {
  readonly maxOutputTokens?: number;
  /** The name of the field that limits the answer; the other one is renamed. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** Whether the model takes an effort of reasoning; absent: guess from the name. */
  readonly reasoningEffort?: boolean;
  /** Whether the model takes its earlier reasoning back, or the other name of that field; absent: guess from the name. */
  readonly reasoningContent?: boolean | 'reasoning';
  /** Whether the model takes PDF files; absent: guess from the name. */
  readonly pdf?: boolean;
  /** Fields of the request that are filled in where they are absent. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Fields of the request that are left out. */
  readonly drop?: readonly string[];
  /** New names of fields of the request, by their names. */
  readonly rename?: Readonly<Record<string, string>>;
}

export interface Model {
  /** May hold one `*`, which stands for at least one character. */
  readonly id: string;
  readonly name: string;
  readonly providerId: string;
  /** The name at the provider, where a `*` stands for what the `*` of `id` stood for; null: the name that was asked for. */
  readonly upstreamModel: string | null;
  readonly enabled: boolean;
  /** null: guess from the name. */
  readonly vision: boolean | null;
  /** The part of the load that the first provider gets, beside fallbacks with a weight; null: 1. */
  readonly weight: number | null;
  readonly fallbacks: readonly Fallback[];
  readonly options: ModelOptions;
  /** The owner's own price of the first target; null: as the provider's, or the shipped list's. */
  readonly price: Price | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the key, lower-case hex; keys are looked up by it. */
  readonly digest: string;
  /** First and last characters, by which people recognise the key. */
  readonly keyHint: string;
  readonly enabled: boolean;
  /** Model ids; an id may end with `*`. null: all models that the owner may use. */
  readonly models: readonly string[] | null;
  /** The owner; null: the admin's own. */
  readonly userId: string | null;
  readonly expiresAt: string | null;
  /** It may use paths of `/v1` that have no row, and leave out the model. */
  readonly passThrough: boolean;
  readonly limits: Limits | null;
  readonly createdAt: string;
}

export interface User {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly enabled: boolean;
  /** As in ApiKey: the models that this user's keys and sessions may use at most. */
  readonly models: readonly string[] | null;
  readonly limits: Limits | null;
  /** `scrypt$N$r$p$salt$hash`, see auth/passwords.ts. */
  readonly passwordHash: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type Role = 'admin' | 'user';

export interface Session {
  /** SHA-256 of the session id, lower-case hex. */
  readonly digest: string;
  readonly role: Role;
  /** null for the admin. */
  readonly userId: string | null;
  /** Fingerprint of the credentials that opened the session; it ends when they change. */
  readonly credential: string;
  /** Milliseconds since the epoch, as is `lastSeenAt`. */
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** The id of the master key among API keys; no other key may have it. */
export const MASTER_ID = 'master';
/** What the master key is called. */
export const MASTER_NAME = 'Master key';

/** The generated master key; a master key from the environment is not stored. */
export interface MasterKey {
  readonly digest: string;
  readonly keyHint: string;
}

/** Who makes a request. */
export type Principal =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'master' }
  | { readonly kind: 'key'; readonly key: ApiKey; readonly user: User | null }
  | { readonly kind: 'admin'; readonly session: Session }
  | { readonly kind: 'user'; readonly session: Session; readonly user: User };
