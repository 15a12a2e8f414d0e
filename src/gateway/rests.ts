import { BoundedMap } from '../bounded-map.ts';
import { HttpError } from '../errors.ts';
import { cutText } from '../shown-text.ts';
import { type Failure, RETRY_AFTER_LIMIT_MS } from './failure.ts';
import {
  type Aim,
  keyName,
  namesOf,
  pairPrefix,
  providerPrefix,
  targetName,
  targetPrefix,
} from './rest-names.ts';

/** Whether an aim may be asked now. */
export type RestState =
  | { readonly kind: 'free' }
  /** Better left alone, but nothing forbids it. */
  | { readonly kind: 'resting'; readonly untilMs: number }
  /** The provider asked to wait, or refused the key: not to be asked. `error` is what it said, for any caller. */
  | { readonly kind: 'blocked'; readonly untilMs: number; readonly error: HttpError };

/** An attempt that has begun. */
export interface BegunAttempt {
  readonly aim: Aim;
  /** Attempts are numbered as they begin. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/** What a failure means for rests. */
export type RestCause = Pick<Failure, 'kind' | 'retryAfterMs' | 'error'>;

const REFUSED_MS = 10 * 60 * 1000;
const BUSY_FIRST_MS = 1_000;
const BUSY_LAST_MS = 30_000;
const FAULTS_BEFORE_REST = 3;
const FAULT_FIRST_MS = 5_000;
const FAULT_LAST_MS = 60_000;
/** The most names whose troubles are remembered. */
const TROUBLES = 4_096;

/** The failures in a row of a key, of a key with a model, or of a target. */
interface Trouble {
  /** Failures without a success between them. */
  count: number;
  /** 0: no rest. Once over, the rest lasts until one attempt has succeeded. */
  untilMs: number;
  /** The length of the next rest whose length the provider does not give. */
  nextMs: number;
  isBlocking: boolean;
  error: HttpError | null;
  /** The attempt that finds out whether the rest is really over; null: none runs. */
  probe: BegunAttempt | null;
  /** Attempts with a lower number began before the last rest, so they say nothing about it. */
  since: number;
}

/** A rest as other instances are told of it. */
export interface ToldRest {
  readonly lengthMs: number;
  readonly isBlocking: boolean;
  /** What the provider said; null: it does not block. */
  readonly error: HttpError | null;
}

/** Tells other instances what rests. Names are of no meaning to them but to be the same. */
export interface RestShare {
  rested(name: string, rest: ToldRest): void;
  /** A name no longer rests: an attempt has succeeded. */
  ended(name: string): void;
  /** Somebody has ended the rests of a name, if one is given, and of all names with a prefix. */
  woken(exact: string | null, prefix: string): void;
}

interface NewRest extends Pick<Trouble, 'isBlocking' | 'error'> {
  readonly lengthMs: number;
}

const FREE: RestState = { kind: 'free' };

/**
 * Knows what rests: a key that was refused, a key that is busy with a model, a target that keeps failing. When a rest is over,
 * one attempt at a time may try until one succeeds.
 */
export class Rests {
  readonly #troubles = new BoundedMap<Trouble>(TROUBLES);
  readonly #now: () => number;
  readonly #share: RestShare | null;
  /** Numbers the attempts. */
  #count = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number, share: RestShare | null = null) {
    this.#now = now;
    this.#share = share;
  }

  stateOf(aim: Aim): RestState {
    if (this.#troubles.size === 0) return FREE;
    const nowMs = this.#now();
    let state = FREE;
    for (const name of namesOf(aim)) {
      const trouble = this.#troubles.get(name);
      if (trouble === undefined || trouble.untilMs === 0) continue;
      if (trouble.untilMs <= nowMs && trouble.probe === null) continue;
      const { untilMs, isBlocking, error } = trouble;
      if (isBlocking && error !== null) {
        if (state.kind !== 'blocked' || untilMs > state.untilMs) state = { kind: 'blocked', untilMs, error };
      } else if (state.kind === 'free' || (state.kind === 'resting' && untilMs > state.untilMs)) {
        state = { kind: 'resting', untilMs };
      }
    }
    return state;
  }

  /** Begins an attempt. If a rest of its aim is over, the attempt is the one that tries. */
  begin(aim: Aim, nowMs: number): BegunAttempt {
    const attempt = { aim, number: this.#count++, startedAtMs: nowMs };
    if (this.#troubles.size === 0) return attempt;
    for (const name of namesOf(aim)) {
      const trouble = this.#troubles.get(name);
      if (trouble !== undefined && trouble.untilMs !== 0 && trouble.untilMs <= nowMs)
        trouble.probe ??= attempt;
    }
    return attempt;
  }

  /**
   * Notes that the provider answered: with a whole answer, with the first content of a stream, or with an error that is not
   * its own. Its key and its target rest no longer; the faults in a row still count until the answer is complete.
   */
  answered(attempt: BegunAttempt): void {
    if (this.#troubles.size === 0) return;
    const [target, key, pair] = namesOf(attempt.aim);
    this.#end(key, attempt);
    this.#end(pair, attempt);
    const trouble = this.#troubles.get(target);
    if (trouble !== undefined && attempt.number >= trouble.since && trouble.untilMs !== 0) {
      trouble.untilMs = 0;
      this.#share?.ended(target);
    }
    // A rest that began after this attempt stays, and needs another attempt that tries.
    this.dropped(attempt);
  }

  /** Notes that the answer is complete. */
  finished(attempt: BegunAttempt): void {
    if (this.#troubles.size > 0) this.#end(targetName(attempt.aim), attempt);
  }

  /** Notes that the attempt failed, before or after its first content. */
  failed(attempt: BegunAttempt, { kind, retryAfterMs, error }: RestCause): void {
    const [target, key, pair] = namesOf(attempt.aim);
    if (kind === 'caller' || kind === 'not_here') this.answered(attempt);
    else if (kind === 'key') this.#rest(key, attempt, { lengthMs: REFUSED_MS, isBlocking: true, error });
    else if (kind === 'busy') this.#busy(pair, attempt, { retryAfterMs, error });
    else this.#fault(target, attempt);
    this.dropped(attempt);
  }

  /** Notes that the attempt tells nothing more of the provider: the client left, or this server ended it. */
  dropped(attempt: BegunAttempt): void {
    if (this.#troubles.size === 0) return;
    for (const name of namesOf(attempt.aim)) {
      const trouble = this.#troubles.get(name);
      if (trouble?.probe === attempt) trouble.probe = null;
    }
  }

  /** The rest of a key as a whole or with a model, whichever ends last; null if it does not rest. */
  untilOfKey(providerId: string, keyId: string | null): number | null {
    return this.#untilOf(keyName(providerId, keyId), pairPrefix(providerId, keyId));
  }

  /** The end of the longest rest of a provider's targets; null if none rests. */
  untilOfTargets(providerId: string): number | null {
    return this.#untilOf(null, targetPrefix(providerId));
  }

  /** Why a key rests as a whole: what the provider said. null: it does not. */
  refusalOf(providerId: string, keyId: string): HttpError | null {
    return this.#troubles.get(keyName(providerId, keyId))?.error ?? null;
  }

  /** Ends all rests of a key, and those of its provider's targets. */
  wakeKey(providerId: string, keyId: string): void {
    this.#wake(keyName(providerId, keyId), pairPrefix(providerId, keyId));
    this.#wake(null, targetPrefix(providerId));
  }

  /** Ends all rests of a provider. */
  wakeProvider(providerId: string): void {
    this.#wake(null, providerPrefix(providerId));
  }

  /** Takes over a rest that began at another instance. */
  learn(name: string, { lengthMs, isBlocking, error }: ToldRest): void {
    const trouble = this.#trouble(name, BUSY_FIRST_MS);
    const untilMs = this.#now() + lengthMs;
    if (untilMs <= trouble.untilMs || (trouble.isBlocking && !isBlocking)) return;
    Object.assign(trouble, { untilMs, isBlocking, error, since: this.#count });
  }

  /** Takes over that rests have ended at another instance. */
  forget(exact: string | null, prefix: string | null): void {
    for (const name of this.#troubles.keys()) {
      if (name === exact || (prefix !== null && name.startsWith(prefix))) this.#troubles.delete(name);
    }
  }

  #end(name: string, { number }: BegunAttempt): void {
    const trouble = this.#troubles.get(name);
    if (trouble === undefined || number < trouble.since) return;
    this.#troubles.delete(name);
    if (trouble.untilMs !== 0) this.#share?.ended(name);
  }

  #busy(name: string, attempt: BegunAttempt, { retryAfterMs, error }: Omit<RestCause, 'kind'>): void {
    const trouble = this.#trouble(name, BUSY_FIRST_MS);
    const isNews = attempt.number >= trouble.since;
    if (retryAfterMs === null && !isNews) return;
    const lengthMs = Math.min(retryAfterMs ?? trouble.nextMs, RETRY_AFTER_LIMIT_MS);
    if (retryAfterMs === null) trouble.nextMs = Math.min(trouble.nextMs * 2, BUSY_LAST_MS);
    const isBlocking = retryAfterMs !== null;
    this.#rest(name, attempt, { lengthMs, isBlocking, error: isBlocking ? error : null });
  }

  #fault(name: string, attempt: BegunAttempt): void {
    const trouble = this.#trouble(name, FAULT_FIRST_MS);
    if (attempt.number < trouble.since) return;
    trouble.count += 1;
    if (trouble.count < FAULTS_BEFORE_REST) return;
    const lengthMs = trouble.nextMs;
    trouble.nextMs = Math.min(lengthMs * 2, FAULT_LAST_MS);
    this.#rest(name, attempt, { lengthMs, isBlocking: false, error: null });
  }

  /** Begins a rest. Attempts that began before the last rest can make it longer, but do not double the next. */
  #rest(name: string, { number }: BegunAttempt, { lengthMs, isBlocking, error }: NewRest): void {
    const trouble = this.#trouble(name, BUSY_FIRST_MS);
    const untilMs = this.#now() + lengthMs;
    const isNews = number >= trouble.since;
    if (!isNews && (untilMs <= trouble.untilMs || (trouble.isBlocking && !isBlocking))) return;
    Object.assign(trouble, { untilMs, isBlocking, error: error === null ? null : errorForAll(error) });
    if (isNews) trouble.since = this.#count;
    this.#share?.rested(name, { lengthMs, isBlocking, error: trouble.error });
  }

  #trouble(name: string, nextMs: number): Trouble {
    const known = this.#troubles.get(name);
    if (known !== undefined) return known;
    const made = { count: 0, untilMs: 0, nextMs, isBlocking: false, error: null, probe: null, since: 0 };
    this.#troubles.set(name, made);
    return made;
  }

  #untilOf(exact: string | null, prefix: string): number | null {
    let latest: number | null = null;
    for (const [name, { untilMs }] of this.#troubles) {
      if (untilMs === 0 || (name !== exact && !name.startsWith(prefix))) continue;
      latest = Math.max(latest ?? 0, untilMs);
    }
    return latest;
  }

  #wake(exact: string | null, prefix: string): void {
    this.forget(exact, prefix);
    this.#share?.woken(exact, prefix);
  }
}

const MESSAGE_LENGTH = 500;
const CODE_LENGTH = 100;

/**
 * An error to show to other callers: without extra members and `param`, in which providers repeat parts of the request, and
 * short, because thousands are kept.
 */
function errorForAll({ status, error: { message, type, code }, headers }: HttpError): HttpError {
  const cut = (text: string | null): string | null => (text === null ? null : cutText(text, CODE_LENGTH));
  const shown = { message: cutText(message, MESSAGE_LENGTH), type: cut(type), param: null, code: cut(code) };
  const at = headers.indexOf('x-should-retry');
  return HttpError.fromUpstream(status, shown, at < 0 ? [] : headers.slice(at, at + 2));
}
