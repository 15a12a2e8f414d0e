import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { CompiledProvider, UpstreamRequest, UpstreamResponse } from './adapter.ts';
import { leaveConnection, useConnection } from './connection-user.ts';
import { headerList, sendBody } from './request-body.ts';
import {
  brokenBody,
  invalidResponse,
  statusProblem,
  type Timeout,
  timedOut,
  unreachable,
} from './upstream-failures.ts';

/** The request of a transfer whose kept connection turned out closed before any byte of a response had come. */
export interface Repeat {
  readonly request: UpstreamRequest;
  /** The request was sent whole on that connection. */
  readonly mayHaveRun: boolean;
}

/** Who started a transfer. */
export interface TransferOwner {
  /** The headers of the response have arrived. */
  onResponse(response: UpstreamResponse): void;
  /** There is no response, or its body broke off; the body errors with the same error. */
  onFailure(error: unknown): void;
  /** The last event: the connection is free again, or was never used. `repeat` stands for a failure that was not reported. */
  onClose(repeat: Repeat | null): void;
}

export interface TransferOptions {
  readonly provider: CompiledProvider;
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
export class Transfer {
  readonly #owner: TransferOwner;
  readonly #options: TransferOptions;
  /** Kept as long as it may have to be repeated. */
  #request: UpstreamRequest | null = null;
  #repeat: Repeat | null = null;
  #outgoing: ClientRequest | null = null;
  #incoming: IncomingMessage | null = null;
  #socket: Socket | null = null;
  /** What the connection had received before this transfer; on TLS, without the bytes of TLS itself. */
  #bytesBefore = 0;
  #isHanded = false;
  #isSecured = false;
  #isSent = false;
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;
  #isOver = false;

  constructor(owner: TransferOwner, options: TransferOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  start(request: UpstreamRequest): void {
    const { provider, isFresh } = this.#options;
    const { connection } = provider;
    try {
      const outgoing = connection.request({
        agent: isFresh ? connection.freshAgent : connection.agent,
        hostname: connection.hostname,
        port: connection.port,
        method: request.method,
        path: request.path,
        headers: headerList(request, connection.hostHeader),
      });
      this.#outgoing = outgoing;
      if (!isFresh) this.#request = request;
      outgoing.on('socket', this.#onSocket);
      outgoing.on('finish', this.#onFinish);
      outgoing.on('response', this.#onResponse);
      outgoing.on('upgrade', (_response, socket) => {
        socket.destroy();
        this.fail(invalidResponse('The provider switched protocols without being asked.'));
      });
      outgoing.on('error', this.#onError);
      outgoing.on('close', this.#onClose);
      if (!outgoing.reusedSocket) {
        this.#startTimer('connect', 'No connection to the provider became free in time.');
      }
      sendBody(outgoing, request.body, this);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the transfer, unless it has failed already. The owner gets the error, and so does the reader of the body. */
  fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#owner.onFailure(error);
    this.#end(error ?? new Error('aborted'));
  }

  #end(failure: unknown): void {
    this.#failure = failure;
    this.#request = null;
    this.#stopTimer();
    this.#incoming?.destroy(failure instanceof Error ? failure : new Error('aborted'));
    this.#outgoing?.destroy();
    // node:http emits nothing for a request that still waits for a connection.
    if (this.#socket === null) this.#release();
  }

  readonly #onSocket = (socket: Socket): void => {
    this.#socket = socket;
    this.#bytesBefore = socket.bytesRead;
    if (useConnection(socket, this)) this.#request = null;
    socket.setTimeout(this.#idleTimeoutMs);
    const isTls = 'encrypted' in socket;
    if (!socket.connecting) {
      this.#isSecured = isTls;
      this.#stopTimer();
      return;
    }
    this.#startTimer('connect', 'The provider did not accept the connection in time.');
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      this.#isSecured = isTls;
      this.#stopTimer();
      this.#awaitHeaders();
    });
  };

  onHanded(): void {
    this.#isHanded = true;
  }

  onSourceError(error: unknown): void {
    this.fail(error);
  }

  readonly #onFinish = (): void => {
    // node:http says so for a failed write too.
    const socket = this.#socket;
    if (socket === null || socket.destroyed || socket.errored !== null) return;
    this.#isSent = true;
    this.#awaitHeaders();
  };

  /** The timer for headers starts once the request is sent; the idle timer watches the sending. */
  #awaitHeaders(): void {
    if (!this.#isSent || this.#incoming !== null || this.#failure !== null) return;
    this.#startTimer('headers', 'The provider did not answer in time.');
  }

  /**
   * The operating system has the last byte of the request. node:tls reports that one turn of the event loop too late, so there
   * the last bytes count as soon as they are written.
   */
  wasSentWhole(): boolean {
    return this.#isSent || (this.#isHanded && this.#isSecured);
  }

  readonly #onResponse = (incoming: IncomingMessage): void => {
    this.#stopTimer();
    this.#request = null;
    this.#incoming = incoming;
    // A reader that comes later finds the failure in `errored`.
    incoming.on('error', ignore);
    const status = incoming.statusCode ?? 0;
    if (this.#failure !== null) return;
    const problem = statusProblem(status);
    if (problem !== null) {
      this.fail(invalidResponse(problem));
      return;
    }
    if (!this.#isSent) incoming.once('end', this.#onEarlyEnd);
    this.#owner.onResponse({ status, headers: incoming.headers, body: incoming });
  };

  /** A complete response needs no more of the request. One turn later, node:tls has reported what is sent. */
  readonly #onEarlyEnd = (): void => {
    setImmediate(() => this.#isSent || this.#outgoing?.destroy());
  };

  /** Silence on the socket is a failure only while the provider has to read or send. */
  onIdle(): void {
    if (!this.#isProvidersTurn()) {
      this.onResume();
      return;
    }
    const mayHaveRun = this.#incoming !== null || this.wasSentWhole() || this.#options.mayHaveRun;
    this.fail(
      timedOut('The provider stopped sending.', {
        timer: 'idle',
        timeoutMs: this.#idleTimeoutMs,
        mayHaveRun,
      }),
    );
  }

  /** Restarts the idle timer: while reading was paused here, the silence was not the provider's. */
  onResume(): void {
    this.#socket?.setTimeout(this.#idleTimeoutMs);
  }

  get #idleTimeoutMs(): number {
    return this.#options.provider.connection.timeouts.idleTimeoutMs;
  }

  #isProvidersTurn(): boolean {
    const socket = this.#socket;
    const incoming = this.#incoming;
    if (socket === null || socket.connecting) return false;
    // Before the headers arrive, the provider only has to read what is sent to it.
    if (incoming === null) return socket.writableLength > 0;
    return !socket.isPaused() && !incoming.complete;
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#failure !== null) return;
    const incoming = this.#incoming;
    if (incoming !== null) {
      if (!incoming.complete) this.fail(brokenBody('The provider sent a broken response.', error));
    } else if (error.code?.startsWith('HPE_') === true) {
      this.fail(invalidResponse('The provider sent a broken response.', error));
    } else this.#onBreak(error);
  };

  /** The connection broke, or was never made, before the headers of a response were whole. */
  #onBreak(error: NodeJS.ErrnoException): void {
    const mayHaveRun = this.wasSentWhole() || this.#options.mayHaveRun;
    const request = this.#request;
    const isUnanswered = this.#socket?.bytesRead === this.#bytesBefore;
    if (request === null || !isUnanswered || !CLOSED.has(error.code)) {
      this.fail(unreachable(this.#options.provider.id, error, mayHaveRun));
      return;
    }
    this.#repeat = { request, mayHaveRun };
    this.#end(error);
  }

  /** Before node:http ends the body with an error of its own. */
  onSocketClose(): void {
    const incoming = this.#incoming;
    if (incoming === null || incoming.complete || incoming.destroyed) return;
    this.fail(brokenBody('The provider broke off its response.', closedError()));
  }

  readonly #onClose = (): void => {
    this.#stopTimer();
    if (this.#socket !== null) leaveConnection(this.#socket, this);
    if (this.#incoming === null && this.#failure === null) this.#onBreak(closedError());
    this.#release();
  };

  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onClose(this.#repeat);
  }

  #startTimer(timer: 'connect' | 'headers', message: string): void {
    this.#stopTimer();
    const { connectTimeoutMs, headersTimeoutMs } = this.#options.provider.connection.timeouts;
    const timeoutMs = timer === 'connect' ? connectTimeoutMs : headersTimeoutMs;
    const mayHaveRun = timer === 'headers' || this.#options.mayHaveRun;
    const timeout: Timeout = { timer, timeoutMs, mayHaveRun };
    this.#timer = setTimeout(() => this.fail(timedOut(message, timeout)), timeoutMs);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function closedError(): NodeJS.ErrnoException {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

function ignore(): void {}
