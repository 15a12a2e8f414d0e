import { HttpError } from '../errors.ts';
import type { AnswerEnd } from '../http/body-transform.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Principal } from '../store/entities.ts';

/** How a request ended: with its answer, an error, or an answer that was left, broken off by the provider or cut here. */
export type Outcome = 'ok' | 'error' | 'cancelled' | 'broken' | 'cut';

/** One request to one provider. */
export interface AttemptRecord {
  readonly providerId: string;
  readonly upstreamModel: string;
  /** null: no response came. */
  readonly status: number | null;
  /** The code of the error that it ended with; null: a success. */
  readonly code: string | null;
  /** Until the response's headers. */
  readonly ms: number;
}

/** What is known of a request when it is over. */
export interface ClosedRecord {
  readonly requestId: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly principal: Principal;
  /** The model's id as the client named it; null where the request names none. */
  readonly modelId: string | null;
  /** Where the call was sent to last; null where no provider was chosen. */
  readonly providerId: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly status: number;
  readonly outcome: Outcome;
  /** The code of the error that was answered, or that ended the answer. */
  readonly code: string | null;
  /** What lay behind that error; never told to the client. */
  readonly cause: string | null;
  readonly ms: number;
}

/** The connection's view of an answer that is over. */
export interface ResponseEnd {
  readonly status: number;
  readonly headersSent: boolean;
  /** Every byte of the answer was handed to the system. */
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

/** nginx's status for a client that went away before its answer. */
const CLIENT_GONE = 499;

/**
 * The one record of a request: begun when it arrives, filled on its way, closed exactly once. Log line and metrics are
 * made from the closed record alone.
 */
export class CallRecord {
  principal: Principal = { kind: 'nobody' };
  modelId: string | null = null;
  providerId: string | null = null;
  readonly attempts: AttemptRecord[] = [];
  readonly #start: RecordStart;
  #code: string | null = null;
  #cause: string | null = null;
  /** How an answer that was passed on ended; null where none was. */
  #answerEnd: AnswerEnd['outcome'] | null = null;
  #isClosed = false;

  constructor(start: RecordStart) {
    this.#start = start;
  }

  get requestId(): string {
    return this.#start.requestId;
  }

  /** Which provider was tried last, and in how many attempts: for every answer that reached one. */
  reachedHeaders(): HeaderList {
    if (this.attempts.length === 0) return [];
    return [
      'x-ipin-provider',
      headerText(this.providerId ?? ''),
      'x-ipin-attempts',
      String(this.attempts.length),
    ];
  }

  /** Notes the error that is answered or that ends the answer: its code, and what lay behind it. */
  noteError(error: Error): void {
    if (error instanceof HttpError) this.#code = codeOf(error);
    this.#cause = causeOf(error) ?? this.#cause;
  }

  /** Notes how an answer that was passed on ended. */
  noteEnd({ outcome, error }: AnswerEnd): void {
    this.#answerEnd = outcome;
    if (error !== null) this.noteError(error);
  }

  /** Closes the record. @throws Error where it is closed already: two closings would count a request twice. */
  close(end: ResponseEnd): ClosedRecord {
    if (this.#isClosed) throw new Error(`The record of ${this.requestId} is closed already.`);
    this.#isClosed = true;
    const { requestId, method, path, startedAtMs } = this.#start;
    const outcome = this.#outcomeOf(end);
    const isGone = outcome === 'cancelled';
    return {
      requestId,
      method,
      path,
      principal: this.principal,
      modelId: this.modelId,
      providerId: this.providerId,
      attempts: this.attempts,
      status: isGone ? CLIENT_GONE : end.status,
      outcome,
      code: isGone ? 'client_closed_request' : this.#code,
      cause: this.#cause,
      ms: end.nowMs - startedAtMs,
    };
  }

  #outcomeOf(end: ResponseEnd): Outcome {
    const answerEnd = this.#answerEnd;
    if (answerEnd !== null && (answerEnd !== 'ok' || end.isFinished)) return answerEnd;
    // An error is complete once its bytes are out, although its connection lingers.
    const isAnswered = end.isFinished || (this.#code !== null && end.headersSent);
    if (!isAnswered) return 'cancelled';
    return end.status < 400 ? 'ok' : 'error';
  }
}

/** The code of an error; its type where it has none. */
export function codeOf({ error }: HttpError): string {
  return error.code ?? error.type ?? '';
}

/** The code of the underlying error, such as ECONNREFUSED. Its message counts only without a code: it may name the host. */
function causeOf(error: Error): string | null {
  const cause = error instanceof HttpError ? error.cause : error;
  if (!(cause instanceof Error)) return null;
  const { code, message }: NodeJS.ErrnoException = cause;
  return code ?? message;
}

/** The panel makes ids of ASCII only, but imported files hold any text, of which a header takes little (RFC 9110 section 5.5). */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(Buffer.from(character).toString()));
}
