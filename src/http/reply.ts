import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpError } from '../errors.ts';
import { hasBody } from './body.ts';
import { type HeaderList, withOwnHeaders } from './headers.ts';

/** One request and its answer. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The headers of every answer to this request. */
  readonly headers: string[];
}

const LINGER = { timeMs: 5_000, limitBytes: 256 * 1024 * 1024 } as const;

/**
 * Answers with JSON.
 * @example sendJson(context, 201, { id: 'gpt' }, ['location', '/api/admin/models/gpt'])
 */
export function sendJson(exchange: Exchange, status: number, value: unknown, headers: HeaderList = []): void {
  const body = Buffer.from(JSON.stringify(value));
  sendBytes(exchange, status, body, ['content-type', 'application/json', ...headers]);
}

/** Answers without a body. */
export function sendEmpty(exchange: Exchange, status: number, headers: HeaderList = []): void {
  sendBytes(exchange, status, Buffer.alloc(0), headers);
}

/** Answers with an error in OpenAI's envelope, `{ error: { message, type, param, code } }`. */
export function sendError(exchange: Exchange, error: HttpError, headers: HeaderList = []): void {
  sendJson(exchange, error.status, { error: error.error }, [...error.headers, ...headers]);
}

/**
 * Answers with a complete body. It is written at the end of the event-loop turn, together with the turn's other answers: the
 * most expensive part of a write is to wake up the other side, and so one wake-up serves many.
 */
export function sendBytes(exchange: Exchange, status: number, body: Buffer, headers: HeaderList): void {
  const { req, res } = exchange;
  if (res.headersSent || res.destroyed) return;
  const head = withOwnHeaders(exchange.headers, headers);
  if (status !== 204 && status !== 304) head.push('content-length', String(body.length));
  if (hasBody(req) && !req.complete) {
    res.shouldKeepAlive = false;
    res.writeHead(status, head);
    if (req.method !== 'HEAD') res.write(body);
    linger(req, res);
    return;
  }
  res.writeHead(status, head);
  setImmediate(endWith, res, body);
}

function endWith(res: ServerResponse, body: Buffer): void {
  if (!res.destroyed) res.end(body);
}

/**
 * Ends an answer whose request is still arriving. Closing at once would reset the connection, and a client that is still
 * sending would lose the answer (RFC 9112 section 9.6): read and drop its bytes for a while first.
 */
function linger(req: IncomingMessage, res: ServerResponse): void {
  let bytes = 0;
  const finish = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(finish, LINGER.timeMs);
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER.limitBytes) finish();
  });
  req.on('end', finish);
  req.on('error', finish);
  req.on('close', finish);
  req.resume();
}
