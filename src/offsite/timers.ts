/** What waits: handed in, so that a test need not wait for real. */
export interface Timers {
  /** Calls back once after a time; the handle is for `clear`. */
  set(callback: () => void, delayMs: number): unknown;
  clear(handle: unknown): void;
}

/** Real timers; they do not keep the process alive. */
export const systemTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Resolves after a time, or at once when the signal says so. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const handle = timers.set(() => settle(), delayMs);
    const settle = (): void => {
      signal.removeEventListener('abort', settle);
      timers.clear(handle);
      resolve();
    };
    signal.addEventListener('abort', settle);
  });
}

export interface BackOff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * How long to wait after the given number of failures in a row (1 or more): doubling up to a bound, of which a random
 * half is taken off, so that many instances do not come back at once.
 * @param random from 0 to 1
 */
export function backOffMs(failures: number, { firstMs, mostMs }: BackOff, random: number): number {
  const wholeMs = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(wholeMs * (1 - random / 2));
}
