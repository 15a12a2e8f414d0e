import { emptyState } from '../lib/states.js';

/**
 * The Usage tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} _context
 */
export function mountUsage(container, _context) {
  container.append(
    emptyState(
      'usage',
      'No requests yet',
      'Send one with a key, and it appears here as soon as it is answered.',
    ),
  );
}
