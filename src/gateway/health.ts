import { BoundedMap } from '../bounded-map.ts';
import type { Provider, ProviderKey } from '../store/entities.ts';
import { Evidence, type EvidenceReport, type ToldEvidence } from './evidence.ts';
import type { Failure, FailureReason } from './failure.ts';
import type { KeyHealth, LastError, ProviderHealth, TestEvidence } from './health-report.ts';
import type { Aim } from './rest-names.ts';
import { type BegunAttempt, type RestShare, type RestState, Rests } from './rests.ts';

/** Tells other instances what this one learns of providers and keys. */
export interface HealthShare extends RestShare {
  /** Connects the health that learns from others. */
  connect(health: Health): void;
  used(subject: string, atMs: number): void;
  answered(subject: string, atMs: number, ttftMs: number): void;
  failed(subject: string, atMs: number, reason: FailureReason): void;
}

/** The most providers and keys whose attempts are remembered. */
const SUBJECTS = 2_048;

interface Subject {
  readonly name: string;
  readonly evidence: Evidence;
  state: ProviderHealth['state'];
  sinceMs: number | null;
  /** Numbers the uses of all keys: the key with the lowest number was used longest ago. */
  lastUse: number;
}

/** Knows how providers and their keys work and which of them rest, from the attempts and the tests in the panel. */
export class Health {
  readonly #rests: Rests;
  readonly #subjects = new BoundedMap<Subject>(SUBJECTS);
  readonly #now: () => number;
  readonly #share: HealthShare | null;
  /** The base URL of each provider. */
  readonly #addresses = new Map<string, string>();
  #uses = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number, share: HealthShare | null = null) {
    this.#now = now;
    this.#share = share;
    this.#rests = new Rests(now, share);
    share?.connect(this);
  }

  /** What rests; another instance may tell of it. */
  get rests(): Pick<Rests, 'learn' | 'forget'> {
    return this.#rests;
  }

  /** Adds what another instance has seen of a provider or a key, some time ago. */
  learn(subject: string, told: ToldEvidence, agoMs: number): void {
    this.#subject(subject).evidence.learn(this.#now() - agoMs, told);
  }

  stateOf(aim: Aim): RestState {
    return this.#rests.stateOf(aim);
  }

  /** The keys of a provider, the one used longest ago first. */
  inTurn<K extends { readonly id: string }>(providerId: string, keys: readonly K[]): readonly K[] {
    if (keys.length < 2) return keys;
    const useOf = (key: K): number => this.#subjects.get(subjectName(providerId, key.id))?.lastUse ?? 0;
    return keys.toSorted((one, other) => useOf(one) - useOf(other));
  }

  /** Begins an attempt. */
  begin(aim: Aim): BegunAttempt {
    const startedAtMs = this.#now();
    this.#uses += 1;
    for (const subject of this.#subjectsOf(aim)) {
      subject.evidence.used(startedAtMs);
      this.#share?.used(subject.name, startedAtMs);
      subject.lastUse = this.#uses;
    }
    return this.#rests.begin(aim, startedAtMs);
  }

  /** Notes that the provider answered, see `Rests.answered`, and how long its first byte took. */
  answered(attempt: BegunAttempt, ttftMs: number): void {
    const nowMs = this.#now();
    this.#rests.answered(attempt);
    this.#noteAnswer(attempt.aim, nowMs, ttftMs);
  }

  /** Notes that the answer is complete. */
  finished(attempt: BegunAttempt): void {
    this.#rests.finished(attempt);
  }

  /** Notes that an attempt failed, before or after its first content. */
  failed(attempt: BegunAttempt, failure: Failure): void {
    if (failure.kind === 'caller') {
      this.answered(attempt, this.#now() - attempt.startedAtMs);
      this.#rests.finished(attempt);
      return;
    }
    this.#rests.failed(attempt, failure);
    this.#noteFailure(attempt.aim, this.#now(), failure.reason);
  }

  /** Notes that the attempt tells nothing more of the provider. */
  dropped(attempt: BegunAttempt): void {
    this.#rests.dropped(attempt);
  }

  /** Notes a test in the panel: it is evidence, but begins and ends no rest. */
  noteTest({ providerId, keyId, ms, error }: TestEvidence): void {
    const nowMs = this.#now();
    const aim = { providerId, keyId, upstreamModel: '' };
    for (const { name, evidence } of this.#subjectsOf(aim)) {
      evidence.used(nowMs);
      this.#share?.used(name, nowMs);
    }
    if (error === null) this.#noteAnswer(aim, nowMs, ms);
    else this.#noteFailure(aim, nowMs, error);
  }

  /** Forgets providers that were deleted, or that lead to another address now. */
  keepOnly(providers: ReadonlyMap<string, Provider>): void {
    for (const [id, baseUrl] of this.#addresses) {
      if (providers.get(id)?.baseUrl !== baseUrl) this.#forget(id);
    }
    for (const { id, baseUrl } of providers.values()) this.#addresses.set(id, baseUrl);
  }

  #forget(providerId: string): void {
    this.#addresses.delete(providerId);
    this.#rests.wakeProvider(providerId);
    const prefix = subjectName(providerId, '');
    for (const name of this.#subjects.keys()) {
      if (name === providerId || name.startsWith(prefix)) this.#subjects.delete(name);
    }
  }

  /** Ends all rests of a key, and those of its provider's targets. */
  wakeKey(providerId: string, keyId: string): void {
    this.#rests.wakeKey(providerId, keyId);
  }

  /** Ends all rests of a provider and its keys. */
  wakeProvider(providerId: string): void {
    this.#rests.wakeProvider(providerId);
  }

  ofProvider({ id, keys }: Provider): ProviderHealth {
    const nowMs = this.#now();
    const subject = this.#subject(subjectName(id, null));
    const report = subject.evidence.report(nowMs);
    const untilMs = this.#providerRest(id, keys, nowMs);
    const state = untilMs === null ? report.state : 'resting';
    if (state !== subject.state) Object.assign(subject, { state, sinceMs: nowMs });
    const { requests5m, errors5m, ttftMs, lastSuccessAtMs, lastError } = report;
    return {
      state,
      since: isoTime(subject.sinceMs),
      restingUntil: isoTime(untilMs),
      requests5m,
      errors5m,
      ttftMs,
      lastSuccessAt: isoTime(lastSuccessAtMs),
      lastError: shownError(lastError),
    };
  }

  /** How a provider's attempts went, whether it rests now or not. */
  evidenceOf(providerId: string): Pick<EvidenceReport, 'state'> & Pick<ProviderHealth, 'lastError'> {
    const { state, lastError } = this.#subject(subjectName(providerId, null)).evidence.report(this.#now());
    return { state, lastError: shownError(lastError) };
  }

  /** True if the provider refused the key and has not accepted it since. */
  isKeyRefused(providerId: string, keyId: string): boolean {
    return this.#rests.refusalOf(providerId, keyId)?.error.code === 'upstream_auth_failed';
  }

  ofKey(providerId: string, { id, unreadable }: ProviderKey): KeyHealth {
    const nowMs = this.#now();
    const { state, lastUsedAtMs, lastError } = this.#subject(subjectName(providerId, id)).evidence.report(
      nowMs,
    );
    const untilMs = this.#futureOnly(this.#rests.untilOfKey(providerId, id), nowMs);
    const restState = this.isKeyRefused(providerId, id) ? 'refused' : untilMs === null ? state : 'resting';
    return {
      state: unreadable === null ? restState : 'unreadable',
      restingUntil: isoTime(untilMs),
      lastUsedAt: isoTime(lastUsedAtMs),
      lastError: shownError(lastError),
    };
  }

  /** A provider rests while one of its targets does, or all its keys do; until the first of them may be asked again. */
  #providerRest(id: string, keys: readonly ProviderKey[], nowMs: number): number | null {
    const usable = keys.filter(({ enabled, secret }) => enabled && secret !== null).map((key) => key.id);
    const ofKeys = (keys.length === 0 ? [null] : usable).map((keyId) =>
      this.#futureOnly(this.#rests.untilOfKey(id, keyId), nowMs),
    );
    const resting = ofKeys.filter((untilMs) => untilMs !== null);
    const ofTargets = this.#futureOnly(this.#rests.untilOfTargets(id), nowMs);
    if (resting.length === 0 || resting.length < ofKeys.length) return ofTargets;
    return Math.max(Math.min(...resting), ofTargets ?? 0);
  }

  #futureOnly(untilMs: number | null, nowMs: number): number | null {
    return untilMs !== null && untilMs > nowMs ? untilMs : null;
  }

  #noteAnswer(aim: Aim, nowMs: number, ttftMs: number): void {
    for (const { name, evidence } of this.#subjectsOf(aim)) {
      evidence.answered(nowMs, ttftMs);
      this.#share?.answered(name, nowMs, ttftMs);
    }
  }

  #noteFailure(aim: Aim, nowMs: number, reason: FailureReason): void {
    for (const { name, evidence } of this.#subjectsOf(aim)) {
      evidence.failed(nowMs, reason);
      this.#share?.failed(name, nowMs, reason);
    }
  }

  #subjectsOf({ providerId, keyId }: Aim): Subject[] {
    const provider = this.#subject(subjectName(providerId, null));
    return keyId === null ? [provider] : [provider, this.#subject(subjectName(providerId, keyId))];
  }

  #subject(name: string): Subject {
    const known = this.#subjects.get(name);
    if (known !== undefined) return known;
    const made: Subject = { name, evidence: new Evidence(), state: 'untested', sinceMs: null, lastUse: 0 };
    this.#subjects.set(name, made);
    return made;
  }
}

/** Ids hold no line feed. */
function subjectName(providerId: string, keyId: string | null): string {
  return keyId === null ? providerId : `${providerId}\n${keyId}`;
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function shownError(lastError: EvidenceReport['lastError']): LastError | null {
  if (lastError === null) return null;
  const { atMs, status, code, message } = lastError;
  return { at: new Date(atMs).toISOString(), status, code, message };
}
