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
