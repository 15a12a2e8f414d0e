import { BoundedMap } from '../bounded-map.ts';
import type { LastUseStore } from '../store/store.ts';

/** How many names are remembered in memory. */
const NAMES = 10_000;

/**
 * Remembers which alerts were sent, so that each is sent once in its period, also after a restart. A crash may forget the last
 * minute.
 */
export class AlertMemory {
  readonly #lastUse: LastUseStore;
  readonly #now: () => number;
  /** The beginning of the period in which each alert was sent last. */
  readonly #sent = new BoundedMap<number>(NAMES);

  /** @param now milliseconds since the epoch */
  constructor(lastUse: LastUseStore, now: () => number) {
    this.#lastUse = lastUse;
    this.#now = now;
  }

  /** Calls `send` if the alert was not sent since `sinceMs`. If `send` returns false, the alert counts as not sent. Never throws. */
  once(name: string, sinceMs: number, send: () => boolean): void {
    if (this.#sent.get(name) === sinceMs) return;
    this.#sent.set(name, sinceMs);
    void this.#sendOnce(name, sinceMs, send);
  }

  /** Counts the alert as sent in the period that began at `sinceMs`. */
  skip(name: string, sinceMs: number): void {
    this.#sent.set(name, sinceMs);
  }

  async #sendOnce(name: string, sinceMs: number, send: () => boolean): Promise<void> {
    const stored = `alert-sent:${name}`;
    const [sentAtMs] = await this.#lastUse.read([stored]).catch(() => []);
    if (sentAtMs !== undefined && sentAtMs >= sinceMs) return;
    if (send()) await this.#lastUse.note(stored, this.#now());
    else this.#sent.delete(name);
  }
}
