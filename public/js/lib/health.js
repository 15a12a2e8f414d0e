/**
 * What the state of providers, keys and models means, in words. No DOM.
 *
 * @typedef {import('./types.js').Provider} Provider
 * @typedef {import('./types.js').Model} Model
 * @typedef {'ok' | 'warn' | 'bad' | 'off'} Kind the look of the dot beside the word
 * @typedef {{ kind: Kind, word: string, isUsable: boolean, restingUntil?: string | null }} Condition
 *   isUsable: requests are expected to succeed
 * @typedef {{
 *   provider: Provider | undefined, name: string, upstreamModel: string | null, share: number | null, condition: Condition,
 * }} Target share: its part of the load, from 0 to 1; null: asked only when others have failed
 */

/** @type {Readonly<Record<import('./types.js').KeyState, Condition>>} */
const CONDITIONS = {
  ok: { kind: 'ok', word: 'Working', isUsable: true },
  slow: { kind: 'warn', word: 'Slow', isUsable: true },
  failing: { kind: 'bad', word: 'Failing', isUsable: false },
  resting: { kind: 'warn', word: 'Resting', isUsable: false },
  untested: { kind: 'off', word: 'Not used lately', isUsable: true },
  refused: { kind: 'bad', word: 'Refused', isUsable: false },
  unreadable: { kind: 'bad', word: 'Unreadable', isUsable: false },
};
/** @type {Condition} */
const OFF = { kind: 'off', word: 'Off', isUsable: false };
/** @type {Condition} */
export const KEY_MISSING = { kind: 'warn', word: 'Key missing', isUsable: false };
/** @type {Condition} */
const KEYS_OFF = { kind: 'warn', word: 'Keys off', isUsable: false };
/** @type {Condition} */
const PROVIDER_MISSING = { kind: 'bad', word: 'No provider', isUsable: false };

/**
 * @param {import('./types.js').KeyState} state
 * @param {string | null} [restingUntil]
 * @returns {Condition}
 */
function conditionOf(state, restingUntil = null) {
  const condition = CONDITIONS[state] ?? CONDITIONS.untested;
  return state === 'resting' ? { ...condition, restingUntil } : condition;
}

/**
 * @param {import('./types.js').ProviderKey} key
 * @returns {Condition}
 */
export function keyCondition(key) {
  return key.enabled ? conditionOf(key.state, key.restingUntil) : OFF;
}

/**
 * @param {Provider} provider
 * @returns {Condition}
 */
export function providerCondition({ enabled, apiKeys, baseUrl, health }) {
  if (!enabled) return OFF;
  const condition = conditionOf(health.state, health.restingUntil);
  // A provider that answers without a key shows that it needs none.
  if (apiKeys.length === 0) return needsKey(baseUrl) && !isAnswering(health.state) ? KEY_MISSING : condition;
  const usedKeys = apiKeys.filter((key) => key.enabled);
  if (usedKeys.length === 0) return KEYS_OFF;
  return usedKeys.every((key) => key.state === 'unreadable') ? CONDITIONS.unreadable : condition;
}

/** @type {Readonly<Record<Kind, number>>} */
const SEVERITY = { bad: 0, warn: 1, ok: 2, off: 3 };

/**
 * For sorting: what needs attention comes first.
 * @param {Condition} condition
 */
export function severity({ kind }) {
  return SEVERITY[kind];
}

/** @param {import('./types.js').Health['state']} state */
function isAnswering(state) {
  return state === 'ok' || state === 'slow';
}

/**
 * How many keys may be used now.
 * @param {Provider} provider
 */
export function countReadyKeys({ apiKeys }) {
  return apiKeys.filter((key) => keyCondition(key).isUsable || (key.enabled && key.state === 'failing'))
    .length;
}

/** The ports of Ollama, LM Studio and vLLM: such a server needs no key, wherever it is. */
const KEYLESS_PORTS = new Set(['11434', '1234', '8000']);
const LOCAL_NAME = /^[^.:]+$|\.(localhost|local|internal|lan|home|home\.arpa|test)$/;
const LOCAL_IPV4 =
  /^(0|10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const LOCAL_IPV6 = /^\[(::1?\]|f[cd]|fe[89ab]|::ffff:)/;

/**
 * Whether requests to an address are refused without a key: a guess from the host. Public services need one, servers on
 * the own machine or network do not.
 * @param {string} baseUrl
 */
export function needsKey(baseUrl) {
  if (!URL.canParse(baseUrl)) return false;
  const { hostname, port } = new URL(baseUrl);
  const isLocal = [LOCAL_NAME, LOCAL_IPV4, LOCAL_IPV6].some((pattern) => pattern.test(hostname));
  return hostname !== '' && !isLocal && !KEYLESS_PORTS.has(port);
}

/**
 * The targets of a model: those that share the load first, then the fallbacks in their order.
 * @param {Model} model
 * @param {ReadonlyMap<string, Provider>} providers
 * @returns {Target[]}
 */
export function targetsOf(model, providers) {
  const first = { ...model, weight: model.weight ?? 1 };
  const group = [first, ...model.fallbacks.filter((one) => one.weight !== null)];
  const total = group.reduce((sum, one) => sum + (one.weight ?? 0), 0);
  return [...group, ...model.fallbacks.filter((one) => one.weight === null)].map((one) => {
    const provider = providers.get(one.providerId);
    return {
      provider,
      name: provider?.name ?? one.providerId,
      upstreamModel: one.upstreamModel,
      share: one.weight === null ? null : one.weight / total,
      condition: provider === undefined ? PROVIDER_MISSING : providerCondition(provider),
    };
  });
}

/**
 * The state of a model: that of the first target that is expected to answer.
 * @param {Model} model
 * @param {readonly Target[]} targets from `targetsOf`
 * @returns {Condition & { detail: string }} detail: which targets do not answer; empty when all do
 */
export function modelCondition(model, targets) {
  if (!model.enabled) return { ...OFF, detail: '' };
  const usable = targets.find((target) => target.condition.isUsable);
  const failed = targets.filter((target) => !target.condition.isUsable);
  const detail = failed.map((target) => `${target.name}: ${target.condition.word}`).join(', ');
  if (usable === undefined) return { ...targets[0].condition, detail: targets.length > 1 ? detail : '' };
  if (usable.share !== null) return { ...usable.condition, detail };
  return { kind: 'warn', word: 'On fallback', isUsable: true, detail };
}

/**
 * Seconds until a rest is over, rounded up; 0 when it is over or when its end is not known.
 * @param {string | null | undefined} restingUntil
 * @param {number} nowMs
 */
export function restSeconds(restingUntil, nowMs) {
  const seconds = Math.ceil((Date.parse(restingUntil ?? '') - nowMs) / 1000);
  return Number.isNaN(seconds) ? 0 : Math.max(seconds, 0);
}
