import { backOffMs, type Timers } from './timers.ts';

/** What came of a run: `retry` and `retry-late` ask for another one, `stop` for none ever again. */
export type RunOutcome = 'done' | 'retry' | 'retry-late' | 'stop';

export interface ScheduleOptions {
  /** Writes the newest state; must not reject. */
  readonly run: () => Promise<RunOutcome>;
  readonly timers: Timers;
  /** The current time in milliseconds. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** After a change the next ones are waited for, so that they go out together. */
export const DEBOUNCE_MS = 2_000;
/** No change waits longer, however many follow it. */
export const LATEST_MS = 30_000;
/** Without a change it is looked from time to time whether small things (when a key was last used) have piled up. */
export const IDLE_MS = 10 * 60_000;
const RETRY = { firstMs: 5_000, mostMs: 5 * 60_000 };
const LATE_RETRY = { firstMs: 60_000, mostMs: 10 * 60_000 };

/** Decides when to write: one run at a time, each with the newest state. */
export class Schedule {
  readonly #options: ScheduleOptions;
  #timer: unknown = null;
  /** When the oldest change came that no run has taken up yet. */
  #changedAtMs: number | null = null;
  #running: Promise<void> | null = null;
  #failures = 0;
  #isStopped = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** A change was made. While the last run's failure is waited out, it goes out with the next try. */
  changed(): void {
    this.#changedAtMs ??= this.#options.now();
    if (this.#running === null && this.#failures === 0) this.#arm(this.#debounceMs());
  }

  /** Runs at once, or after the run that is going on; resolves when it is over. */
  async runNow(): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (!this.#isStopped) await this.#run();
  }

  /** Nothing runs any more by itself. Resolves when nothing runs. */
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
    this.#running = this.#options.run().then((outcome) => {
      this.#running = null;
      this.#settle(outcome);
    });
    return this.#running;
  }

  #settle(outcome: RunOutcome): void {
    if (outcome === 'stop') {
      this.#isStopped = true;
      return;
    }
    if (outcome === 'done') {
      this.#failures = 0;
      this.#arm(this.#changedAtMs === null ? IDLE_MS : this.#debounceMs());
      return;
    }
    this.#failures += 1;
    const backOff = outcome === 'retry' ? RETRY : LATE_RETRY;
    this.#arm(backOffMs(this.#failures, backOff, this.#options.random()));
  }
}
