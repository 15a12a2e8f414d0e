import type { BodySource } from '../../http/body-source.ts';
import { brokenBody, invalidResponse, type Timeout, timedOut, unreachable } from '../upstream-failures.ts';
import type { Destination } from './destination.ts';
import type { PoolUser } from './pool.ts';
import { type OutgoingRequest, requestHead } from './request-head.ts';
import { RequestWriter, type WriterEvents } from './request-writer.ts';
import { type BodyOrigin, ResponseBody } from './response-body.ts';
import type { ResponseHead, ResponseHeaders } from './response-head.ts';
import type { UpstreamSocket } from './socket.ts';

/** The response to a transfer, once its headers have arrived. */
export interface TransferResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The raw bytes. Fails with an HttpError if the provider breaks off or stalls. */
  readonly body: BodySource;
}

/** The request of a transfer whose kept connection turned out closed before any byte of a response had come. */
export interface Repeat {
  readonly request: OutgoingRequest;
  /** The request was sent whole on that connection. */
  readonly mayHaveRun: boolean;
}

/** Who started a transfer. */
export interface TransferOwner {
  /** The headers of the response have arrived. */
  onResponse(response: TransferResponse): void;
  /** There is no response, or its body broke off; the body fails with the same error. */
  onFailure(error: unknown): void;
  /** The last event: the connection is free again, or closed, or was never used. `repeat` stands for a failure that was not reported. */
  onClose(repeat: Repeat | null): void;
}

export interface TransferOptions {
  readonly destination: Destination;
  /** Use a new connection, not a kept one. */
  readonly isFresh: boolean;
  /** An earlier transfer of the same request may have run. */
  readonly mayHaveRun: boolean;
}

/** What the system says about a connection that the other end has closed. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * One request over one connection: connecting, sending, waiting for headers, receiving the body, each with its own timer. Does
 * not keep the request once the response begins, because the response may stream for minutes.
 */
export class Transfer implements PoolUser, WriterEvents, BodyOrigin {
  readonly #owner: TransferOwner;
  readonly #options: TransferOptions;
  /** Kept as long as it may have to be sent, or sent again. */
  #request: OutgoingRequest | null = null;
  #head = '';
  #socket: UpstreamSocket | null = null;
  #writer: RequestWriter | null = null;
  #body: ResponseBody | null = null;
  #keepAliveHint: string | undefined;
  #canKeep = false;
  #isHanded = false;
  #isSent = false;
  /** The response is whole. */
  #isComplete = false;
  #connectTimer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(owner: TransferOwner, options: TransferOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  start(request: OutgoingRequest): void {
    const { destination, isFresh } = this.#options;
    try {
      this.#head = requestHead(request, { host: destination.hostHeader, isKept: !isFresh });
      this.#request = request;
      destination.pool.take(this, isFresh);
      if (this.#socket === null)
        this.#startConnectTimer('No connection to the provider became free in time.');
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the transfer, unless it is over. The owner gets the error, and so does the reader of the body. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#owner.onFailure(error);
    const body = this.#body;
    this.#close(null);
    body?.fail(error instanceof Error ? error : new Error('aborted'));
  }

  /** The reader of the body has destroyed it. */
  leave(): void {
    this.#close(null);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  onSocket(socket: UpstreamSocket): void {
    this.#socket = socket;
    if (socket.isReady) this.#send(socket);
    else this.#startConnectTimer('The provider did not accept the connection in time.');
  }

  onReady(): void {
    if (this.#socket !== null) this.#send(this.#socket);
  }

  #send(socket: UpstreamSocket): void {
    const request = this.#request;
    if (request === null) return;
    this.#stopConnectTimer();
    if (!socket.isReused) this.#request = null;
    socket.begin(request.method === 'HEAD');
    const writer = new RequestWriter(socket, this);
    this.#writer = writer;
    writer.start(this.#head, request.body);
    this.#head = '';
  }

  onHanded(): void {
    this.#isHanded = true;
  }

  onSourceError(error: unknown): void {
    this.fail(error);
  }

  onDrain(): void {
    this.#writer?.onDrain();
  }

  onSent(): void {
    if (this.#writer?.onTaken() !== true) return;
    this.#isSent = true;
    this.#writer = null;
    // The idle timer watches the sending, and this one what follows.
    const { headersTimeoutMs } = this.#options.destination.timeouts;
    if (this.#body === null) this.#socket?.startHeadersTimer(headersTimeoutMs);
  }

  /**
   * The operating system has the last byte of the request. node:tls reports that one turn of the event loop too late, so there
   * the last bytes count as soon as they are written.
   */
  wasSentWhole(): boolean {
    return this.#isSent || (this.#isHanded && this.#socket?.isTls === true);
  }

  onHead(head: ResponseHead): void {
    this.#request = null;
    const { status, headers } = head;
    if (status === 101) {
      this.fail(invalidResponse('The provider switched protocols without being asked.'));
      return;
    }
    this.#canKeep = head.isKept && !this.#options.isFresh;
    this.#keepAliveHint = headers['keep-alive'];
    const body = new ResponseBody(this);
    this.#body = body;
    this.#owner.onResponse({ status, headers, body });
  }

  onBody(bytes: Buffer): void {
    this.#body?.push(bytes);
  }

  onEnd(isClean: boolean): void {
    const body = this.#body;
    this.#isComplete = true;
    this.#canKeep &&= isClean;
    this.#body = null;
    // A complete response needs no more of the request. One turn later, node:tls has reported what is sent.
    if (this.#isSent) this.#finish();
    else setImmediate(this.#finish);
    body?.end();
  }

  readonly #finish = (): void => {
    const socket = this.#socket;
    if (!this.#isOver && socket !== null && this.#isSent && this.#canKeep) {
      this.#socket = null;
      this.#options.destination.pool.giveBack(socket, this.#keepAliveHint);
    }
    this.#close(null);
  };

  onLate(): void {
    if (!this.#isSent || this.#body !== null || this.#isComplete) return;
    const timeoutMs = this.#options.destination.timeouts.headersTimeoutMs;
    this.fail(
      timedOut('The provider did not answer in time.', { timer: 'headers', timeoutMs, mayHaveRun: true }),
    );
  }

  /** Silence on the connection is a failure only while the provider has to read or send. */
  onIdle(): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (!this.#isProvidersTurn(socket)) {
      socket.restartIdleTimer();
      return;
    }
    const { idleTimeoutMs } = this.#options.destination.timeouts;
    const mayHaveRun = this.#body !== null || this.wasSentWhole() || this.#options.mayHaveRun;
    const timeout: Timeout = { timer: 'idle', timeoutMs: idleTimeoutMs, mayHaveRun };
    this.fail(timedOut('The provider stopped sending.', timeout));
  }

  #isProvidersTurn(socket: UpstreamSocket): boolean {
    if (!socket.isReady || this.#isComplete) return false;
    // Before the headers arrive, the provider only has to read what is sent to it.
    return this.#body === null ? socket.waitingBytes > 0 : !socket.isPaused;
  }

  onInvalid(error: unknown): void {
    const message = 'The provider sent a broken response.';
    if (this.#isComplete) this.#close(null);
    else this.fail(this.#body === null ? invalidResponse(message, error) : brokenBody(message, error));
  }

  onBroken(error: NodeJS.ErrnoException): void {
    if (this.#isComplete) this.#close(null);
    else if (this.#body === null) this.#breakUnanswered(error);
    else this.fail(brokenBody('The provider sent a broken response.', error));
  }

  onCut(): void {
    const error = closedError();
    if (this.#isComplete) this.#close(null);
    else if (this.#body === null) this.#breakUnanswered(error);
    else this.fail(brokenBody('The provider broke off its response.', error));
  }

  /** The connection broke, or was never made, before the head of a response was whole. */
  #breakUnanswered(error: NodeJS.ErrnoException): void {
    const mayHaveRun = this.wasSentWhole() || this.#options.mayHaveRun;
    const request = this.#request;
    const socket = this.#socket;
    const isRepeatable = socket?.isReused === true && !socket.hasBytes && CLOSED.has(error.code);
    if (request !== null && isRepeatable) this.#close({ request, mayHaveRun });
    else this.fail(unreachable(this.#options.destination.id, error, mayHaveRun));
  }

  #close(repeat: Repeat | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopConnectTimer();
    this.#request = null;
    this.#body = null;
    this.#writer?.stop();
    if (this.#socket === null) this.#options.destination.pool.cancel(this);
    else this.#socket.destroy();
    this.#owner.onClose(repeat);
  }

  #startConnectTimer(message: string): void {
    this.#stopConnectTimer();
    const timeoutMs = this.#options.destination.timeouts.connectTimeoutMs;
    const timeout: Timeout = { timer: 'connect', timeoutMs, mayHaveRun: this.#options.mayHaveRun };
    this.#connectTimer = setTimeout(() => this.fail(timedOut(message, timeout)), timeoutMs);
  }

  #stopConnectTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}

function closedError(): NodeJS.ErrnoException {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
