import type { Timers } from '../../src/offsite/schedule.ts';

/** Timers whose time passes when the test says so. */
export class FakeTimers implements Timers {
  nowMs = Date.parse('2026-03-01T12:00:00.000Z');
  readonly #waiting = new Map<object, { readonly dueMs: number; readonly callback: () => void }>();

  readonly now = (): number => this.nowMs;

  set(callback: () => void, delayMs: number): unknown {
    const handle = {};
    this.#waiting.set(handle, { dueMs: this.nowMs + delayMs, callback });
    return handle;
  }

  clear(handle: unknown): void {
    this.#waiting.delete(handle as object);
  }

  /** How long until each waiting call, soonest first. */
  get delaysMs(): number[] {
    return [...this.#waiting.values()]
      .map(({ dueMs }) => dueMs - this.nowMs)
      .sort((one, other) => one - other);
  }

  /** Lets time pass, and calls what is due on the way. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= endMs);
      const [next] = due.sort(([, one], [, other]) => one.dueMs - other.dueMs);
      if (next === undefined) break;
      this.#waiting.delete(next[0]);
      this.nowMs = next[1].dueMs;
      next[1].callback();
    }
    this.nowMs = endMs;
  }
}
