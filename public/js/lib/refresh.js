/** After so long without any input nobody is watching, and requests would only keep the session alive. */
const WATCHED_MS = 15 * 60_000;
const EVERY_MS = 10_000;

let lastInputMs = Date.now();
for (const type of ['pointermove', 'pointerdown', 'keydown', 'focus', 'wheel'])
  addEventListener(type, () => (lastInputMs = Date.now()), { passive: true });

/**
 * Runs work every ten seconds (or `everyMs`), and when a rest ends (`rest-over`), while the page is visible and somebody is there. A run
 * that takes longer delays the next one.
 * @param {() => Promise<unknown>} work must not reject
 * @param {AbortSignal} signal ends it
 * @param {number} [everyMs]
 */
export function refreshWhileVisible(work, signal, everyMs = EVERY_MS) {
  let isRunning = false;
  let lastRunMs = Date.now();
  async function run() {
    if (isRunning || document.hidden || Date.now() - lastInputMs > WATCHED_MS) return;
    isRunning = true;
    await work();
    lastRunMs = Date.now();
    isRunning = false;
  }
  const timer = setInterval(() => void run(), everyMs);
  signal.addEventListener('abort', () => clearInterval(timer));
  addEventListener('rest-over', () => void run(), { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      if (Date.now() - lastRunMs > everyMs) void run();
    },
    { signal },
  );
}
