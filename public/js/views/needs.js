/**
 * What needs the owner of the server, the most urgent first. No DOM.
 *
 * @typedef {{ label: string, tab: string, intent?: string, params?: Record<string, string> }} NeedAction
 * @typedef {{ id: string, kind: 'bad' | 'warn' | 'info', title: string, text: string, action: NeedAction }} Need
 */
import { allBudgets, paceText } from '../lib/budget-pace.js';
import { day, plural } from '../lib/format.js';
import { KEY_MISSING, providerCondition } from '../lib/health.js';
import { errorLine } from '../lib/state-mark.js';

/**
 * @import { Model, Provider, Status } from '../lib/types.js'
 * @import { BudgetOwner } from '../lib/budget-pace.js'
 */

const STALE_MS = 90 * 86_400_000;
const ORDER = { bad: 0, warn: 1, info: 2 };

/**
 * @typedef {{
 *   status: Status, providers: readonly Provider[], models: readonly Model[],
 *   keys: readonly BudgetOwner[], users: readonly BudgetOwner[],
 *   unpriced: ReadonlyMap<string, number>, span: string, pricesAsOf: string | null,
 * }} NeedsInput
 *   unpriced: requests without a price by model, in the span that `span` names
 */

/**
 * @param {NeedsInput} input
 * @param {number} nowMs
 * @returns {Need[]}
 */
export function findNeeds(input, nowMs) {
  const needs = [
    ...input.status.warnings.map((warning) => warningNeed(warning, input.status)),
    ...input.providers.flatMap((provider) => providerNeeds(provider, input.models)),
    ...budgetNeeds(input, nowMs),
    ...unpricedNeeds(input),
    ...staleNeeds(input, nowMs),
    ...snapshotNeeds(input.status),
  ];
  return needs.sort((a, b) => ORDER[a.kind] - ORDER[b.kind]);
}

/**
 * What is left for the time after the setup of a new server: without the password and the keys, which its steps ask for. What
 * works as it is is not a warning yet.
 * @param {readonly Need[]} needs
 * @returns {Need[]}
 */
export function afterSetup(needs) {
  return needs
    .filter(({ action }) => action.intent !== 'password' && action.label !== ADD_KEY)
    .map((need) => (need.kind === 'warn' && !URGENT.has(need.id) ? { ...need, kind: 'info' } : need));
}

/** What one should know before work is put into a setup. */
const URGENT = new Set(['warning:storage_volatile', 'warning:unreadable_provider_keys']);
const ADD_KEY = 'Add key';

/** Warnings of which more depends than the next restart. */
const SEVERE = new Set(['default_password', 'storage_failing', 'storage_read_only', 'usage_not_written']);

/** @type {Record<string, NeedAction>} */
const WARNING_ACTIONS = {
  default_password: { label: 'Set a password', tab: 'settings', intent: 'password' },
  storage_volatile: { label: 'Download a backup', tab: 'settings' },
  unreadable_provider_keys: { label: 'Enter the keys', tab: 'providers' },
};

/** For warnings whose first sentence is too long for a title. @type {Record<string, string>} */
const TITLES = {
  storage_volatile: 'The configuration will be lost',
  usage_damaged: 'Files of the usage were damaged',
  usage_not_written: 'The usage cannot be written',
  unreadable_provider_keys: 'Provider keys cannot be decrypted',
  unreadable_webhook_secret: 'Alerts cannot be signed',
  plaintext_copies: 'Old copies hold secrets in clear text',
  keys_not_encrypted: 'Provider keys are not encrypted',
  small_inflight_limit: 'MAX_INFLIGHT_MB is too small',
};

/**
 * Without a title of its own, the first sentence of a warning is its title.
 * @param {{ code: string, message: string }} warning
 * @param {Status} status
 * @returns {Need}
 */
function warningNeed({ code, message }, { adminPassword }) {
  const [, first = message, rest = ''] = /^(.+?)[.:] +(.+)$/s.exec(message) ?? [];
  const known = TITLES[code];
  const isByEnvironment = code === 'default_password' && adminPassword.isManagedByEnvironment;
  const action = isByEnvironment ? undefined : WARNING_ACTIONS[code];
  return {
    id: `warning:${code}`,
    kind: SEVERE.has(code) ? 'bad' : 'warn',
    title: known ?? first.replace(/\.$/, ''),
    text: known === undefined ? rest : message,
    action: action ?? { label: 'See the server', tab: 'settings' },
  };
}

/**
 * @param {Provider} provider
 * @param {readonly Model[]} models
 * @returns {Need[]}
 */
function providerNeeds(provider, models) {
  const { id, name, health } = provider;
  const condition = providerCondition(provider);
  /** @param {Need['kind']} kind @param {string} title @param {string} text @param {string} label @returns {Need} */
  const need = (kind, title, text, label) => ({
    id: `provider:${id}`,
    kind,
    title,
    text,
    action: { label, tab: 'providers', params: { open: id } },
  });
  if (condition === KEY_MISSING)
    return [need('warn', `${name} has no key`, withoutKeyText(id, models), ADD_KEY)];
  if (!provider.enabled) return [];
  const refused = provider.apiKeys.filter((key) => key.enabled && key.state === 'refused');
  if (refused.length > 0) {
    const said = refused[0].lastError === null ? '' : `It said: ${errorLine(refused[0].lastError)}`;
    const isAll = refused.length === provider.apiKeys.filter((key) => key.enabled).length;
    const title =
      refused.length === 1
        ? `${name} refuses ${isAll ? 'its' : 'a'} key`
        : `${name} refuses ${refused.length} keys`;
    return [need(isAll ? 'bad' : 'warn', title, said, 'Replace key')];
  }
  if (condition.kind !== 'bad' || condition.word === 'Unreadable') return [];
  const said = health.lastError === null ? '' : errorLine(health.lastError);
  const since = health.since === null ? '' : ` since ${clockOrDay(health.since)}`;
  return [need('bad', `${name} is failing${since}`, said, 'See why')];
}

/**
 * @param {string} id
 * @param {readonly Model[]} models
 */
function withoutKeyText(id, models) {
  const count = models.filter((model) => model.enabled && model.providerId === id).length;
  if (count === 0) return 'Its requests would be refused.';
  return `${plural(count, 'model')} cannot be used at this provider.`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** @param {string} iso */
function clockOrDay(iso) {
  const isOld = Date.now() - Date.parse(iso) > 20 * 3_600_000;
  return isOld ? day(iso) : clock.format(new Date(iso));
}

/**
 * @param {{ keys: readonly BudgetOwner[], users: readonly BudgetOwner[] }} owners
 * @param {number} nowMs
 * @returns {Need[]}
 */
function budgetNeeds(owners, nowMs) {
  const used = allBudgets(owners, nowMs).filter(({ budget }) => budget.kind !== 'ok');
  return used.map(({ id, name, tab, budget }) => {
    const { used: amount, limit, format, usage, kind } = budget;
    const isSpent = kind === 'bad';
    const sum = `${format(amount)} of ${format(limit)}`;
    const again =
      usage.resetsAt === null
        ? 'It does not start again by itself.'
        : `It starts again on ${day(usage.resetsAt)}.`;
    const pace = paceText(budget);
    const share = Math.floor(budget.share * 100);
    return {
      id: `budget:${tab}:${id}`,
      kind: isSpent ? 'bad' : 'warn',
      title: isSpent ? `${name} is out of budget` : `${name} is at ${share}\u202f% of its budget`,
      text: isSpent ? `${sum} used. ${again}` : `${sum}.${pace && ` ${pace}.`}`,
      action: { label: isSpent ? 'Give more' : 'See limits', tab, params: { open: id } },
    };
  });
}

/** How many are named one by one. */
const NAMED_MODELS = 3;

/**
 * @param {NeedsInput} input
 * @returns {Need[]}
 */
function unpricedNeeds({ unpriced, span, models }) {
  const found = [...unpriced].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  const known = new Set(models.map(({ id }) => id));
  const missing = (/** @type {number} */ count) =>
    `${plural(count, 'request')} in the ${span} ${count === 1 ? 'is' : 'are'} missing from the spend.`;
  /** @param {string | null} id @param {string} title @param {number} count @returns {Need} */
  const need = (id, title, count) => ({
    id: `price:${id ?? ''}`,
    kind: 'warn',
    title,
    text: missing(count),
    action: {
      label: id === null ? 'Set prices' : 'Set price',
      tab: 'models',
      ...(id !== null && known.has(id) && { params: { open: id } }),
    },
  });
  const rest = found.slice(NAMED_MODELS);
  const restCount = rest.reduce((sum, [, count]) => sum + count, 0);
  return [
    ...found.slice(0, NAMED_MODELS).map(([id, count]) => need(id, `${id} has no price`, count)),
    ...(rest.length > 0
      ? [need(null, `${plural(rest.length, 'more model')} without a price`, restCount)]
      : []),
  ];
}

/**
 * @param {NeedsInput} input
 * @param {number} nowMs
 * @returns {Need[]}
 */
function staleNeeds({ pricesAsOf, models }, nowMs) {
  if (pricesAsOf === null || nowMs - Date.parse(pricesAsOf) < STALE_MS) return [];
  const count = models.filter((model) => model.enabled && model.effectivePrice?.source === 'list').length;
  if (count === 0) return [];
  return [
    {
      id: 'prices',
      kind: 'warn',
      title: `Prices are from ${day(pricesAsOf)}`,
      text: `${plural(count, 'model')} ${count === 1 ? 'uses' : 'use'} the list that came with this version. Check ${count === 1 ? 'its price' : 'their prices'}.`,
      action: { label: 'Check prices', tab: 'models' },
    },
  ];
}

/**
 * @param {Status} status
 * @returns {Need[]}
 */
function snapshotNeeds({ snapshot }) {
  if (snapshot !== null) return [];
  return [
    {
      id: 'snapshot',
      kind: 'info',
      title: 'No copy is kept off this machine',
      text: 'Set SNAPSHOT_URL and SNAPSHOT_KEY, or download a backup now and then.',
      action: { label: 'Back up', tab: 'settings' },
    },
  ];
}
