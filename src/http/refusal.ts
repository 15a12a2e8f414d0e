import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorName } from '../errors.ts';
import { baseHeaders } from './headers.ts';

/** The answer to a message that never reaches a handler. */
export interface Refusal {
  readonly error: ErrorName;
  readonly message: string;
  /** Where it is not the error's own. */
  readonly status?: number;
}

export const MALFORMED: Refusal = {
  error: 'invalid_request_target',
  message: 'The request is malformed HTTP.',
};
export const HEADERS_TOO_LARGE: Refusal = {
  status: 431,
  error: 'invalid_request_target',
  message: 'The request has 200 headers or more, or its headers are larger than 16 KB.',
};
export const HEAD_TOO_SLOW: Refusal = {
  error: 'request_timeout',
  message: 'The head of the request came too slowly.',
};
export const TOO_MANY_WAITING: Refusal = {
  error: 'server_overloaded',
  message: 'Too many requests wait on your connections. Wait for answers before you send more.',
};

/** For this long incoming bytes are thrown away: closing at once could take the answer from the client. */
const LINGER_MS = 2_000;

/**
 * Answers on the bare socket, where node:http has no response object, and closes the connection.
 * @param isHead the answer to HEAD has no body (RFC 9110 section 9.3.2)
 */
export function writeRefusal(socket: Socket, refusal: Refusal, requestId: string, isHead: boolean): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const { error, message } = refusal;
  const { type, code, status: usual } = ERRORS[error];
  const status = refusal.status ?? usual;
  const body = JSON.stringify({ error: { message, type, param: null, code } });
  const all = ['content-type', 'application/json', 'connection', 'close', ...baseHeaders(requestId, 'data')];
  if (status === 503) all.push('retry-after', '2');
  all.push('content-length', String(Buffer.byteLength(body)));
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (let index = 0; index < all.length; index += 2) head += `${all[index]}: ${all[index + 1]}\r\n`;
  socket.end(`${head}\r\n${isHead ? '' : body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
