import { api } from '../lib/api.js';
import { readSse } from '../lib/sse-client.js';

const PAUSES_MS = [1000, 2000, 5000, 10_000];

/**
 * Follows the requests of everybody as they end, until the signal ends it. A stream that ends is opened again.
 * @param {{
 *   signal: AbortSignal, onOpen: () => void, onEntry: (entry: import('./traffic-types.js').LoggedRequest) => void,
 *   onEnd: () => void,
 * }} options onOpen: called again after each interruption, in which requests may have been missed
 * @returns {Promise<void>} never rejects
 */
export async function followRequests({ signal, onOpen, onEntry, onEnd }) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const response = await api.raw('/api/admin/requests/live', { signal, keepSession: true });
      if (response.ok && response.body !== null) {
        failures = 0;
        onOpen();
        for await (const { event, data } of readSse(response.body))
          if (event === 'request' && !signal.aborted) onEntry(JSON.parse(data));
      } else await response.body?.cancel();
    } catch {
      // Aborted, or the connection broke: tried again below.
    }
    if (signal.aborted) return;
    onEnd();
    await pause(PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)], signal);
  }
}

/**
 * Waits; ends early when the server is back, or the view is closed.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = new AbortController();
    const end = () => {
      clearTimeout(timer);
      done.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { signal: done.signal });
    addEventListener('server-back', end, { signal: done.signal });
  });
}
