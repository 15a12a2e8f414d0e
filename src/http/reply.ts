import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import { hasBody } from './body.ts';
import type { BodyTransform } from './body-transform.ts';
import type { HeaderList } from './headers.ts';

/** One request and its answer, as far as answering needs it. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The headers that every answer to this request has. */
  readonly headers: HeaderList;
}

const LINGER = { timeMs: 5_000, limitBytes: 256 * 1024 * 1024 } as const;
const WRITE_STALL_MS = 60_000;
const IDLE_COMMENT_MS = 15_000;

/** Answers with JSON. */
export function sendJson(exchange: Exchange, status: number, value: unknown, headers: HeaderList = []): void {
  const body = Buffer.from(JSON.stringify(value));
  sendBytes(exchange, status, body, ['content-type', 'application/json', ...headers]);
}

/** Answers without a body. */
export function sendEmpty(exchange: Exchange, status: number, headers: HeaderList = []): void {
  sendBytes(exchange, status, Buffer.alloc(0), headers);
}

/** Answers with an error in the envelope of contract section 6. */
export function sendError(exchange: Exchange, error: HttpError, headers: HeaderList = []): void {
  const own: HeaderList = [];
  for (const [name, value] of Object.entries(error.headers)) own.push(name, value);
  sendJson(exchange, error.status, { error: error.error }, [...own, ...headers]);
}

/** Answers with bytes that are all there. */
export function sendBytes(exchange: Exchange, status: number, body: Buffer, headers: HeaderList): void {
  const { req, res } = exchange;
  if (res.headersSent || res.destroyed) return;
  const length = status === 204 || status === 304 ? [] : ['content-length', String(body.length)];
  const head = [...exchange.headers, ...headers, ...length];
  if (hasBody(req) && !req.complete) {
    res.writeHead(status, [...head, 'connection', 'close']);
    if (req.method !== 'HEAD') res.write(body);
    linger(req, res);
    return;
  }
  res.writeHead(status, head);
  res.end(body);
}

/**
 * Ends an answer whose request is still arriving. Closing at once would reset the connection and take the answer from
 * a client that is still sending (RFC 9112 section 9.6), so what comes is thrown away for a while first.
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

export interface PumpOptions {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable;
  readonly transform: BodyTransform | null;
  /** Send the headers although no byte of the body is there yet (event streams: clients time out on headers). */
  readonly headersAtOnce: boolean;
}

export type PumpEnd = 'sent' | 'client-gone' | 'broken';

/**
 * Streams an answer with back-pressure. Resolves, never rejects: `sent`, `client-gone`, or `broken` when the upstream broke off midway.
 * The client's going away destroys the body, which aborts the upstream.
 */
export function pump(exchange: Exchange, options: PumpOptions): Promise<PumpEnd> {
  const { res } = exchange;
  const { body, transform } = options;
  return new Promise((resolve) => {
    let settled = false;
    let stall: NodeJS.Timeout | null = null;
    const idle = transform === null ? null : setInterval(() => onIdle(), IDLE_COMMENT_MS);
    const settle = (end: PumpEnd): void => {
      if (settled) return;
      settled = true;
      if (idle !== null) clearInterval(idle);
      if (stall !== null) clearTimeout(stall);
      resolve(end);
    };
    const onStall = (): void => {
      body.destroy();
      res.destroy();
      settle('client-gone');
    };
    const write = (bytes: Buffer | null): void => {
      if (bytes === null || bytes.length === 0 || res.write(bytes) || stall !== null) return;
      body.pause();
      stall = setTimeout(onStall, WRITE_STALL_MS);
    };
    let wroteSinceIdle = false;
    const onIdle = (): void => {
      if (!wroteSinceIdle && stall === null) write(transform?.idle() ?? null);
      wroteSinceIdle = false;
    };
    const onFail = (error: HttpError): void => {
      if (settled) return;
      const last = transform?.fail(error) ?? null;
      const { socket } = res;
      if (last === null) res.destroy();
      else res.end(last, () => socket?.destroySoon());
      settle('broken');
    };
    res.on('drain', () => {
      if (stall !== null) clearTimeout(stall);
      stall = null;
      if (!settled) body.resume();
    });
    res.on('close', () => {
      if (!settled) body.destroy();
      settle('client-gone');
    });
    body.on('error', (error) => onFail(asBroken(error)));
    res.writeHead(options.status, [...exchange.headers, ...options.headers]);
    body.on('data', (chunk: Buffer) => {
      wroteSinceIdle = true;
      if (transform === null) return write(chunk);
      try {
        write(transform.push(chunk));
      } catch (error) {
        body.destroy();
        onFail(asBroken(error));
      }
    });
    body.on('end', () => {
      if (settled) return;
      res.end(transform?.end() ?? undefined);
      settle('sent');
    });
    // Whoever looked at its beginning has paused it.
    if (body.isPaused()) body.resume();
    if (body.destroyed && !body.readableEnded) onFail(asBroken(body.errored));
    else if (options.headersAtOnce) setImmediate(() => res.flushHeaders());
  });
}

function asBroken(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError('upstream_invalid_response', 'The provider broke off its answer.', { cause: error });
}
