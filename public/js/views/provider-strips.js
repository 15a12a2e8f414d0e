import { statusStrip } from '../charts/status-strip.js';
import { api } from '../lib/api.js';
import { plural, shortAge } from '../lib/format.js';
import { h } from '../lib/h.js';
import { KEY_MISSING, providerCondition, severity } from '../lib/health.js';
import { patchChildren } from '../lib/patch.js';
import { serverNow } from '../lib/server-clock.js';
import { stateMark } from '../lib/state-mark.js';
import { placeLink } from './needs-card.js';
import { evidenceOf } from './provider-state.js';

/** @typedef {import('../lib/types.js').Provider} Provider */
/** @typedef {import('../charts/status-strip.js').StripHour & { costUsd: number | null }} ProviderHour */
/** @typedef {Map<string, ProviderHour[]>} ProviderHours by the provider's id */

const HOUR_MS = 3_600_000;
/** As the server judges it (`src/gateway/evidence.ts`). */
const SLOW_MS = 10_000;
const SHOWN = 8;

/**
 * The card with the state of the providers and their last 24 hours.
 * @param {{ navigate: import('../pages/admin.js').Navigate }} context
 */
export function createProviderStrips({ navigate }) {
  const list = h('ul', { class: 'lines' });
  const all = h('span', { class: 'push' });
  const none = h('p', { class: 'card-body muted' }, 'No provider is switched on.');
  const element = h(
    'section',
    { class: 'card w6', 'aria-labelledby': 'strips' },
    h('div', { class: 'card-head' }, h('h2', { id: 'strips' }, 'Providers, last 24 hours'), all),
    list,
    none,
  );
  return {
    element,
    /**
     * @param {readonly Provider[]} providers
     * @param {ProviderHours} hours
     * @param {number} zone
     */
    update(providers, hours, zone) {
      const used = providers
        .filter((one) => one.enabled)
        .map((one) => ({ one, condition: providerCondition(one) }));
      const shown = used.sort((a, b) => severity(a.condition) - severity(b.condition)).slice(0, SHOWN);
      const label =
        providers.length > shown.length ? `All ${plural(providers.length, 'provider')}` : 'Open providers';
      patchChildren(all, [placeLink(label, { tab: 'providers' }, navigate)]);
      none.hidden = used.length > 0;
      patchChildren(
        list,
        shown.map(({ one, condition }) => line(one, condition, hours.get(one.id) ?? [], { zone, navigate })),
      );
    },
  };
}

/**
 * @param {Provider} provider
 * @param {import('../lib/health.js').Condition} condition
 * @param {import('../charts/status-strip.js').StripHour[]} hours
 * @param {{ zone: number, navigate: import('../pages/admin.js').Navigate }} options
 */
function line(provider, condition, hours, { zone, navigate }) {
  const name = provider.name || provider.id;
  const link = placeLink(name, { tab: 'providers', params: { open: provider.id } }, navigate);
  link.className = 'plain-link medium truncate';
  link.title = name;
  const evidence = condition === KEY_MISSING ? '' : shortEvidence(provider);
  // States begin anew with the server, the hours do not.
  const isOlder = provider.health.state === 'untested' && hours.some(({ requests }) => requests > 0);
  return h(
    'li',
    { 'data-act': `provider:${provider.id}` },
    h('span', { class: 'health-name truncate' }, link),
    h('span', { class: 'from-tablet strip-box' }, statusStrip({ name, hours, nowMs: serverNow(), zone })),
    h(
      'span',
      { class: 'row health-word small' },
      stateMark(
        isOlder && condition.kind === 'off' ? { ...condition, word: 'Idle since the start' } : condition,
      ),
      evidence && h('span', { class: 'muted truncate more-words', title: evidence }, `· ${evidence}`),
    ),
  );
}

/** @param {Provider} provider */
function shortEvidence(provider) {
  const { state, lastSuccessAt, since } = provider.health;
  if (state === 'ok') return lastSuccessAt === null ? '' : shortAge(lastSuccessAt);
  if (state === 'failing' && since !== null) return `since ${shortAge(since).replace(/ ago$/, '')}`;
  return evidenceOf(provider);
}

/**
 * What became of the requests of each provider in each of the last 24 hours.
 * @param {AbortSignal} signal
 * @param {{ isQuiet: boolean }} options
 * @returns {Promise<ProviderHours>}
 */
export async function loadProviderHours(signal, { isQuiet }) {
  const from = new Date(serverNow() - 23 * HOUR_MS).toISOString();
  const query = new URLSearchParams({ from, bucket: 'hour', groupBy: 'provider' });
  const { data } = await api.get(`/api/admin/usage?${query}`, { signal, keepSession: isQuiet });
  /** @type {ProviderHours} */
  const hours = new Map();
  for (const row of data) {
    const hour = {
      startMs: Date.parse(row.time),
      requests: row.requests - row.limited - row.clientErrors,
      failed: row.providerErrors + row.broken,
      isSlow: row.ttftMs.p95 !== null && row.ttftMs.p95 > SLOW_MS,
      costUsd: row.costUsd,
    };
    hours.set(row.provider, [...(hours.get(row.provider) ?? []), hour]);
  }
  return hours;
}
