import { api } from './api.js';
import { h } from './h.js';

/** @type {HTMLElement | null} */
let banner = null;
const PAUSES_MS = [1000, 2000, 3000, 5000];

/**
 * Shows a banner while the server does not answer (during a restart, without a network). When the server is back,
 * `server-back` is dispatched on the window, and views load their data again.
 */
export function watchConnection() {
  addEventListener('server-unreachable', () => {
    if (banner !== null) return;
    banner = h(
      'div',
      { class: 'banner', role: 'status' },
      h('span', { class: 'spin' }),
      'The server does not answer. Trying again …',
    );
    document.body.append(banner);
    void waitForServer();
  });
}

async function waitForServer() {
  for (let attempt = 0; ; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]));
    const response = await api.raw('/health').catch(() => null);
    if (response?.ok) break;
  }
  banner?.remove();
  banner = null;
  dispatchEvent(new Event('server-back'));
}
