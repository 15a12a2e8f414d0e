import { HttpError } from '../errors.ts';
import type { AnswerEnd } from '../http/body-transform.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Reservation } from '../limits/limits.ts';
import { NOTHING_ESTIMATED, type UseEstimate } from '../limits/use-estimate.ts';
import type { AnswerMeter } from '../protocols/answer-meter.ts';
import type { Price, Principal } from '../store/entities.ts';
import type { AttemptEntry } from '../usage/call-entry.ts';
import { NO_USAGE, type Usage } from '../usage/usage.ts';
import type { PlannedTarget } from './attempt-plan.ts';
import type { FailureKind } from './failure.ts';

/**
 * How a request ended: `ok` and `error` are complete answers; `cancelled`: the client left; `broken`: the provider broke off;
 * `cut`: this server ended the answer.
 */
export type Outcome = 'ok' | 'error' | 'cancelled' | 'broken' | 'cut';

/** One request to one provider. */
export interface AttemptRecord extends AttemptEntry {
  readonly result: FailureKind | 'ok' | 'dropped';
}

/** What is known about a finished request. */
export interface ClosedRecord {
  readonly requestId: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly principal: Principal;
  /** The path after `/v1/`; null: the request was to no model endpoint. */
  readonly endpoint: string | null;
  readonly clientAddress: string;
  /** The client asked for an event stream. */
  readonly stream: boolean;
  /** The model's id as the client wrote it; null if the request names no model. */
  readonly modelId: string | null;
  /** Asked last; null if none was asked. */
  readonly target: PlannedTarget | null;
  /** The owner's own price of the model; null: there is none. */
  readonly modelPrice: Price | null;
  readonly attempts: readonly AttemptRecord[];
  /** null: the limits did not let the request through, or it is no call. */
  readonly reservation: Reservation | null;
  readonly status: number;
  readonly outcome: Outcome;
  /** The code of the error that was the answer or ended it; null for a success, and where a provider gave none. */
  readonly code: string | null;
  /** The cause of that error; never sent to the client. */
  readonly cause: string | null;
  readonly endedAtMs: number;
  readonly ms: number;
  /** The time to the first byte of the answer; null: there was none. */
  readonly ttftMs: number | null;
  /** null: nothing was used. */
  readonly usage: Usage | null;
  /** The id of what the provider still works on; null: its answer is all that it does. */
  readonly unfinishedId: string | null;
}

/** The state of the answer when its connection is done with it. */
export interface ConnectionEnd {
  readonly status: number;
  readonly headersSent: boolean;
  /** Every byte of the answer was handed to the operating system. */
  readonly isFinished: boolean;
  readonly nowMs: number;
}

export interface RecordStart {
  readonly requestId: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly startedAtMs: number;
}

/** nginx's status for a client that left before its answer. */
const CLIENT_GONE = 499;

/**
 * The record of a request: created when the request arrives, filled while it is served, closed exactly once. The log line,
 * the metrics and the books are made from the closed record alone.
 */
export class CallRecord {
  principal: Principal = { kind: 'nobody' };
  endpoint: string | null = null;
  clientAddress = 'unknown';
  stream = false;
  modelId: string | null = null;
  /** The target asked last. */
  target: PlannedTarget | null = null;
  /** The owner's own price of the model; null: there is none. */
  modelPrice: Price | null = null;
  /** What the call may use, as estimated from its request. */
  estimate: UseEstimate = NOTHING_ESTIMATED;
  /** Counts what the answer uses; null: there is no answer yet. */
  meter: AnswerMeter | null = null;
  /** The client left while the provider, which had the whole request, worked on it. */
  wasLeftUnanswered = false;
  readonly attempts: AttemptRecord[] = [];
  /** Set once the limits have let the call through. */
  reservation: Reservation | null = null;
  readonly #start: RecordStart;
  #firstByteAtMs: number | null = null;
  #code: string | null = null;
  /** An error is the answer or ended it. */
  #hasFailed = false;
  #cause: string | null = null;
  /** How a passed-on answer ended; null before that, and for answers made here. */
  #answerEnd: AnswerEnd['outcome'] | null = null;
  /** The client had all of the answer when it left. */
  #isTaken = false;
  #isClosed = false;

  constructor(start: RecordStart) {
    this.#start = start;
  }

  get requestId(): string {
    return this.#start.requestId;
  }

  /** Headers that name the provider tried last and the number of attempts; empty before the first attempt. */
  reachedHeaders(): HeaderList {
    if (this.attempts.length === 0) return [];
    return [
      'x-ipin-provider',
      headerText(this.target?.provider.id ?? ''),
      'x-ipin-attempts',
      String(this.attempts.length),
    ];
  }

  /** Notes that the first byte of a successful answer is there. */
  noteFirstByte(nowMs: number): void {
    this.#firstByteAtMs = nowMs;
  }

  /** Notes the code and the cause of the error that is the answer or ends it. */
  noteError(error: Error): void {
    if (error instanceof HttpError) {
      this.#code = codeOf(error);
      this.#hasFailed = true;
    }
    this.#cause = causeOf(error) ?? this.#cause;
  }

  /** Notes how a passed-on answer ended. */
  noteEnd({ outcome, error, isTaken = false }: AnswerEnd): void {
    this.#answerEnd = outcome;
    this.#isTaken = isTaken;
    if (error !== null) this.noteError(error);
  }

  /** Closes the record. @throws Error if it is closed already, because the request would be counted twice. */
  close(end: ConnectionEnd): ClosedRecord {
    if (this.#isClosed) throw new Error(`The record of ${this.requestId} is closed already.`);
    this.#isClosed = true;
    const { requestId, method, path, startedAtMs } = this.#start;
    const outcome = this.#outcomeOf(end);
    const isGone = outcome === 'cancelled';
    const usage = this.#usage();
    return {
      requestId,
      method,
      path,
      principal: this.principal,
      endpoint: this.endpoint,
      clientAddress: this.clientAddress,
      stream: this.stream,
      modelId: this.modelId,
      target: this.target,
      modelPrice: this.modelPrice,
      attempts: this.attempts,
      reservation: this.reservation,
      status: isGone ? CLIENT_GONE : end.status,
      outcome,
      code: isGone ? 'client_closed_request' : this.#code,
      cause: this.#cause,
      endedAtMs: end.nowMs,
      ms: end.nowMs - startedAtMs,
      ttftMs: this.#firstByteAtMs === null ? null : this.#firstByteAtMs - startedAtMs,
      usage,
      unfinishedId: this.meter?.unfinishedId ?? null,
    };
  }

  #usage(): Usage | null {
    if (this.meter !== null) return this.meter.total(this.estimate);
    if (!this.wasLeftUnanswered) return null;
    // The provider works on it: at least the prompt will be paid for.
    const { promptTokens, audioSeconds, images } = this.estimate;
    return {
      ...NO_USAGE,
      promptTokens,
      completionTokens: 0,
      audioSeconds: audioSeconds || null,
      images: images || null,
      isEstimated: true,
    };
  }

  #outcomeOf(end: ConnectionEnd): Outcome {
    const answerEnd = this.#answerEnd;
    if (answerEnd !== null && (answerEnd !== 'ok' || end.isFinished || this.#isTaken)) return answerEnd;
    // An error answer is complete once its headers are sent, even if its connection lingers.
    const isAnswered = end.isFinished || (this.#hasFailed && end.headersSent);
    if (!isAnswered) return 'cancelled';
    return end.status < 400 ? 'ok' : 'error';
  }
}

/** The code of an error, or its type if it has no code; null: a provider gave neither. */
export function codeOf({ error }: HttpError): string | null {
  return error.code || error.type || null;
}

/** The code of the underlying error, such as ECONNREFUSED; its message, which may name the host, only without a code. */
function causeOf(error: Error): string | null {
  const cause = error instanceof HttpError ? error.cause : error;
  if (!(cause instanceof Error)) return null;
  const { code, message }: NodeJS.ErrnoException = cause;
  return code ?? message;
}

/** Encodes a text for a header (RFC 9110 section 5.5): imported files may hold ids beyond ASCII. */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(Buffer.from(character).toString()));
}
