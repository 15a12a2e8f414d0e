import type { HttpError } from '../errors.ts';

/** Changes bytes on their way to the client. What is returned is sent at once; null sends nothing. */
export interface BodyTransform {
  push(chunk: Buffer): Buffer | null;
  /** The upstream came to a clean end. */
  end(): Buffer | null;
  /** The upstream broke off: the last bytes for the client, or null to cut the connection. */
  fail(error: HttpError): Buffer | null;
  /** The error that was passed on as the answer's end: nothing follows it. */
  readonly error: HttpError | null;
  /** Nothing was sent for a while: what keeps the connection alive, or null. */
  idle(): Buffer | null;
}

/**
 * What ended an answer: it was passed on whole (`ok`), the client left (`cancelled`), the provider broke off or told of an
 * error (`broken`), or it was ended here (`cut`). `error` has the reason of the last two.
 */
export interface AnswerEnd {
  readonly outcome: 'ok' | 'cancelled' | 'broken' | 'cut';
  readonly error: Error | null;
}
