import type { SnapshotResult } from './status.ts';

/** Timers, passed in so that tests need not wait. */
export interface Timers {
  /** Calls back once after a time. Returns the handle for `clear`. */
  set(callback: () => void, delayMs: number): unknown;
  clear(handle: unknown): void;
}

/** Node's timers; they do not keep the process alive. */
export const systemTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Resolves after a time, or as soon as the signal is aborted. */
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
 * How long to wait after so many failures in a row (1 or more): doubles up to `mostMs`, minus a random part of at most
 * half, so that many instances do not come back at the same moment.
 * @param random from 0 to 1
 */
export function backOffMs(failures: number, { firstMs, mostMs }: BackOff, random: number): number {
  const wholeMs = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(wholeMs * (1 - random / 2));
}

export interface ScheduleOptions {
  /** Writes the newest state; must not reject. After a conflict no run follows; other failures are retried. */
  readonly run: () => Promise<SnapshotResult>;
  readonly timers: Timers;
  /** The current time in milliseconds. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** A run waits until no change came for so long, so that changes go out together. */
export const DEBOUNCE_MS = 2_000;
/** No change waits longer, however many follow. */
export const LATEST_MS = 30_000;
/** Without a change a run follows after this time, for what is saved without one (when a key was last used). */
export const IDLE_MS = 10 * 60_000;
const RETRY = {
  unreachable: { firstMs: 5_000, mostMs: 5 * 60_000 },
  refused: { firstMs: 60_000, mostMs: 10 * 60_000 },
};

/** Decides when to write: one run at a time, and each run writes the newest state. */
export class Schedule {
  readonly #options: ScheduleOptions;
  #timer: unknown = null;
  /** When the oldest change came that no run has covered yet. */
  #changedAtMs: number | null = null;
  #running: Promise<void> | null = null;
  #failures = 0;
  #isStopped = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** A change was made. After a failed run the change waits for the next try. */
  changed(): void {
    this.#changedAtMs ??= this.#options.now();
    if (this.#running === null && this.#failures === 0) this.#arm(this.#debounceMs());
  }

  /** Runs at once, or after the current run. Resolves when its own run is over. */
  async runNow(): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (!this.#isStopped) await this.#run();
  }

  /** Ends the schedule. Resolves when no run is left. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#disarm();
    await this.#running;
  }

  #debounceMs(): number {
    const nowMs = this.#options.now();
    const latestMs = (this.#changedAtMs ?? nowMs) + LATEST_MS;
    return Math.max(0, Math.min(DEBOUNCE_MS, latestMs - nowMs));
  }

  #arm(delayMs: number): void {
    this.#disarm();
    if (this.#isStopped) return;
    this.#timer = this.#options.timers.set(() => void this.runNow(), delayMs);
  }

  #disarm(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }

  #run(): Promise<void> {
    this.#disarm();
    this.#changedAtMs = null;
    this.#running = this.#options.run().then((result) => {
      this.#running = null;
      this.#settle(result);
    });
    return this.#running;
  }

  #settle(result: SnapshotResult): void {
    if (result === 'written') {
      this.#failures = 0;
      this.#arm(this.#changedAtMs === null ? IDLE_MS : this.#debounceMs());
    } else if (result === 'unreachable' || result === 'refused') {
      this.#failures += 1;
      this.#arm(backOffMs(this.#failures, RETRY[result], this.#options.random()));
    } else {
      this.#isStopped = true;
    }
  }
}
