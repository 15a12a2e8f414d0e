import type { Socket } from 'node:net';
import { ERRORS, type ErrorName } from '../errors.ts';
import { baseHeaders } from './headers.ts';

/** Why a message never reaches a handler. */
export type Refusal =
  | 'invalid_request_target'
  | 'request_timeout'
  | 'headers_too_large'
  | 'server_overloaded';

export interface RefusalOptions {
  readonly refusal: Refusal;
  readonly requestId: string;
  /** The answer to HEAD has no body (RFC 9110 section 9.3.2). */
  readonly isHead: boolean;
}

interface RefusalRow {
  readonly status: string;
  readonly error: ErrorName;
  readonly message: string;
  readonly header?: string;
}

const REFUSALS: Record<Refusal, RefusalRow> = {
  invalid_request_target: {
    status: '400 Bad Request',
    error: 'invalid_request_target',
    message: 'The request is malformed HTTP.',
  },
  headers_too_large: {
    status: '431 Request Header Fields Too Large',
    error: 'invalid_request_target',
    message: 'The headers of the request are 200 or more, or larger than 16 KB.',
  },
  request_timeout: {
    status: '408 Request Timeout',
    error: 'request_timeout',
    message: 'The head of the request came too slowly.',
  },
  server_overloaded: {
    status: '503 Service Unavailable',
    error: 'server_overloaded',
    message: 'Too many requests wait on your connections. Wait for answers before you send more.',
    header: 'retry-after: 2',
  },
};

/** What still arrives is thrown away for so long: closing at once would take the answer from the client. */
const LINGER_MS = 2_000;

/** Answers on the bare socket, where node:http has no response object, and closes the connection. */
export function writeRefusal(socket: Socket, options: RefusalOptions): void {
  const { refusal, requestId, isHead } = options;
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const { status, error, message, header } = REFUSALS[refusal];
  const { type, code } = ERRORS[error];
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/json', 'connection: close'];
  const base = baseHeaders(requestId, 'data');
  for (let index = 0; index < base.length; index += 2) head.push(`${base[index]}: ${base[index + 1]}`);
  if (header !== undefined) head.push(header);
  head.push(`content-length: ${Buffer.byteLength(body)}`, '', isHead ? '' : body);
  socket.end(head.join('\r\n'));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
