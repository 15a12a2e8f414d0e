import { api } from '../lib/api.js';
import { h } from '../lib/h.js';
import { serverNow } from '../lib/server-clock.js';
import { emptyState } from '../lib/states.js';
import { loadStyles } from '../lib/styles.js';
import { periodSpan } from '../lib/traffic-span.js';
import { hashOf } from '../lib/url-state.js';
import { createLatestRequests } from './latest-requests.js';
import { ownBudget } from './own-budget.js';
import { createTraffic } from './traffic.js';
import { OWN_METRICS } from './traffic-figures.js';

/** @typedef {Pick<import('../pages/admin.js').ViewContext, 'signal' | 'url' | 'drawer'>} OwnContext */
/** @typedef {import('../lib/types.js').UserMe & { limits: import('../lib/types.js').Limits | null, usage: import('../lib/types.js').PeriodUsage }} UserWithUsage */

const LATEST = 8;

/**
 * What a user has used in the running period of the budget: what is left, the course of it, and the latest requests, one of
 * which stands in the drawer if the address names it.
 * @param {OwnContext} context
 */
export function createOwnUsage(context) {
  const { signal, url } = context;
  const traffic = createTraffic({ path: '/api/user/usage', metrics: OWN_METRICS, signal, heightPx: 200 });
  const latest = createLatestRequests({
    limit: LATEST,
    open: { href: ({ id }) => hashOf('', { open: id }), run: ({ id }) => url.set({ open: id }) },
  });
  /** @type {{ follow: () => Promise<void> } | null} */
  let requestDrawer = null;
  async function followAddress() {
    if (requestDrawer === null && url.get('open') === null) return;
    requestDrawer ??= await createOwnDrawer(context, latest);
    await requestDrawer.follow();
  }
  url.onChange(() => void followAddress());
  const budget = h('section', { class: 'card w4', 'aria-labelledby': 'left' });
  const none = noRequests();
  const course = h('div', { class: 'w8 fill-card' }, none);
  const requests = h(
    'section',
    { class: 'card w12', 'aria-labelledby': 'latest', hidden: true },
    h('div', { class: 'card-head' }, h('h2', { id: 'latest' }, 'Your latest requests')),
    latest.element,
  );
  return {
    budget,
    course,
    requests,
    /**
     * Loads everything. `isQuiet`: without a question to sign in.
     * @param {{ isQuiet?: boolean }} [how]
     * @returns {Promise<void>}
     * @throws {import('../lib/api.js').ApiError}
     */
    async load({ isQuiet = false } = {}) {
      const how = { signal, keepSession: isQuiet };
      /** @type {UserWithUsage} */
      const me = await api.get('/api/user/me', how);
      const zone = -new Date().getTimezoneOffset();
      const [figures, { data }] = await Promise.all([
        traffic.load(periodSpan(me.usage, serverNow(), zone), { isQuiet }),
        api.get(`/api/user/requests?limit=${LATEST}`, how),
      ]);
      budget.replaceChildren(...ownBudget(me));
      requests.hidden = data.length === 0;
      latest.show(data);
      const hasTraffic = figures.totals.requests > 0 || data.length > 0;
      const content = hasTraffic ? traffic.element : none;
      if (!course.contains(content)) course.replaceChildren(content);
      traffic.show(figures);
    },
    followAddress,
  };
}

/**
 * The drawer with one request; loaded when the first is opened.
 * @param {OwnContext} context
 * @param {ReturnType<typeof createLatestRequests>} latest
 */
async function createOwnDrawer(context, latest) {
  const [{ createRequestDrawer }, { OWN_NAMES }] = await Promise.all([
    import('./request-drawer.js'),
    import('./traffic-names.js'),
    loadStyles('traffic.css'),
  ]);
  const indexOf = (/** @type {string} */ id) => latest.entries().findIndex((entry) => entry.id === id);
  return createRequestDrawer({
    context,
    path: '/api/user/requests',
    list: {
      select: () => {},
      get: (id) =>
        /** @type {import('./traffic-types.js').LoggedRequest[]} */ (latest.entries())[indexOf(id)] ?? null,
      linkOf: latest.linkOf,
      neighbour: (id, step) => (indexOf(id) < 0 ? null : (latest.entries()[indexOf(id) + step]?.id ?? null)),
    },
    show: { names: OWN_NAMES, tab: '', isOwn: true },
  });
}

function noRequests() {
  return h(
    'section',
    { class: 'card' },
    emptyState('usage', 'No requests yet', 'Send one with a key or in the chat, and see here what it used.'),
  );
}
