/** What a new server has already, and what is left of its setup. No DOM. */
import { number, plural } from '../lib/format.js';
import { providerCondition } from '../lib/health.js';
import { findPreset } from './presets.js';

/**
 * @import { ApiKey, Model, Provider, Status } from '../lib/types.js'
 * @import { LoggedRequest } from './traffic-types.js'
 * @typedef {{
 *   status: Status, providers: readonly Provider[], models: readonly Model[], keys: readonly ApiKey[],
 *   requests: readonly LoggedRequest[],
 * }} Records requests: the latest, newest first
 * @typedef {{
 *   hasPassword: boolean, isManaged: boolean, provider: Provider | null, models: readonly Model[], key: ApiKey | null,
 *   answer: LoggedRequest | null, failures: readonly LoggedRequest[],
 * }} Facts models: those that can be asked; answer: the latest request that succeeded; failures: newest first
 */

/** A server whose whole log is shorter than this, without a success in it, is still being set up. */
const FEW_REQUESTS = 6;

/**
 * True until the first request succeeds. A busy server that only fails is not new.
 * @param {readonly LoggedRequest[]} requests the latest
 * @param {number} counted how many requests the figures count
 */
export function isNewServer(requests, counted) {
  if (requests.some(({ outcome }) => outcome === 'ok')) return false;
  return requests.length < FEW_REQUESTS && counted <= requests.length;
}

/**
 * @param {Records} records
 * @returns {Facts}
 */
export function factsOf({ status, providers, models, keys, requests }) {
  const working = providers.filter(isWorking);
  const ids = new Set(working.map(({ id }) => id));
  const usable = models.filter((model) => model.enabled && ids.has(model.providerId));
  const first = usable[0]?.providerId;
  return {
    hasPassword: !status.adminPassword.isDefault,
    isManaged: status.adminPassword.isManagedByEnvironment,
    provider: working.find(({ id }) => id === first) ?? working[0] ?? null,
    models: usable,
    key: keys.find(({ id, enabled }) => id !== 'master' && enabled) ?? null,
    answer: requests.find(({ outcome }) => outcome === 'ok') ?? null,
    failures: requests.filter(({ outcome }) => outcome !== 'ok'),
  };
}

/** What keeps a provider from being asked at all. One that fails is told by its failures. */
const UNUSABLE = ['Key missing', 'Keys off', 'Unreadable'];

/** A provider that is on and has the key that it needs. @param {Provider} provider */
export function isWorking(provider) {
  return provider.enabled && !UNUSABLE.includes(providerCondition(provider).word);
}

/** How keys begin, and whose they are. The longest beginning comes first. */
const PREFIXES = /** @type {const} */ ([
  ['sk-ant-', 'anthropic'],
  ['sk-or-', 'openrouter'],
  ['sk-proj-', 'openai'],
  ['gsk_', 'groq'],
  ['AIza', 'gemini'],
  ['xai-', 'xai'],
  ['cpk_', 'chutes'],
]);

/**
 * The provider that a key belongs to, by how it begins; null where that does not say it.
 * @param {string} key
 */
export function presetOfKey(key) {
  const found = PREFIXES.find(([prefix]) => key.startsWith(prefix));
  return (found && findPreset(found[1])) ?? null;
}

/** Families of models for daily use, the most useful first. The newest of each is suggested. */
const FAMILIES = [
  /claude-(sonnet|.*-sonnet)/,
  /gpt-[\d.]+-mini$/,
  /gemini-[\d.]+-flash$/,
  /gpt-[\d.]+$/,
  /claude-(haiku|.*-haiku)/,
  /gemini-[\d.]+-pro$/,
  /gemini-[\d.]+-flash-lite$/,
  /grok-[\d.]+(-fast)?$/,
  /gpt-oss-120b$/,
  /deepseek-(flash|chat|v[\d.]+)$/,
  /llama-?[\d.]+.*70b/,
  /mistral-(small|medium|large)/,
  /qwen-?[\d.]+/,
  /kimi-k[\d.]+$/,
  /glm-[\d.]+$/,
];
const NOT_CHAT = /embed|whisper|transcri|tts|speech|ocr|rerank|moderation|image|dall-e|voyage|guard|audio/i;
const TICKED = 4;
const SUGGESTED = 12;

/**
 * Which of a provider's models to suggest, and which of them are ticked at first.
 * @param {readonly string[]} ids
 * @returns {{ suggested: string[], ticked: string[] }}
 */
export function suggestModels(ids) {
  const chat = ids.filter((id) => !NOT_CHAT.test(id));
  const order = new Intl.Collator('en', { numeric: true });
  /** @type {Set<string>} */
  const best = new Set();
  for (const family of FAMILIES) {
    const members = chat.filter((id) => family.test(id) && !/:|-\d{8}|\d{4}-\d\d-\d\d/.test(id));
    const newest = members.sort((a, b) => order.compare(b, a))[0];
    if (newest !== undefined) best.add(newest);
  }
  const suggested = [...new Set([...best, ...chat, ...ids])].slice(0, SUGGESTED);
  const ticked = best.size > 0 ? [...best] : chat.length > 0 ? chat : ids;
  return { suggested, ticked: ticked.slice(0, TICKED) };
}

/** @type {Record<string, (entry: LoggedRequest) => string>} */
const FAILURES = {
  invalid_api_key: () => 'A request came with a key that is not known here. Copy the key again.',
  missing_api_key: () => 'A request came without a key. Send it as “Authorization: Bearer …”.',
  model_not_found: ({ model }) =>
    `A request asked for ${model ?? 'a model'}, which is not set up here. Check the name in the client.`,
  model_not_allowed: ({ model }) => `A request asked for ${model ?? 'a model'}, which its key may not use.`,
  ip_not_allowed: () => 'A request came from an address that its key does not allow.',
  upstream_auth_failed: () => 'The provider refused its key. Replace the key in Providers.',
  upstream_unreachable: () => 'The provider could not be reached.',
  upstream_timeout: () => 'The provider took too long.',
  client_closed_request: () => 'The client left before the answer was there.',
};

/**
 * What went wrong with a request, in a sentence.
 * @param {LoggedRequest} entry
 */
export function failureText(entry) {
  const { code, status, endpoint, outcome } = entry;
  if (outcome === 'broken') return 'The answer broke off.';
  return (
    (code !== null && FAILURES[code]?.(entry)) ||
    `A request to ${endpoint} failed with ${[status, code?.replaceAll('_', ' ')].filter(Boolean).join(', ')}.`
  );
}

/**
 * How many tokens a request took: `31 tokens`; null where that is not known.
 * @param {LoggedRequest} entry
 */
export function tokensText({ promptTokens, completionTokens }) {
  if (promptTokens === null && completionTokens === null) return null;
  const count = (promptTokens ?? 0) + (completionTokens ?? 0);
  return count === 1 ? plural(1, 'token') : `${number(count)} tokens`;
}
