import { Histogram } from '../histogram.ts';
import { cutText } from '../shown-text.ts';
import type { FailureReason } from './failure.ts';

/** How a provider or a key works, from its attempts. */
export interface EvidenceReport {
  readonly state: 'untested' | 'ok' | 'slow' | 'failing';
  readonly requests5m: number;
  readonly errors5m: number;
  /** The time to the first byte of answers, over five minutes; null: there was none. */
  readonly ttftMs: { readonly p50: number | null; readonly p95: number | null };
  /** Milliseconds since the epoch, as are the times below; null: never since the start. */
  readonly lastUsedAtMs: number | null;
  readonly lastSuccessAtMs: number | null;
  readonly lastError: (FailureReason & { readonly atMs: number }) | null;
}

/** What another instance has seen since it last told. Times are milliseconds since the epoch; null: there was none. */
export interface ToldEvidence {
  readonly requests: number;
  readonly errors: number;
  /** The times to the first byte of answers. */
  readonly firstBytesMs: readonly number[];
  readonly lastUsedAtMs: number | null;
  readonly lastSuccessAtMs: number | null;
  readonly lastError: EvidenceReport['lastError'];
  /** Failures since the last success. */
  readonly failuresInRow: number;
}

const SLOT_MS = 30_000;
const SLOTS = 10;
const DAY_MS = 24 * 60 * 60 * 1000;
const SLOW_MS = 10_000;
const SLOW_SAMPLES = 5;
const FAILING_ATTEMPTS = 3;
const MESSAGE_LENGTH = 500;

interface Slot {
  /** Counts the half minutes since the epoch. */
  readonly number: number;
  requests: number;
  errors: number;
  readonly firstBytes: Histogram;
}

/** The attempts of one provider or one key: counts over the last five minutes, and the last success and error. */
export class Evidence {
  readonly #slots: (Slot | undefined)[] = [];
  #failuresInRow = 0;
  #lastUsedAtMs: number | null = null;
  #lastSuccessAtMs: number | null = null;
  #lastError: EvidenceReport['lastError'] = null;

  /** Notes that an attempt began. */
  used(nowMs: number): void {
    this.#lastUsedAtMs = nowMs;
    this.#slotAt(nowMs).requests += 1;
  }

  /** Notes an answer, and how long its first byte took. An error that is the caller's is an answer too. */
  answered(nowMs: number, ttftMs: number): void {
    this.#failuresInRow = 0;
    this.#lastSuccessAtMs = nowMs;
    this.#slotAt(nowMs).firstBytes.add(ttftMs);
  }

  /** Notes a failure that is not the caller's. */
  failed(nowMs: number, reason: FailureReason): void {
    this.#failuresInRow += 1;
    this.#slotAt(nowMs).errors += 1;
    this.#lastError = { ...reason, message: cutText(reason.message, MESSAGE_LENGTH), atMs: nowMs };
  }

  /** Adds what another instance has seen. */
  learn(nowMs: number, told: ToldEvidence): void {
    const slot = this.#slotAt(nowMs);
    slot.requests += told.requests;
    slot.errors += told.errors;
    for (const ms of told.firstBytesMs) slot.firstBytes.add(ms);
    this.#failuresInRow = told.failuresInRow + (told.lastSuccessAtMs === null ? this.#failuresInRow : 0);
    this.#lastUsedAtMs = laterOf(this.#lastUsedAtMs, told.lastUsedAtMs);
    this.#lastSuccessAtMs = laterOf(this.#lastSuccessAtMs, told.lastSuccessAtMs);
    if (told.lastError !== null && told.lastError.atMs >= (this.#lastError?.atMs ?? 0)) {
      this.#lastError = told.lastError;
    }
  }

  report(nowMs: number): EvidenceReport {
    const slots = this.#recentSlots(nowMs);
    const firstBytes = new Histogram();
    let requests5m = 0;
    let errors5m = 0;
    for (const slot of slots) {
      requests5m += slot.requests;
      errors5m += slot.errors;
      firstBytes.addAll(slot.firstBytes);
    }
    const ttftMs = { p50: firstBytes.percentile(0.5), p95: firstBytes.percentile(0.95) };
    const isFailing =
      this.#failuresInRow >= FAILING_ATTEMPTS ||
      (requests5m >= FAILING_ATTEMPTS && errors5m * 2 >= requests5m);
    const isSlow = firstBytes.size >= SLOW_SAMPLES && (ttftMs.p95 ?? 0) > SLOW_MS;
    const isUntested = this.#lastUsedAtMs === null || nowMs - this.#lastUsedAtMs > DAY_MS;
    return {
      state: isUntested ? 'untested' : isFailing ? 'failing' : isSlow ? 'slow' : 'ok',
      requests5m,
      errors5m,
      ttftMs,
      lastUsedAtMs: this.#lastUsedAtMs,
      lastSuccessAtMs: this.#lastSuccessAtMs,
      lastError: this.#lastError,
    };
  }

  #slotAt(nowMs: number): Slot {
    const number = Math.floor(nowMs / SLOT_MS);
    const known = this.#slots[number % SLOTS];
    if (known?.number === number) return known;
    const made = { number, requests: 0, errors: 0, firstBytes: new Histogram() };
    this.#slots[number % SLOTS] = made;
    return made;
  }

  #recentSlots(nowMs: number): Slot[] {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
    return this.#slots.filter((slot): slot is Slot => slot !== undefined && slot.number >= oldest);
  }
}

function laterOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
