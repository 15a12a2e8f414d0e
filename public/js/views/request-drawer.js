import { api } from '../lib/api.js';
import { emptyState } from '../lib/states.js';
import { requestDetails } from './request-details.js';
import { queryOf } from './traffic-filters.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/**
 * Keeps the drawer at the request that the address names.
 * @param {{
 *   context: Pick<import('../pages/admin.js').ViewContext, 'url' | 'drawer' | 'signal'>, path: string,
 *   list: Pick<import('./request-list.js').RequestList, 'select' | 'get' | 'linkOf' | 'neighbour'>,
 *   show: { names: import('./traffic-names.js').Names, tab: string, isOwn?: boolean }, loadOlder?: () => Promise<boolean>,
 * }} options path: of the log at the API; show: as in `requestDetails`; loadOlder: false if there are no older requests
 */
export function createRequestDrawer({ context, path, list, show, loadOlder }) {
  const { url, drawer, signal } = context;

  /** Opens the request in the address, or closes the drawer. */
  async function follow() {
    const id = url.get('open');
    list.select(id);
    if (id === null) {
      drawer.close();
      return;
    }
    const request = list.get(id) ?? (await find(id));
    if (signal.aborted || url.get('open') !== id) return;
    const place = { onClose: () => url.set({ open: null }), opener: () => list.linkOf(id) };
    if (request !== null) {
      drawer.open({ ...requestDetails(request, show), ...place, onMove: (step) => void move(id, step) });
      return;
    }
    const text = 'This request is not in the log any more, or never was.';
    const body = [emptyState('requests', 'Not found', text)];
    drawer.open({ label: `Request ${id}`, title: id, body, ...place });
  }

  /** @param {string} id @returns {Promise<LoggedRequest | null>} */
  async function find(id) {
    try {
      const { data } = await api.get(`${path}?${queryOf({ search: id, limit: 1 })}`);
      return data.find((/** @type {LoggedRequest} */ request) => request.id === id) ?? null;
    } catch {
      return null;
    }
  }

  /**
   * @param {string} id
   * @param {1 | -1} step
   */
  async function move(id, step) {
    let next = list.neighbour(id, step);
    if (next === null && step > 0 && (await loadOlder?.())) next = list.neighbour(id, step);
    if (next !== null) url.set({ open: next }, { replace: true });
  }

  return { follow };
}
