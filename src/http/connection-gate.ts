import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { InflightBudget, InflightLease } from '../inflight-budget.ts';
import {
  HEAD_TOO_SLOW,
  HEADERS_TOO_LARGE,
  MALFORMED,
  type Refusal,
  TOO_MANY_WAITING,
  writeRefusal,
} from './refusal.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

export interface GateOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** node:http silently drops headers beyond its own limit, so the gate refuses a request that reaches this one. */
  readonly maxHeaders: number;
  /** Bytes of all requests that wait on one connection. */
  readonly maxWaitingBytes: number;
  /** Counts those bytes, by the client's address. */
  readonly budget: InflightBudget;
}

/** The error that node:http passes to `clientError`. */
export type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** A pipelined request that waits for the answer before its own. */
interface Waiting {
  readonly req: IncomingMessage;
  bytes: number;
  /** The budget had no room for it: it is refused when its turn comes. */
  readonly isTooMuch: boolean;
}

interface Connection {
  /** The client address that its waiting requests are counted for. */
  readonly consumer: string;
  /** The answer to the latest request. */
  latest: ServerResponse | null;
  /** In the order of their arrival. */
  readonly waiting: Waiting[];
  waitingBytes: number;
  /** Open while requests wait. */
  lease: InflightLease | null;
  /**
   * `broken`: the latest message cannot be parsed and is refused once the requests before it are answered; `refused`: a
   * refusal was sent, and nothing further is served.
   */
  state: 'sound' | 'broken' | 'refused';
}

/** The size of node:http's objects for a request, without its head: measured at 2 to 3 KiB. */
const REQUEST_BYTES = 2_048;

/**
 * Stands between node:http and the handlers, because node:http leaves two things open. It lets messages through that another
 * HTTP parser may read differently (two Hosts, an odd Transfer-Encoding) and answers broken ones without our envelope: the
 * gate refuses both and closes the connection. It also calls a handler for every pipelined request at once: the gate lets
 * each wait for the answer before it, serves none after an answer that closes (RFC 9112 sections 9.3.2, 9.6), counts the
 * waiting bytes, and closes a connection on which too many wait.
 */
export class ConnectionGate {
  readonly #options: GateOptions;
  readonly #connections = new Map<Socket, Connection>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Must be called for each new connection; `consumer`: the client address that its waiting requests are counted for. */
  open(socket: Socket, consumer: string): void {
    this.#connections.set(socket, {
      consumer,
      latest: null,
      waiting: [],
      waitingBytes: 0,
      lease: null,
      state: 'sound',
    });
  }

  /** Must be called when the connection is closed. */
  close(socket: Socket): void {
    // node:http tells the answers that still wait for their turn nothing.
    this.#connections.get(socket)?.lease?.release();
    this.#connections.delete(socket);
  }

  /** Must be called for each request. */
  accept(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return;
    const before = connection.latest;
    connection.latest = res;
    const isOpen = (): boolean =>
      before?.shouldKeepAlive !== false && connection.state !== 'refused' && !req.socket.destroyed;
    if (before === null || isOver(before)) {
      if (isOpen()) this.#admit(req, res, expectsContinue);
      return;
    }
    const waiting = this.#wait(connection, req);
    if (waiting === null) return;
    before.once('close', () => {
      endFirstWait(connection);
      if (!isOpen()) return;
      if (waiting.isTooMuch) this.#refuse(req, TOO_MANY_WAITING);
      else this.#admit(req, res, expectsContinue);
    });
  }

  /** Must be called for each error of the parser or the connection. */
  fail(error: ParseError, socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined && connection.state !== 'sound') return;
    const refusal = refusalFor(error.code);
    if (connection === undefined || refusal === null) {
      socket.destroy();
      return;
    }
    const { latest } = connection;
    const isHead = error.rawPacket?.subarray(0, 5).toString('latin1') === 'HEAD ';
    if (latest === null || isOver(latest)) this.#answer(socket, connection, refusal, isHead);
    else if (latest.req.complete) {
      // The requests before are sound, whether answered or waiting: the broken message came after them.
      connection.state = 'broken';
      latest.once('close', () => this.#answer(socket, connection, refusal, false));
    } else if (latest.headersSent) socket.destroy();
    else this.#answer(socket, connection, refusal, isHead);
  }

  /** Returns null if it closed the connection. */
  #wait(connection: Connection, req: IncomingMessage): Waiting | null {
    const last = connection.waiting.at(-1);
    const bodyBytes = last?.req.readableLength ?? 0;
    if (last !== undefined) last.bytes += bodyBytes;
    const bytes = REQUEST_BYTES + headBytes(req);
    connection.waitingBytes += bodyBytes + bytes;
    const isFull = connection.waitingBytes > this.#options.maxWaitingBytes;
    // A request without room is refused in its turn; a client that goes on sending does not read refusals.
    if (isFull || last?.isTooMuch === true) {
      req.socket.destroy();
      return null;
    }
    connection.lease ??= this.#options.budget.open(connection.consumer);
    const waiting = { req, bytes, isTooMuch: !connection.lease.growTo(connection.waitingBytes) };
    connection.waiting.push(waiting);
    return waiting;
  }

  #admit(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    if (req.rawHeaders.length >= 2 * this.#options.maxHeaders) this.#refuse(req, HEADERS_TOO_LARGE);
    else if (isAmbiguous(req)) this.#refuse(req, MALFORMED);
    else this.#options.listener(req, res, expectsContinue);
  }

  #refuse(req: IncomingMessage, refusal: Refusal): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return;
    this.#answer(req.socket, connection, refusal, req.method === 'HEAD');
    req.resume();
  }

  #answer(socket: Socket, connection: Connection, refusal: Refusal, isHead: boolean): void {
    connection.state = 'refused';
    writeRefusal(socket, refusal, this.#options.requestId(), isHead);
  }
}

/** Takes the first waiting request off the queue. */
function endFirstWait(connection: Connection): void {
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

/** True for no Host or several, and for framing that two HTTP parsers may read differently (RFC 9112 sections 3.2, 6.1). */
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

/** Null for errors of the connection itself: there is nobody to answer. */
function refusalFor(code: string | undefined): Refusal | null {
  if (code === 'HPE_HEADER_OVERFLOW') return HEADERS_TOO_LARGE;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return HEAD_TOO_SLOW;
  return code?.startsWith('HPE_') === true ? MALFORMED : null;
}
