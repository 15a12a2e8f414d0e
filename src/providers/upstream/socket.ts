import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ResponseHead } from './response-head.ts';
import { type ResponseHandler, ResponseParser } from './response-parser.ts';

/** How connections to one origin are made. */
export interface SocketOptions {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  /** Resolves the host, and may refuse addresses. Not asked for a host that is an address. */
  readonly lookup: LookupFunction | undefined;
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** For so long neither side may be silent while a request runs, see `SocketUser.onIdle`. */
  readonly idleTimeoutMs: number;
}

/** The request that uses a connection. */
export interface SocketUser extends ResponseHandler {
  /** The connection is made. */
  onReady(): void;
  /** The operating system has taken the last byte of the request. */
  onSent(): void;
  /** There is room for more of the request. */
  onDrain(): void;
  /** The response is no HTTP, or its parts contradict each other. */
  onInvalid(error: unknown): void;
  /** The connection broke, or could not be made. */
  onBroken(error: NodeJS.ErrnoException): void;
  /** The other side has closed the connection before the response was whole. */
  onCut(): void;
  /** Nothing was sent or received for the idle timeout. */
  onIdle(): void;
  /** The headers timeout has passed since `startHeadersTimer`, though the head may have come. */
  onLate(): void;
}

/** Who keeps connections. */
export interface SocketKeeper {
  /** The connection is closed. */
  onClosed(socket: UpstreamSocket): void;
  /** Session tickets for the next connection (RFC 8446 section 4.6.1); null: the server does not take them. */
  session: Buffer | null;
}

/**
 * After so long a silence the system tries whether the other side is still there: a provider may think for minutes, and
 * routers forget connections that are silent for less.
 */
const PROBE_MS = 30_000;
const READ_BYTES = 64 * 1024;
/**
 * What is read is copied out before the next read, so that all connections share one buffer. Windows may fill the buffers of
 * several connections at the same time.
 */
const SHARED = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(READ_BYTES);

/** One connection to a provider, used by one request after the other. */
export class UpstreamSocket implements ResponseHandler {
  /** The connection is made; on TLS, the certificate is checked. */
  isReady = false;
  /** An earlier request has used it. */
  isReused = false;
  /** Any byte has come since `begin`. */
  hasBytes = false;
  /** While it is kept without a request: until when; in milliseconds of `performance.now()`. */
  keptUntilMs = 0;
  readonly isTls: boolean;
  readonly #keeper: SocketKeeper;
  readonly #idleTimeoutMs: number;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #user: SocketUser | null;
  #isPaused = false;
  /** One for all requests, because to restart a timer costs less than to make and stop one for each. */
  #headersTimer: NodeJS.Timeout | null = null;

  constructor(options: SocketOptions, keeper: SocketKeeper, user: SocketUser) {
    this.#keeper = keeper;
    this.#user = user;
    this.isTls = options.isTls;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    const socket = open(options, keeper.session, this.#onRead);
    this.#socket = socket;
    socket.setTimeout(options.idleTimeoutMs);
    socket.once(options.isTls ? 'secureConnect' : 'connect', this.#onReady);
    socket.on('timeout', () => this.#user?.onIdle());
    socket.on('drain', () => this.#user?.onDrain());
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    if (options.isTls) {
      socket.on('session', (session: Buffer) => {
        keeper.session = session;
      });
    }
  }

  /** False once it is closed, or about to be. */
  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** Bytes that the operating system has not taken. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Gives the connection to a request. */
  use(user: SocketUser): void {
    this.#user = user;
    this.#socket.ref();
  }

  /** Takes the connection from its request. A process need not wait for it. */
  unuse(): void {
    this.#user = null;
    this.isReused = true;
    this.resume();
    this.#socket.unref();
  }

  /** A request is about to be written. */
  begin(isBodiless: boolean): void {
    this.hasBytes = false;
    this.#parser.begin(isBodiless);
  }

  /** Writes a part of a request. Of the last part the user hears `onSent`. */
  write(bytes: Buffer, isLast: boolean): void {
    if (isLast) this.#socket.write(bytes, this.#onWritten);
    else this.#socket.write(bytes);
  }

  /** What is written until `uncork` leaves together. */
  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
    this.restartIdleTimer();
  }

  /** Of the last start the user hears `onLate`. `timeoutMs` is the same for all requests. */
  startHeadersTimer(timeoutMs: number): void {
    if (this.#headersTimer === null) this.#headersTimer = setTimeout(this.#onLate, timeoutMs).unref();
    else this.#headersTimer.refresh();
  }

  readonly #onLate = (): void => {
    this.#user?.onLate();
  };

  restartIdleTimer(): void {
    this.#socket.setTimeout(this.#idleTimeoutMs);
  }

  /** Closes the connection. Its user hears nothing more. */
  destroy(): void {
    this.#user = null;
    this.#socket.destroy();
  }

  onHead(head: ResponseHead): void {
    this.#user?.onHead(head);
  }

  onBody(bytes: Buffer): void {
    this.#user?.onBody(bytes);
  }

  onEnd(isClean: boolean): void {
    this.#user?.onEnd(isClean);
  }

  readonly #onReady = (): void => {
    this.isReady = true;
    // Not as options of the connection, which node:tls ignores on Node 20.
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, PROBE_MS);
    this.#user?.onReady();
  };

  readonly #onRead = (length: number, buffer: Uint8Array): boolean => {
    const user = this.#user;
    // Nobody has asked: the bytes must never become the response to a later request (CVE-2026-48931).
    if (user === null) this.#socket.destroy();
    else {
      this.hasBytes = true;
      try {
        this.#parser.push((buffer as Buffer).subarray(0, length));
      } catch (error) {
        user.onInvalid(error);
      }
    }
    return true;
  };

  readonly #onWritten = (error?: Error | null): void => {
    if (!error && !this.#socket.destroyed) this.#user?.onSent();
  };

  readonly #onEnd = (): void => {
    const socket = this.#socket;
    // node:tls has ended it with an error of its own, which follows.
    if (socket.destroyed) return;
    if (!this.isReady || !this.#parser.finish()) this.#user?.onCut();
    socket.destroy();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const user = this.#user;
    this.#user = null;
    user?.onBroken(error);
  };

  readonly #onClose = (hadError: boolean): void => {
    const user = this.#user;
    this.#user = null;
    if (this.#headersTimer !== null) clearTimeout(this.#headersTimer);
    user?.onCut();
    if (hadError) this.#keeper.session = null;
    this.#keeper.onClosed(this);
  };
}

type OnRead = (length: number, buffer: Uint8Array) => boolean;

function open(options: SocketOptions, session: Buffer | null, callback: OnRead): Socket {
  const { isTls, host, port, lookup } = options;
  const onread = { buffer: SHARED ?? Buffer.allocUnsafeSlow(READ_BYTES), callback };
  const tcp = {
    host,
    port,
    onread,
    ...(lookup === undefined ? {} : { lookup }),
  };
  if (!isTls) return connectTcp(tcp);
  const tls = {
    ...tcp,
    // Even where the environment turns the check off.
    rejectUnauthorized: true,
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    ...(session === null ? {} : { session }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  return connectTls(tls);
}
