import type { HttpError } from '../errors.ts';

/**
 * What `pump` and the protocols agree on, apart from both, so that protocols need not know node:http.
 */

/** Changes bytes on their way to the client. What is returned is sent at once, text as UTF-8; null sends nothing. */
export interface BodyTransform {
  push(chunk: Buffer): Buffer | string | null;
  /** The response ended cleanly. */
  end(): Buffer | string | null;
  /** The response broke off: returns the last bytes for the client, or null to cut the connection. */
  fail(error: HttpError): Buffer | string | null;
  /** The error that was passed on as the end of the answer: nothing follows it. */
  readonly error: HttpError | null;
  /** What was pushed so far is a whole answer without an error: many clients leave then, and do not wait for the end. */
  readonly isWhole: boolean;
  /** Nothing was sent for a while: returns bytes that keep the connection alive, or null. */
  idle(): Buffer | string | null;
}

/**
 * How an answer ended: passed on whole (`ok`), left by the client (`cancelled`), broken off by the provider or ended with its
 * error (`broken`), ended by this server (`cut`), or an error in a stream without any content (`error`). `error` has the reason
 * for the last three.
 */
export interface AnswerEnd {
  readonly outcome: 'ok' | 'cancelled' | 'broken' | 'cut' | 'error';
  readonly error: Error | null;
  /** The client had all of the answer when it left. */
  readonly isTaken?: boolean;
}
