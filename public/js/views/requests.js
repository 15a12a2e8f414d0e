import { emptyState } from '../lib/states.js';

/**
 * The Requests tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} _context
 */
export function mountRequests(container, _context) {
  container.append(
    emptyState(
      'requests',
      'No requests yet',
      'Send one with a key, and it appears here as soon as it is answered.',
    ),
  );
}
