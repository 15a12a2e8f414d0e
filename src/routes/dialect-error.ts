import type { Dialect } from '../dialects/dialect.ts';
import type { HttpError } from '../errors.ts';
import { type Exchange, sendJson } from '../http/reply.ts';

interface FailedRequest {
  readonly error: HttpError;
  readonly dialect: Dialect;
  readonly requestId: string;
}

/** Answers with an error in the form of the client's protocol. */
export function sendDialectError(exchange: Exchange, { error, dialect, requestId }: FailedRequest): void {
  const { status, body, headers } = dialect.renderError(error, requestId);
  sendJson(exchange, status, body, headers);
}
