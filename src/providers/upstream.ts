import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { CancelSignal } from '../cancellation.ts';
import type { CompiledProvider, UpstreamBody, UpstreamRequest, UpstreamResponse } from './adapter.ts';
import {
  invalidResponse,
  statusProblem,
  type TimerName,
  timedOut,
  unreachable,
} from './upstream-failures.ts';

/** Sends requests to upstreams; nothing else opens sockets to them. Redirects are never followed. */
export interface Upstreams {
  /**
   * Resolves once the headers of the response have arrived. Aborting the signal closes the connection at any time. The
   * connection counts against the share of `consumer` until it is free again.
   * @throws HttpError `server_overloaded` if the share is used up; `upstream_unreachable`, `upstream_timeout`,
   * `upstream_invalid_response`; the signal's reason if it was aborted. The body errors with the same errors later.
   */
  send(request: UpstreamRequest, signal: CancelSignal, consumer: string): Promise<UpstreamResponse>;
  /** The number of requests whose connections are not free again. */
  openRequests(): number;
}

/** Creates the sender of requests; each request uses its provider's own connections. */
export function createUpstreams(): Upstreams {
  const open = { count: 0 };
  return {
    openRequests: () => open.count,
    send: (request, signal, consumer) =>
      new Promise((resolve, reject) => {
        const { provider } = request;
        provider.connection.takeShare(consumer);
        open.count += 1;
        const attempt = new Attempt({ provider, signal, consumer, open, resolve, reject });
        // Writes are batched per event-loop turn, see `sendBytes`.
        setImmediate(() => attempt.start(request));
      }),
  };
}

interface AttemptOptions {
  readonly provider: CompiledProvider;
  readonly signal: CancelSignal;
  readonly consumer: string;
  /** Counts this attempt until its connection is free again. */
  readonly open: { count: number };
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One request: connecting, sending, waiting for headers, receiving the body, each with its own timer. Does not keep the
 * request body, because the response may stream for minutes afterwards.
 */
class Attempt {
  readonly #options: AttemptOptions;
  #isUpload = false;
  #outgoing: ClientRequest | null = null;
  #incoming: IncomingMessage | null = null;
  #socket: Socket | null = null;
  #watch: Watch | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;
  #isOver = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  start(request: UpstreamRequest): void {
    const { signal, provider } = this.#options;
    const { connection } = provider;
    this.#isUpload = request.body.kind === 'stream';
    if (signal.aborted) return void this.#fail(signal.reason);
    try {
      const outgoing = connection.request({
        agent: connection.agent,
        hostname: connection.hostname,
        port: connection.port,
        method: request.method,
        path: request.path,
        headers: headerList(request, connection.hostHeader),
      });
      this.#outgoing = outgoing;
      outgoing.on('socket', this.#onSocket);
      outgoing.on('response', this.#onResponse);
      outgoing.on('upgrade', (_response, socket) => {
        socket.destroy();
        this.#fail(invalidResponse('The provider switched protocols without being asked.'));
      });
      outgoing.on('error', (error) => this.#onError(error));
      outgoing.on('close', this.#onClose);
      signal.addEventListener('abort', this.#onAbort);
      if (!outgoing.reusedSocket) {
        this.#startTimer(
          connection.timeouts.connectTimeoutMs,
          'connect',
          'No connection to the provider became free in time.',
        );
      }
      sendBody(outgoing, request.body, (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onSocket = (socket: Socket): void => {
    const { timeouts } = this.#options.provider.connection;
    this.#socket = socket;
    this.#watch = watch(socket, this);
    socket.setTimeout(timeouts.idleTimeoutMs);
    if (!socket.connecting) {
      this.#awaitHeaders();
      return;
    }
    this.#startTimer(
      timeouts.connectTimeoutMs,
      'connect',
      'The provider did not accept the connection in time.',
    );
    const ready = 'encrypted' in socket ? 'secureConnect' : 'connect';
    socket.once(ready, () => this.#awaitHeaders());
  };

  /** The timer for headers starts once the request is sent; the idle timer watches a long upload. */
  #awaitHeaders(): void {
    this.#stopTimer();
    const outgoing = this.#outgoing;
    if (outgoing === null || this.#incoming !== null) return;
    const arm = (): void => {
      if (this.#incoming === null && this.#failure === null) {
        const { headersTimeoutMs } = this.#options.provider.connection.timeouts;
        this.#startTimer(headersTimeoutMs, 'headers', 'The provider did not answer in time.');
      }
    };
    if (!this.#isUpload || outgoing.writableFinished) arm();
    else outgoing.once('finish', arm);
  }

  readonly #onResponse = (incoming: IncomingMessage): void => {
    this.#stopTimer();
    this.#incoming = incoming;
    // A reader that comes later finds the failure in `errored`.
    incoming.on('error', ignore);
    const status = incoming.statusCode ?? 0;
    if (this.#failure !== null) return;
    const problem = statusProblem(status);
    if (problem !== null) {
      this.#fail(invalidResponse(problem));
      return;
    }
    // A complete response needs no more of the upload.
    if (this.#isUpload)
      incoming.once('end', () => this.#outgoing?.writableFinished || this.#outgoing?.destroy());
    this.#options.resolve({ status, headers: incoming.headers, body: incoming });
  };

  /** Silence on the socket is a failure only while the provider has to read or send. */
  onIdle(): void {
    const { idleTimeoutMs } = this.#options.provider.connection.timeouts;
    if (this.#isProvidersTurn()) this.#fail(timedOut('The provider stopped sending.', 'idle', idleTimeoutMs));
    else this.rearmIdle();
  }

  /** Restarts the idle timer: while reading was paused here, the silence was not the provider's. */
  rearmIdle(): void {
    this.#socket?.setTimeout(this.#options.provider.connection.timeouts.idleTimeoutMs);
  }

  #isProvidersTurn(): boolean {
    const socket = this.#socket;
    const incoming = this.#incoming;
    if (socket === null || socket.connecting) return false;
    // Before the headers arrive, the provider only has to read what is sent to it.
    if (incoming === null) return socket.writableLength > 0;
    return !socket.isPaused() && !incoming.complete;
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal.reason);

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#failure !== null) return;
    const hasResponse = this.#incoming !== null || error.code?.startsWith('HPE_') === true;
    this.#fail(
      hasResponse
        ? invalidResponse('The provider sent a broken response.', error)
        : unreachable(this.#options.provider.id, error),
    );
  }

  readonly #onClose = (): void => {
    this.#stopTimer();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (this.#watch?.attempt === this) this.#watch.attempt = null;
    if (this.#incoming === null)
      this.#fail(invalidResponse('The provider closed the connection without a response.'));
    this.#release();
  };

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error ?? new Error('aborted');
    this.#stopTimer();
    this.#options.reject(error);
    const cause = error instanceof Error ? error : new Error('aborted');
    this.#incoming?.destroy(cause);
    this.#outgoing?.destroy();
    // node:http emits nothing for a request that still waits for a connection, so the share is given back here.
    if (this.#socket === null) this.#release();
  }

  /** The connection is free again, or was never used. */
  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { provider, consumer, open } = this.#options;
    provider.connection.giveShare(consumer);
    open.count -= 1;
  }

  #startTimer(timeoutMs: number, timer: TimerName, message: string): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => this.#fail(timedOut(message, timer, timeoutMs)), timeoutMs);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The attempt that uses a connection now. The connection's listeners are added once and serve all its requests. */
interface Watch {
  attempt: Attempt | null;
}

const watches = new WeakMap<Socket, Watch>();

function watch(socket: Socket, attempt: Attempt): Watch {
  const known = watches.get(socket);
  if (known !== undefined) {
    known.attempt = attempt;
    return known;
  }
  const made: Watch = { attempt };
  watches.set(socket, made);
  socket.on('timeout', () => made.attempt?.onIdle());
  socket.on('resume', () => made.attempt?.rearmIdle());
  return made;
}

function ignore(): void {}

/** The headers as a flat list, host first, which node:http writes unchanged. */
function headerList(request: UpstreamRequest, hostHeader: string): string[] {
  const list = ['host', hostHeader, ...request.headers];
  const { body } = request;
  if (body.kind === 'pieces') {
    let length = 0;
    for (const piece of body.pieces) length += piece.length;
    list.push('content-length', String(length));
  } else if (body.kind === 'stream') list.push('transfer-encoding', 'chunked');
  return list;
}

/** Up to this size, the pieces are joined and sent in one write. */
const JOIN_BYTES = 65_536;

function sendBody(outgoing: ClientRequest, body: UpstreamBody, fail: (error: unknown) => void): void {
  if (body.kind === 'none') return void outgoing.end();
  if (body.kind === 'stream') {
    // A client that breaks off, or an invalid form, must never look like a finished request to the upstream.
    body.stream.on('error', fail);
    outgoing.on('close', () => body.stream.destroy());
    body.stream.pipe(onePerTurn()).pipe(outgoing);
    return;
  }
  const length = body.pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= JOIN_BYTES)
    return void outgoing.end(body.pieces.length === 1 ? body.pieces[0] : Buffer.concat(body.pieces));
  for (const piece of body.pieces) outgoing.write(piece);
  outgoing.end();
}

/**
 * Passes one piece per turn of the event loop, so that an early response is read between writes. If the provider has responded
 * and closed, the next write fails, and an unread response would be lost with the connection.
 */
function onePerTurn(): Transform {
  return new Transform({
    transform: (piece, _encoding, done) => void setImmediate(done, null, piece),
  });
}
