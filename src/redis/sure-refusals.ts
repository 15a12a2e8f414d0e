import { BoundedMap } from '../bounded-map.ts';
import type { HttpError } from '../errors.ts';
import type { Holder } from '../limits/rate-headers.ts';
import type { Limits } from '../store/entities.ts';

/** A refusal that holds whatever ends meanwhile. */
export interface SureRefusal {
  readonly error: HttpError;
  /** The owner whose limit it is. */
  readonly holder: Pick<Holder, 'owner' | 'limits'>;
  /** For how long no call can be let through that may use as many tokens. */
  readonly lengthMs: number;
  readonly leastTokens: number;
}

interface Kept extends SureRefusal {
  readonly untilMs: number;
}

const NAMES_LIMIT = 2_000;
/** What the error says of its reset is so old at most. */
const KEPT_MS = 1_000;

/**
 * Refusals by full windows, which nothing opens but time: who asks again at once, and again, is refused without asking the engine,
 * whose time is everybody's.
 */
export class SureRefusals {
  readonly #kept = new BoundedMap<Kept>(NAMES_LIMIT);

  /** Why a call cannot be let through; null: the engine knows. */
  find(
    holders: readonly Pick<Holder, 'owner' | 'limits'>[],
    tokens: number,
    nowMs: number,
  ): HttpError | null {
    if (this.#kept.size === 0) return null;
    for (const { owner, limits } of holders) {
      const kept = this.#kept.get(nameOf(owner));
      if (kept === undefined || !isValid(kept, limits, nowMs)) continue;
      if (tokens >= kept.leastTokens) return kept.error;
    }
    return null;
  }

  /** @param askedAtMs when the engine was asked, or before */
  note(refusal: SureRefusal, askedAtMs: number): void {
    const untilMs = askedAtMs + Math.min(refusal.lengthMs, KEPT_MS);
    this.#kept.set(nameOf(refusal.holder.owner), { ...refusal, untilMs });
  }
}

function nameOf({ kind, id }: Holder['owner']): string {
  return `${kind}:${id}`;
}

/** A clock that was set back makes nobody wait longer. */
function isValid({ untilMs, holder }: Kept, limits: Limits, nowMs: number): boolean {
  return holder.limits === limits && nowMs < untilMs && nowMs >= untilMs - KEPT_MS;
}
