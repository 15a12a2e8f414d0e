import { api, messageOf } from '../lib/api.js';
import { h } from '../lib/h.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { cacheList, loadList } from '../lib/resource.js';
import { createSegmented } from '../lib/segmented.js';
import { serverNow } from '../lib/server-clock.js';
import { failed } from '../lib/states.js';
import { loadStyles } from '../lib/styles.js';
import { RANGES, rangeSpan } from '../lib/traffic-span.js';
import { hashOf } from '../lib/url-state.js';
import { createBudgetsCard } from './budgets-card.js';
import { isNewServer } from './first-run-facts.js';
import { addressLine, showConnect, usableModels } from './first-steps.js';
import { createLatestRequests } from './latest-requests.js';
import { followRequests } from './live-requests.js';
import { findNeeds } from './needs.js';
import { createNeedsCard, placeLink } from './needs-card.js';
import { bones, showLive, unpricedByModel, wholePage } from './overview-parts.js';
import { createProviderStrips, loadProviderHours } from './provider-strips.js';
import { createTraffic } from './traffic.js';
import { SERVER_METRICS } from './traffic-figures.js';

/**
 * @import { ViewContext } from '../pages/admin.js'
 * @import { Traffic } from './traffic.js'
 * @typedef {{
 *   status: import('../lib/types.js').Status, providers: import('../lib/types.js').Provider[],
 *   models: import('../lib/types.js').Model[], keys: any[], users: any[],
 *   requests: import('./traffic-types.js').LoggedRequest[], hours: import('./provider-strips.js').ProviderHours,
 *   pricesAsOf: string | null, traffic: Traffic,
 * }} OverviewState
 */

const LATEST = 6;
const EVERY_MS = 20_000;
/** After a request has ended, its figures are loaded this soon, together with those of requests that follow. */
const FOLLOW_MS = 2500;

/** Whether the setup was left for the Overview, until the page is closed. */
let isSetupLeft = false;

/**
 * The Overview tab: the traffic, what needs the owner, the providers, the budgets and the latest requests. Before the first
 * answer: the setup in five steps.
 * @param {HTMLElement} container
 * @param {ViewContext} context
 */
export function mountOverview(container, context) {
  const { signal, url, navigate } = context;
  /** @type {OverviewState | null} */
  let state = null;
  let reads = 0;
  let timer = 0;
  /** The list of prices changes with the version alone. @type {string | null} */
  let pricesAsOf = null;
  const range = createSegmented({
    label: 'Time range',
    choices: RANGES,
    value: url.get('range') ?? '24h',
    onChange: (value) => url.set({ range: value === '24h' ? null : value }),
  });
  const connect = h(
    'button',
    { type: 'button', class: 'btn', onclick: () => showConnect(state === null ? [] : usableModels(state)) },
    'Connect a client',
  );
  const traffic = createTraffic({
    path: '/api/admin/usage',
    metrics: SERVER_METRICS,
    signal,
    actions: () => [placeLink('Open usage', { tab: 'usage' }, navigate)],
    onOpen: ({ fromMs, toMs, models }) =>
      navigate('requests', undefined, {
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        model: models,
      }),
  });
  traffic.element.classList.add('w8');
  const cards = {
    needs: createNeedsCard(context),
    strips: createProviderStrips(context),
    budgets: createBudgetsCard(context),
    latest: createLatestRequests({
      limit: LATEST,
      providerName: (id) => state?.providers.find((one) => one.id === id)?.name || id,
      open: {
        href: ({ id }) => hashOf('requests', { open: id }),
        run: ({ id }) => navigate('requests', undefined, { open: id }),
      },
    }),
  };
  const live = h('span', { class: 'state small muted', role: 'status' });
  /** The setup, which only a new server needs. @type {ReturnType<typeof import('./first-run.js').createFirstRun> | null} */
  let first = null;
  const leave = h(
    'button',
    { type: 'button', class: 'btn quiet', onclick: () => void first?.leave() },
    'Skip the setup',
  );
  const whole = wholePage(traffic.element, cards, live, navigate);
  const host = h('div', null, bones());
  container.append(host);

  /** @param {{ isQuiet?: boolean, known?: OverviewState | null }} [how] known: only its figures are loaded again */
  async function load({ isQuiet = false, known = null } = {}) {
    const read = ++reads;
    try {
      const [records, figures] = await Promise.all([known ?? loadRecords(isQuiet), loadFigures(isQuiet)]);
      const next = { ...records, ...figures };
      if (needsSetup(next)) first ??= await createSetup();
      if (!signal.aborted && read === reads) render(next);
    } catch (error) {
      if (signal.aborted || read !== reads || (isQuiet && state !== null)) return;
      state = null;
      host.replaceChildren(
        h(
          'div',
          { class: 'card pad' },
          failed(messageOf(error), () => load()),
        ),
      );
    }
  }

  /** @param {OverviewState} next */
  function needsSetup({ requests, traffic: { totals } }) {
    return !isSetupLeft && !whole.isConnected && isNewServer(requests, totals.requests);
  }

  async function createSetup() {
    const [{ createFirstRun }] = await Promise.all([import('./first-run.js'), loadStyles('first-run.css')]);
    return createFirstRun({
      username: context.me.username,
      navigate,
      signal,
      reload: () => load({ isQuiet: true }),
      onLeave: leaveSetup,
      below: cards.needs.element,
    });
  }

  /** @param {boolean} isQuiet */
  async function loadRecords(isQuiet) {
    const how = { signal, keepSession: isQuiet };
    const prices = async () => (pricesAsOf ??= (await api.get('/api/admin/prices', how)).asOf);
    const [status, models, keys, users] = await Promise.all([
      api.get('/api/admin/status', how),
      listOf('/api/admin/models', isQuiet),
      listOf('/api/admin/apikeys', isQuiet),
      listOf('/api/admin/users', isQuiet),
      prices().catch(() => null),
    ]);
    return { status, models, keys, users, pricesAsOf };
  }

  /** @param {boolean} isQuiet */
  async function loadFigures(isQuiet) {
    const how = { signal, keepSession: isQuiet };
    const span = rangeSpan(url.get('range'), serverNow(), -new Date().getTimezoneOffset());
    const [providers, requests, hours, figures] = await Promise.all([
      listOf('/api/admin/providers', isQuiet),
      api.get(`/api/admin/requests?limit=${LATEST}`, how),
      loadProviderHours(signal, { isQuiet }),
      traffic.load(span, { isQuiet }),
    ]);
    return { providers, requests: requests.data, hours, traffic: figures };
  }

  /** @param {OverviewState} next */
  function render(next) {
    state = next;
    // The first answer is read before the Overview takes its place.
    const isSettingUp = needsSetup(next) || (!isSetupLeft && first?.element.isConnected === true);
    const needs = { ...next, unpriced: unpricedByModel(next.traffic), span: next.traffic.span.name };
    cards.needs.update(findNeeds(needs, serverNow()), { isSettingUp });
    if (first !== null && isSettingUp) {
      first.update(next);
      leave.hidden = !needsSetup(next);
      if (first.element.isConnected) return;
      context.head.set(leave);
      host.replaceChildren(first.element);
      return;
    }
    if (!whole.isConnected) {
      context.head.set(addressLine(), connect, range.element);
      host.replaceChildren(whole);
    }
    const slot = whole.querySelector('.needs-slot');
    if (slot !== null) slot.replaceWith(cards.needs.element);
    traffic.show(next.traffic);
    cards.strips.update(next.providers, next.hours, next.traffic.span.zone);
    cards.budgets.update(next);
    cards.latest.show(next.requests);
  }

  function leaveSetup() {
    isSetupLeft = true;
    // The pressed button disappears with the setup.
    document.getElementById('main')?.focus({ preventScroll: true });
    if (state !== null) render(state);
  }

  /** Loads everything a little later, once for many requests. */
  function loadSoon() {
    if (timer !== 0) return;
    const isFirst = state !== null && !whole.isConnected;
    timer = setTimeout(
      () => {
        timer = 0;
        // During the setup the records change too.
        if (!document.hidden) void load({ isQuiet: true, known: whole.isConnected ? state : null });
      },
      isFirst ? 0 : FOLLOW_MS,
    );
  }

  url.onChange(() => {
    range.set(url.get('range') ?? '24h');
    void load();
  });
  addEventListener('server-back', () => void load(), { signal });
  signal.addEventListener('abort', () => clearTimeout(timer));
  void load().then(() => refreshWhileVisible(() => load({ isQuiet: true }), signal, EVERY_MS));
  void followRequests({
    signal,
    onOpen: () => showLive(live, true),
    onEnd: () => showLive(live, false),
    onEntry: (entry) => {
      cards.latest.add(entry);
      first?.addEntry(entry);
      loadSoon();
    },
  });
}

/**
 * Loads a list; quietly, without a question to sign in.
 * @param {string} path
 * @param {boolean} isQuiet
 * @returns {Promise<any[]>}
 */
async function listOf(path, isQuiet) {
  if (!isQuiet) return loadList(path);
  const { data } = await api.get(path, { keepSession: true });
  cacheList(path, data);
  return data;
}
