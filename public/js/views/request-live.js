import { raw, toApiError } from '../lib/api.js';
import { readSse } from '../lib/sse-client.js';

/** @import { LoggedRequest } from './traffic-types.js' */

/** At most four times a second. */
const BATCH_MS = 250;
const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 30_000;

/** @typedef {'off' | 'connecting' | 'open'} LiveState */

/**
 * Follows the requests as they end, in batches. When the stream is lost it connects again, and says that something may be missing.
 * @param {{
 *   onBatch: (requests: LoggedRequest[]) => void, onGap: () => void, onState: (state: LiveState) => void,
 * }} options onBatch: the newest first
 */
export function createLiveTail({ onBatch, onGap, onState }) {
  let controller = new AbortController();
  controller.abort();
  /** @type {LoggedRequest[]} */
  let waiting = [];
  let timer = 0;

  function flush() {
    timer = 0;
    const batch = waiting.reverse();
    waiting = [];
    onBatch(batch);
  }

  /**
   * @param {string} path
   * @param {{ signal: AbortSignal, isFirst: boolean }} options
   */
  async function follow(path, { signal, isFirst }) {
    const response = await raw(path, { signal, keepSession: true });
    if (!response.ok || response.body === null) throw await toApiError(response);
    onState('open');
    if (!isFirst) onGap();
    if (signal.aborted) return;
    for await (const { event, data } of readSse(response.body)) {
      if (event !== 'request') continue;
      waiting.push(JSON.parse(data));
      timer ||= setTimeout(flush, BATCH_MS);
    }
  }

  /**
   * @param {string} path
   * @param {AbortSignal} signal
   */
  async function run(path, signal) {
    let waitMs = FIRST_WAIT_MS;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      onState('connecting');
      const startedMs = performance.now();
      try {
        await follow(path, { signal, isFirst });
      } catch {
        // Whatever it was, it is tried again.
      }
      if (signal.aborted) return;
      onState('connecting');
      waitMs =
        performance.now() - startedMs > MOST_WAIT_MS ? FIRST_WAIT_MS : Math.min(MOST_WAIT_MS, waitMs * 2);
      await pause(waitMs, signal);
    }
  }

  function stop() {
    controller.abort();
    clearTimeout(timer);
    timer = 0;
    waiting = [];
    onState('off');
  }

  return {
    /** Follows another path. @param {string} path */
    start(path) {
      stop();
      controller = new AbortController();
      void run(path, controller.signal);
    },
    stop,
  };
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
