import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Refusal, writeRefusal } from './refusal.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

export interface GateOptions {
  readonly listener: Listener;
  readonly requestId: () => string;
  /** node:http drops what comes after its limit without a word, so a request that reaches it is refused. */
  readonly maxHeaders: number;
}

/** What node:http hands to `clientError`. */
export type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** What is known of a connection. */
interface Connection {
  /** The answer to the request that came last. */
  latest: ServerResponse | null;
  waiting: number;
  /** Something on it was refused: nothing further is served. */
  isRefused: boolean;
  /** What came last is broken: it is refused once the sound requests before it are answered. */
  isBroken: boolean;
}

/** Requests that may wait on one connection for the answer before theirs. */
const MAX_PIPELINED = 256;

/**
 * Stands between node:http and the handlers. Messages that must not reach a handler (two Hosts, an odd
 * Transfer-Encoding, a broken head) are answered here and their connection is closed. Of pipelined requests each waits
 * for the answer before it, and none is served after an answer that closes (RFC 9112 sections 9.3.2, 9.6).
 */
export class ConnectionGate {
  readonly #options: GateOptions;
  readonly #connections = new WeakMap<Socket, Connection>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  accept(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#of(req.socket);
    const before = connection.latest;
    connection.latest = res;
    const isOpen = (): boolean =>
      before?.shouldKeepAlive !== false && !connection.isRefused && !req.socket.destroyed;
    if (before === null || isOver(before)) {
      if (isOpen()) this.#admit(req, res, expectsContinue);
      return;
    }
    connection.waiting += 1;
    if (connection.waiting > MAX_PIPELINED) req.socket.destroy();
    before.once('close', () => {
      connection.waiting -= 1;
      if (isOpen()) this.#admit(req, res, expectsContinue);
    });
  }

  /** For what the parser, or the connection, stumbled over. */
  fail(error: ParseError, socket: Socket): void {
    const connection = this.#of(socket);
    if (connection.isRefused || connection.isBroken) return;
    const { latest } = connection;
    const refusal = refusalFor(error.code);
    const isHead = error.rawPacket?.subarray(0, 5).toString('latin1') === 'HEAD ';
    if (refusal === null) socket.destroy();
    else if (latest === null || isOver(latest)) this.#refuse(socket, refusal, isHead);
    else if (latest.req.complete) {
      // The requests before are sound, and answered or waiting for their turn: what is broken came after them.
      connection.isBroken = true;
      latest.once('close', () => this.#refuse(socket, refusal, false));
    } else if (latest.headersSent) socket.destroy();
    else this.#refuse(socket, refusal, isHead);
  }

  #admit(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const refusal = this.#complaintAbout(req);
    if (refusal === null) {
      this.#options.listener(req, res, expectsContinue);
      return;
    }
    this.#refuse(req.socket, refusal, req.method === 'HEAD');
    req.resume();
  }

  #complaintAbout(req: IncomingMessage): Refusal | null {
    if (req.rawHeaders.length >= 2 * this.#options.maxHeaders) return 'headers_too_large';
    return isAmbiguous(req) ? 'invalid_request_target' : null;
  }

  #refuse(socket: Socket, refusal: Refusal, isHead: boolean): void {
    this.#of(socket).isRefused = true;
    writeRefusal(socket, { refusal, requestId: this.#options.requestId(), isHead });
  }

  #of(socket: Socket): Connection {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const connection = { latest: null, waiting: 0, isRefused: false, isBroken: false };
    this.#connections.set(socket, connection);
    return connection;
  }
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
