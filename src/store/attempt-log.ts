import { BoundedMap } from '../bounded-map.ts';
import type { AttemptStore, AttemptWindow } from './store.ts';

/** How many names of each kind are remembered; the name not heard of for longest is forgotten first. */
const NAMES_LIMIT = 10_000;

/**
 * Remembers attempts in memory: sliding windows, exact to the millisecond. (A token bucket would let nearly twice the
 * limit through in its first minute.)
 */
export class AttemptLog implements AttemptStore {
  readonly #namesLimit: number;
  /** Per kind and name, ascending times, at most as many as the window's limit. */
  readonly #kinds = new Map<string, BoundedMap<readonly number[]>>();

  constructor(namesLimit: number = NAMES_LIMIT) {
    this.#namesLimit = namesLimit;
  }

  /** How many names of a kind are remembered now. */
  sizeOf(kind: string): number {
    return this.#namesOf(kind).size;
  }

  take: AttemptStore['take'] = async (windows, atMs) => {
    const found = windows.map((window) => ({ window, times: this.#recent(window, atMs) }));
    const waits = found.map(({ window, times }) => (window.refuses ? waitOf(window, times, atMs) : 0));
    const waitMs = Math.max(0, ...waits);
    if (waitMs > 0) return { waitMs, counted: [] };
    const free = found.filter(({ window, times }) => times.length < window.limit);
    for (const { window, times } of free) this.#namesOf(window.kind).set(window.name, [...times, atMs]);
    return { waitMs, counted: free.map(({ window }) => window) };
  };

  giveBack: AttemptStore['giveBack'] = async (counted, atMs) => {
    for (const { kind, name } of counted) {
      const names = this.#namesOf(kind);
      const times = names.get(name) ?? [];
      const index = times.lastIndexOf(atMs);
      if (index < 0) continue;
      if (times.length === 1) names.delete(name);
      else names.set(name, times.toSpliced(index, 1));
    }
  };

  /** The times that still count. Asking keeps the name remembered. */
  #recent({ kind, name, windowMs }: AttemptWindow, nowMs: number): readonly number[] {
    const names = this.#namesOf(kind);
    // A time in the future is from before the clock was set back: it would block for as long as the step was.
    const times = (names.get(name) ?? []).filter((at) => at <= nowMs && nowMs - at < windowMs);
    if (times.length === 0) names.delete(name);
    else names.set(name, times);
    return times;
  }

  #namesOf(kind: string): BoundedMap<readonly number[]> {
    const known = this.#kinds.get(kind);
    if (known !== undefined) return known;
    const names = new BoundedMap<readonly number[]>(this.#namesLimit);
    this.#kinds.set(kind, names);
    return names;
  }
}

/** Milliseconds until the window has room again; 0: it has. */
function waitOf({ limit, windowMs }: AttemptWindow, times: readonly number[], nowMs: number): number {
  const [oldest] = times;
  return oldest === undefined || times.length < limit ? 0 : oldest + windowMs - nowMs;
}
