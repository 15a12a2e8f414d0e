import type { HttpError } from '../errors.ts';

/** Changes bytes on their way to the client. What is returned is sent at once; null sends nothing. */
export interface BodyTransform {
  push(chunk: Buffer): Buffer | null;
  /** The upstream came to a clean end. */
  end(): Buffer | null;
  /** The upstream broke off: the last bytes for the client, or null to cut the connection. */
  fail(error: HttpError): Buffer | null;
  /** True once an error was passed on as such: nothing follows it, so the answer and the connection end. */
  readonly hasFailed?: boolean;
  /** Nothing was sent for a while: what keeps the connection alive, or null. */
  idle(): Buffer | null;
}
