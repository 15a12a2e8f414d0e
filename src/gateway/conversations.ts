import { BoundedMap } from '../bounded-map.ts';
import type { Aim } from './rest-names.ts';

const REMEMBERED = 10_000;
const HOUR_MS = 60 * 60 * 1000;

interface Served extends Aim {
  readonly atMs: number;
}

/**
 * Remembers which target and key served a conversation last, so that the provider's prompt cache is used. Conversations are
 * known by a digest only.
 */
export class Conversations {
  readonly #served = new BoundedMap<Served>(REMEMBERED);
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Who served a conversation within the last hour; null: nobody. */
  find(digest: string): Aim | null {
    const served = this.#served.get(digest);
    return served !== undefined && this.#now() - served.atMs < HOUR_MS ? served : null;
  }

  remember(digest: string, aim: Aim): void {
    this.#served.set(digest, { ...aim, atMs: this.#now() });
  }
}
