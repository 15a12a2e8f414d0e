import type { HttpError } from '../errors.ts';
import type { CompiledKey, CompiledProvider } from '../providers/adapter.ts';
import type { Price } from '../store/entities.ts';
import type { Failure } from './failure.ts';
import type { Aim } from './rest-names.ts';
import type { RestState } from './rests.ts';

/** A target of a call, with the keys of its provider in the order in which they are asked. */
export interface PlannedTarget {
  readonly provider: CompiledProvider;
  readonly upstreamModel: string;
  /** It shares the load with other targets; false: it is asked only when those before it have failed. */
  readonly isShared: boolean;
  /** `[null]` for a provider without keys. */
  readonly keys: readonly (CompiledKey | null)[];
  /** The owner's own price of this target. */
  readonly price: Price | null;
}

/** One key of one target. */
export interface Candidate {
  readonly target: PlannedTarget;
  readonly key: CompiledKey | null;
}

/** What to do next. */
export type Step =
  | { readonly kind: 'ask'; readonly candidate: Candidate }
  /** Wait, then ask for the next step again. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Nothing more is tried: the last failure stands. */
  | { readonly kind: 'end' }
  /** Everything rests, because the providers asked for it or refused the keys. */
  | { readonly kind: 'blocked'; readonly untilMs: number; readonly error: HttpError };

export interface PlanOptions {
  /** The targets in their order; at least one. */
  readonly targets: readonly PlannedTarget[];
  /** The most attempts; 1 for a body that can be sent only once. */
  readonly attempts: number;
  /** Knows who rests. */
  readonly health: { stateOf(aim: Aim): RestState };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

const WAIT_FIRST_MS = 250;
const WAIT_LAST_MS = 2_000;
/** All waits of one call together. */
const WAITS_TOTAL_MS = 10_000;

/**
 * The way of one call through the keys of its targets: whom to ask first, and after each failure whom to ask next, how long to
 * wait, and when to stop.
 */
export class AttemptPlan {
  readonly #options: PlanOptions;
  readonly #candidates: Candidate[] = [];
  // Lists, because they are short and most calls need none.
  readonly #asked: Candidate[] = [];
  readonly #dropped: PlannedTarget[] = [];
  #last: { readonly candidate: Candidate; readonly failure: Failure } | null = null;
  #attempts = 0;
  #waits = 0;
  #waitedMs = 0;
  /** The wait before the last candidate is asked again is over. */
  #hasWaited = false;

  constructor(options: PlanOptions) {
    this.#options = options;
    for (const target of options.targets) {
      for (const key of target.keys) this.#candidates.push({ target, key });
    }
  }

  next(): Step {
    if (this.#last === null) return this.#first();
    const { candidate, failure } = this.#last;
    if (failure.kind === 'caller' || this.#attempts >= this.#options.attempts) return { kind: 'end' };
    const other = this.#pick(this.#othersAfter(candidate, failure));
    if (other !== null) return { kind: 'ask', candidate: other };
    if (failure.kind !== 'busy' && failure.kind !== 'fault') return { kind: 'end' };
    if (!this.#hasWaited) return this.#wait(failure.retryAfterMs);
    const state = this.#stateOf(candidate);
    if (state.kind !== 'blocked') return { kind: 'ask', candidate };
    // Another call was told to wait longer, or another one tries whether the rest is over.
    const restMs = state.untilMs - this.#options.now();
    return this.#wait(restMs > 0 ? restMs : null);
  }

  /** Notes that an attempt failed. The candidate must be the one that `next` gave. */
  noteFailure(candidate: Candidate, failure: Failure): void {
    this.#attempts += 1;
    this.#asked.push(candidate);
    this.#hasWaited = false;
    this.#last = { candidate, failure };
    if (failure.kind === 'not_here' || failure.kind === 'may_have_run') this.#dropped.push(candidate.target);
  }

  /** The first that does not rest, else one whose rest forbids nothing. */
  #first(): Step {
    const candidate = this.#pick(this.#candidates);
    if (candidate !== null) return { kind: 'ask', candidate };
    let soonest: Extract<RestState, { kind: 'blocked' }> | null = null;
    for (const blocked of this.#candidates.map((one) => this.#stateOf(one))) {
      if (blocked.kind === 'blocked' && (soonest === null || blocked.untilMs < soonest.untilMs))
        soonest = blocked;
    }
    return soonest ?? { kind: 'end' };
  }

  /** Who may be asked after a failure, in order; none of them has been asked by this call. */
  #othersAfter({ target }: Candidate, { kind }: Failure): Candidate[] {
    const open = this.#candidates.filter(
      (one) => !this.#asked.includes(one) && !this.#dropped.includes(one.target),
    );
    // What ails the key or its quota leaves the target's other keys; what ails the target calls for another target.
    const isFirst =
      kind === 'key' || kind === 'busy'
        ? (one: Candidate) => one.target === target
        : (one: Candidate) => !this.#wasAsked(one.target);
    return [...open.filter(isFirst), ...open.filter((one) => !isFirst(one))];
  }

  #wasAsked(target: PlannedTarget): boolean {
    return this.#asked.some((one) => one.target === target);
  }

  #pick(candidates: readonly Candidate[]): Candidate | null {
    let resting: Candidate | null = null;
    for (const candidate of candidates) {
      const { kind } = this.#stateOf(candidate);
      if (kind === 'free') return candidate;
      if (kind === 'resting') resting ??= candidate;
    }
    return resting;
  }

  #stateOf(candidate: Candidate): RestState {
    return this.#options.health.stateOf(aimOf(candidate));
  }

  #wait(askedForMs: number | null): Step {
    const longestMs = Math.min(WAIT_FIRST_MS * 2 ** this.#waits, WAIT_LAST_MS);
    const ms = askedForMs ?? (longestMs * (1 + this.#options.random())) / 2;
    if (this.#waitedMs + ms > WAITS_TOTAL_MS) return { kind: 'end' };
    this.#waits += 1;
    this.#waitedMs += ms;
    this.#hasWaited = true;
    return { kind: 'wait', ms };
  }
}

/** The names of a candidate's provider, model and key. */
export function aimOf({ target, key }: Candidate): Aim {
  return { providerId: target.provider.id, upstreamModel: target.upstreamModel, keyId: key?.id ?? null };
}
