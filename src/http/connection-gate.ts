import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { InflightBudget, InflightLease } from '../inflight-budget.ts';
import { type Refusal, writeRefusal } from './refusal.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

export interface GateOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** node:http drops what comes after its limit without a word, so a request that reaches it is refused. */
  readonly maxHeaders: number;
  /** What the requests that wait on one connection may take together. */
  readonly maxWaitingBytes: number;
  /** Counts them, by the client's address. */
  readonly budget: InflightBudget;
}

/** What node:http hands to `clientError`. */
export type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** A request that waits for the answer before its own. */
interface Waiting {
  readonly req: IncomingMessage;
  bytes: number;
  /** The budget had no room for it: it is refused when its turn comes. */
  readonly isTooMuch: boolean;
}

/** What is known of a connection. */
interface Connection {
  /** The client address that its waiting requests are counted for. */
  readonly holder: string;
  /** The answer to the request that came last. */
  latest: ServerResponse | null;
  /** In the order in which they came. */
  readonly waiting: Waiting[];
  waitingBytes: number;
  /** Open while requests wait. */
  lease: InflightLease | null;
  /** Something on it was refused: nothing further is served. */
  isRefused: boolean;
  /** What came last is broken: it is refused once the sound requests before it are answered. */
  isBroken: boolean;
}

/** What node:http makes of a request, beside its head: measured at 2 to 3 KiB. */
const REQUEST_BYTES = 2_048;

/**
 * Stands between node:http and the handlers. Messages that must not reach a handler (two Hosts, an odd
 * Transfer-Encoding, a broken head) are answered here and their connection is closed. Of pipelined requests each waits
 * for the answer before it, and none is served after an answer that closes (RFC 9112 sections 9.3.2, 9.6). What waits is
 * counted; a connection on which too much waits is closed.
 */
export class ConnectionGate {
  readonly #options: GateOptions;
  readonly #connections = new Map<Socket, Connection>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Must be called for each new connection; `holder`: the client address that its waiting requests count for. */
  open(socket: Socket, holder: string): void {
    this.#connections.set(socket, {
      holder,
      latest: null,
      waiting: [],
      waitingBytes: 0,
      lease: null,
      isRefused: false,
      isBroken: false,
    });
  }

  /** Must be called when the connection is closed. */
  close(socket: Socket): void {
    // The answers that still wait for their turn are told nothing by node:http.
    this.#connections.get(socket)?.lease?.release();
    this.#connections.delete(socket);
  }

  accept(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return;
    const before = connection.latest;
    connection.latest = res;
    const isOpen = (): boolean =>
      before?.shouldKeepAlive !== false && !connection.isRefused && !req.socket.destroyed;
    if (before === null || isOver(before)) {
      if (isOpen()) this.#admit(req, res, expectsContinue);
      return;
    }
    const waiting = this.#wait(connection, req);
    if (waiting === null) return;
    before.once('close', () => {
      leave(connection);
      if (!isOpen()) return;
      if (waiting.isTooMuch) this.#refuse(req, 'server_overloaded');
      else this.#admit(req, res, expectsContinue);
    });
  }

  /** For what the parser, or the connection, stumbled over. */
  fail(error: ParseError, socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection?.isRefused === true || connection?.isBroken === true) return;
    const refusal = refusalFor(error.code);
    if (connection === undefined || refusal === null) {
      socket.destroy();
      return;
    }
    const { latest } = connection;
    const isHead = error.rawPacket?.subarray(0, 5).toString('latin1') === 'HEAD ';
    const refuse = (isHeadRequest: boolean): void =>
      this.#answer(socket, connection, { refusal, isHead: isHeadRequest });
    if (latest === null || isOver(latest)) refuse(isHead);
    else if (latest.req.complete) {
      // The requests before are sound, and answered or waiting for their turn: what is broken came after them.
      connection.isBroken = true;
      latest.once('close', () => refuse(false));
    } else if (latest.headersSent) socket.destroy();
    else refuse(isHead);
  }

  /** Null where it closed the connection. */
  #wait(connection: Connection, req: IncomingMessage): Waiting | null {
    const last = connection.waiting.at(-1);
    const bodyBytes = last?.req.readableLength ?? 0;
    if (last !== undefined) last.bytes += bodyBytes;
    const bytes = REQUEST_BYTES + headBytes(req);
    connection.waitingBytes += bodyBytes + bytes;
    const isFull = connection.waitingBytes > this.#options.maxWaitingBytes;
    // One that the budget had no room for is refused in its turn; whoever goes on sending does not read refusals.
    if (isFull || last?.isTooMuch === true) {
      req.socket.destroy();
      return null;
    }
    connection.lease ??= this.#options.budget.open(connection.holder);
    const waiting = { req, bytes, isTooMuch: !connection.lease.growTo(connection.waitingBytes) };
    connection.waiting.push(waiting);
    return waiting;
  }

  #admit(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const refusal = this.#complaintAbout(req);
    if (refusal === null) this.#options.listener(req, res, expectsContinue);
    else this.#refuse(req, refusal);
  }

  #complaintAbout(req: IncomingMessage): Refusal | null {
    if (req.rawHeaders.length >= 2 * this.#options.maxHeaders) return 'headers_too_large';
    return isAmbiguous(req) ? 'invalid_request_target' : null;
  }

  #refuse(req: IncomingMessage, refusal: Refusal): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return;
    this.#answer(req.socket, connection, { refusal, isHead: req.method === 'HEAD' });
    req.resume();
  }

  #answer(socket: Socket, connection: Connection, what: { refusal: Refusal; isHead: boolean }): void {
    connection.isRefused = true;
    writeRefusal(socket, { ...what, requestId: this.#options.requestId() });
  }
}

/** The first of those that wait has its turn. */
function leave(connection: Connection): void {
  const first = connection.waiting.shift();
  connection.waitingBytes -= first?.bytes ?? 0;
  if (connection.waiting.length > 0) return;
  connection.lease?.release();
  connection.lease = null;
}

function headBytes({ url = '', rawHeaders }: IncomingMessage): number {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

function isOver(res: ServerResponse): boolean {
  return res.writableFinished || res.destroyed;
}

/** No Host, or several, and framing that two HTTP parsers may read differently (RFC 9112 sections 3.2, 6.1). */
function isAmbiguous(req: IncomingMessage): boolean {
  let hosts = 0;
  const { rawHeaders } = req;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1 || (hosts === 0 && req.httpVersion !== '1.0')) return true;
  const encoding = req.headers['transfer-encoding'];
  return encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || req.httpVersion === '1.0');
}

/** Null for errors of the connection itself: nobody is left to be told. */
function refusalFor(code: string | undefined): Refusal | null {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return code?.startsWith('HPE_') === true ? 'invalid_request_target' : null;
}
