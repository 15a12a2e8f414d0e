import { HttpError } from '../errors.ts';
import type { ToldEvidence } from '../gateway/evidence.ts';
import type { Health, HealthShare } from '../gateway/health.ts';
import type { ToldRest } from '../gateway/rests.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { Engine, EngineMessage, EnginePart } from './engine.ts';
import { END_REST, LIST_RESTS, LIST_SEEN, REST, TELL_SEEN, WAKE } from './health-scripts.ts';

/** The most times to the first byte that one beat tells of one provider or key. */
const FIRST_BYTES = 200;
/** Separates the parts of a message about rests. Only the name may hold it, which callers choose where a model serves many. */
const SEPARATOR = '\0';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
interface Told extends Mutable<Omit<ToldEvidence, 'firstBytesMs'>> {
  readonly firstBytesMs: number[];
}

/**
 * Tells the instances of each other's attempts: rests at once, so that a key that is refused at one is asked by none, what the
 * panel shows with each beat. Rests are kept in the engine, for instances that start later.
 */
export class SharedHealth implements HealthShare, EnginePart {
  readonly #engine: Engine;
  #health: Health | null = null;
  /** What was seen before this instance was there is being learned; it holds what is told meanwhile. */
  #isLearning = false;
  #number = 0;
  /** What this instance has seen since the last beat, by provider or key. */
  #seen = new Map<string, Told>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  connect(health: Health): void {
    this.#health = health;
    this.#isLearning = true;
    // Without it, this instance finds out by itself.
    Promise.all([this.#learnRests(), this.#learnEarlier()])
      .catch(() => {})
      .finally(() => {
        this.#isLearning = false;
      });
  }

  rested(name: string, { lengthMs, isBlocking, error }: ToldRest): void {
    const told = { isBlocking, error: error === null ? null : toTold(error) };
    this.#send(REST, [name, String(lengthMs), JSON.stringify(told)]);
  }

  ended(name: string): void {
    this.#send(END_REST, [name]);
  }

  woken(exact: string | null, prefix: string): void {
    this.#send(WAKE, [exact ?? '', prefix]);
  }

  used(subject: string, atMs: number): void {
    const told = this.#told(subject);
    told.requests += 1;
    told.lastUsedAtMs = atMs;
  }

  answered(subject: string, atMs: number, ttftMs: number): void {
    const told = this.#told(subject);
    told.lastSuccessAtMs = atMs;
    told.failuresInRow = 0;
    if (told.firstBytesMs.length < FIRST_BYTES) told.firstBytesMs.push(Math.round(ttftMs));
  }

  failed(subject: string, atMs: number, reason: Parameters<HealthShare['failed']>[2]): void {
    const told = this.#told(subject);
    told.errors += 1;
    told.failuresInRow += 1;
    told.lastError = { ...reason, atMs };
  }

  resume(): Promise<void> {
    return this.#learnRests();
  }

  async beat(): Promise<void> {
    if (this.#seen.size === 0) return;
    const seen = this.#seen;
    this.#seen = new Map();
    this.#number += 1;
    await this.#engine.run(TELL_SEEN, [
      this.#engine.instance,
      String(this.#number),
      JSON.stringify([...seen]),
    ]);
  }

  onMessage({ kind, text }: EngineMessage): void {
    if (kind === 'seen' && !this.#isLearning) this.#learnSeen(parseJson(text), 0);
    if (kind === 'rest-end') this.#health?.rests.forget(text, null);
    const [first = '', second = '', ...name] = text.split(SEPARATOR);
    if (kind === 'rest') this.#learnRest(name.join(SEPARATOR), Number(first), second);
    if (kind === 'wake') this.#health?.rests.forget(first === '' ? null : first, second);
  }

  /** Takes over the rests that the engine keeps. @throws EngineAwayError. */
  async #learnRests(): Promise<void> {
    const reply = await this.#engine.run(LIST_RESTS);
    const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
    for (let at = 0; at < parts.length; at += 3) {
      this.#learnRest(String(parts[at]), Number(parts[at + 1]), String(parts[at + 2]));
    }
  }

  #learnRest(name: string, lengthMs: number, text: string): void {
    const told = parseJson(text);
    if (!isRecord(told) || !(lengthMs > 0)) return;
    const error = fromTold(told['error']);
    this.#health?.rests.learn(name, { lengthMs, isBlocking: told['isBlocking'] === true, error });
  }

  /** Learns what all have seen in the last minutes. @throws EngineAwayError. */
  async #learnEarlier(): Promise<void> {
    const reply = await this.#engine.run(LIST_SEEN);
    const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
    for (let at = 0; at < parts.length; at += 2) {
      this.#learnSeen(parseJson(String(parts[at + 1])), Number(parts[at]));
    }
  }

  #learnSeen(seen: unknown, agoMs: number): void {
    for (const entry of Array.isArray(seen) ? seen : []) {
      const [subject, told]: readonly unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof subject === 'string' && isRecord(told))
        this.#health?.learn(subject, toEvidence(told), agoMs);
    }
  }

  #told(subject: string): Told {
    const known = this.#seen.get(subject);
    if (known !== undefined) return known;
    const made: Told = {
      requests: 0,
      errors: 0,
      firstBytesMs: [],
      lastUsedAtMs: null,
      lastSuccessAtMs: null,
      lastError: null,
      failuresInRow: 0,
    };
    this.#seen.set(subject, made);
    return made;
  }

  /** While the engine is away, every instance finds out for itself. */
  #send(script: Parameters<Engine['run']>[0], args: readonly string[]): void {
    this.#engine.run(script, [this.#engine.instance, ...args]).catch(() => {});
  }
}

function toTold({ status, error, headers }: HttpError): object {
  return { status, error, headers };
}

function fromTold(told: unknown): HttpError | null {
  if (!isRecord(told) || !isRecord(told['error']) || typeof told['status'] !== 'number') return null;
  const { message, type, code } = told['error'];
  const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const shown = { message: String(message), type: textOrNull(type), param: null, code: textOrNull(code) };
  const headers = Array.isArray(told['headers']) ? told['headers'].map(String) : [];
  return HttpError.fromUpstream(told['status'], shown, headers);
}

/** Another instance may be of another version: what is not as it should be counts as nothing. */
function toEvidence(told: Readonly<Record<string, unknown>>): ToldEvidence {
  const numberOf = (value: unknown): number | null =>
    typeof value === 'number' && value >= 0 ? value : null;
  const { lastError: error, firstBytesMs } = told;
  const atMs = isRecord(error) ? numberOf(error['atMs']) : null;
  const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    requests: numberOf(told['requests']) ?? 0,
    errors: numberOf(told['errors']) ?? 0,
    firstBytesMs: (Array.isArray(firstBytesMs) ? firstBytesMs : []).slice(0, FIRST_BYTES).map(Number),
    lastUsedAtMs: numberOf(told['lastUsedAtMs']),
    lastSuccessAtMs: numberOf(told['lastSuccessAtMs']),
    lastError:
      isRecord(error) && atMs !== null
        ? {
            atMs,
            status: numberOf(error['status']),
            code: textOf(error['code']),
            message: textOf(error['message']) ?? '',
          }
        : null,
    failuresInRow: numberOf(told['failuresInRow']) ?? 0,
  };
}
