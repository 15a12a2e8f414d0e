import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { CancelSignal } from '../cancellation.ts';

import type { CompiledProvider, UpstreamBody, UpstreamRequest, UpstreamResponse } from './adapter.ts';
import { giveShare, takeShare } from './connection.ts';
import { complaintAbout, invalid, type TimerName, timedOut, unreachable } from './upstream-failures.ts';

/** Sends requests to upstreams: the only place that opens sockets to them. Redirects are never followed. */
export interface Upstreams {
  /**
   * Resolves once the answer's headers are there. Aborting the signal closes the connection at any time. `holder` is by
   * whom the connection is counted until it is free again. @throws HttpError `server_overloaded` where its share is used
   * up; `upstream_unreachable`, `upstream_timeout`, `upstream_invalid_response`; the signal's reason when it was aborted.
   * The body errors with the same later on.
   */
  send(request: UpstreamRequest, signal: CancelSignal, holder: string): Promise<UpstreamResponse>;
  /** Requests whose connections are not free again. */
  openRequests(): number;
}

/** Makes what sends requests to providers, each through the provider's own connections. */
export function createUpstreams(): Upstreams {
  const open = { count: 0 };
  return {
    openRequests: () => open.count,
    send: (request, signal, holder) =>
      new Promise((resolve, reject) => {
        const { provider } = request;
        takeShare(provider.connection, provider.id, holder);
        open.count += 1;
        const attempt = new Attempt({ provider, signal, holder, open, resolve, reject });
        // All requests of one turn of the event loop leave at its end, as answers do (`sendBytes`).
        setImmediate(() => attempt.start(request));
      }),
  };
}

interface AttemptOptions {
  readonly provider: CompiledProvider;
  readonly signal: CancelSignal;
  readonly holder: string;
  /** Counts this attempt until its connection is free again. */
  readonly open: { count: number };
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One request on its way: connecting, sending, waiting for headers, then the body, each with its own timer. It holds no
 * body: its answer may stream for minutes after a large one was sent.
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
        this.#fail(invalid('The provider switched protocols unasked.'));
      });
      outgoing.on('error', (error) => this.#onError(error));
      outgoing.on('close', this.#onClose);
      signal.addEventListener('abort', this.#onAbort);
      if (!outgoing.reusedSocket) {
        this.#arm(
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
    this.#arm(timeouts.connectTimeoutMs, 'connect', 'The provider did not accept the connection in time.');
    const ready = 'encrypted' in socket ? 'secureConnect' : 'connect';
    socket.once(ready, () => this.#awaitHeaders());
  };

  /** The clock for the headers runs once the request is sent: a long upload is watched by the idle timer. */
  #awaitHeaders(): void {
    this.#disarm();
    const outgoing = this.#outgoing;
    if (outgoing === null || this.#incoming !== null) return;
    const arm = (): void => {
      if (this.#incoming === null && this.#failure === null) {
        const { headersTimeoutMs } = this.#options.provider.connection.timeouts;
        this.#arm(headersTimeoutMs, 'headers', 'The provider did not answer in time.');
      }
    };
    if (!this.#isUpload || outgoing.writableFinished) arm();
    else outgoing.once('finish', arm);
  }

  readonly #onResponse = (incoming: IncomingMessage): void => {
    this.#disarm();
    this.#incoming = incoming;
    // Whoever reads the body finds a failure in `errored`, even one from before the reading began.
    incoming.on('error', ignore);
    const status = incoming.statusCode ?? 0;
    if (this.#failure !== null) return;
    const complaint = complaintAbout(status);
    if (complaint !== null) {
      this.#fail(invalid(complaint));
      return;
    }
    this.#options.resolve({ status, headers: incoming.headers, body: incoming });
  };

  /** Silence on the socket: a fault only while it is the provider's turn. */
  onIdle(): void {
    const { idleTimeoutMs } = this.#options.provider.connection.timeouts;
    if (this.#isProvidersTurn()) this.#fail(timedOut('The provider stopped sending.', 'idle', idleTimeoutMs));
    else this.rearmIdle();
  }

  /** Time in which we had stopped reading is not the provider's silence. */
  rearmIdle(): void {
    this.#socket?.setTimeout(this.#options.provider.connection.timeouts.idleTimeoutMs);
  }

  #isProvidersTurn(): boolean {
    const socket = this.#socket;
    const incoming = this.#incoming;
    if (socket === null || socket.connecting) return false;
    // Until the headers are there: only if it does not take what we have to send.
    if (incoming === null) return socket.writableLength > 0;
    return !socket.isPaused() && !incoming.complete;
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal.reason);

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#failure !== null) return;
    const answered = this.#incoming !== null || error.code?.startsWith('HPE_') === true;
    this.#fail(
      answered
        ? invalid('The provider sent a broken answer.', error)
        : unreachable(this.#options.provider.id, error),
    );
  }

  readonly #onClose = (): void => {
    this.#disarm();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (this.#watch?.attempt === this) this.#watch.attempt = null;
    if (this.#incoming === null) this.#fail(invalid('The provider closed the connection without an answer.'));
    this.#release();
  };

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error ?? new Error('aborted');
    this.#disarm();
    this.#options.reject(error);
    const cause = error instanceof Error ? error : new Error('aborted');
    this.#incoming?.destroy(cause);
    this.#outgoing?.destroy();
    // Of a request that is still waiting for a connection node:http tells nothing until one is free.
    if (this.#socket === null) this.#release();
  }

  /** The connection is free again, or was never used. */
  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { provider, holder, open } = this.#options;
    giveShare(provider.connection, holder);
    open.count -= 1;
  }

  #arm(timeoutMs: number, timer: TimerName, message: string): void {
    this.#disarm();
    this.#timer = setTimeout(() => this.#fail(timedOut(message, timer, timeoutMs)), timeoutMs);
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** A connection's listeners, put on once for all its requests, and who uses it now. */
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

/** A flat list, host first: node:http writes it as it is. */
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

/** Up to this size pieces are joined, so that a request leaves in one write. */
const JOIN_BYTES = 65_536;

function sendBody(outgoing: ClientRequest, body: UpstreamBody, fail: (error: unknown) => void): void {
  if (body.kind === 'none') return void outgoing.end();
  if (body.kind === 'stream') {
    // A client that breaks off, or a form found wrong midway, must never look like a finished request upstream.
    body.stream.on('error', fail);
    outgoing.on('close', () => body.stream.destroy());
    body.stream.pipe(inTurns()).pipe(outgoing);
    return;
  }
  const length = body.pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= JOIN_BYTES)
    return void outgoing.end(body.pieces.length === 1 ? body.pieces[0] : Buffer.concat(body.pieces));
  for (const piece of body.pieces) outgoing.write(piece);
  outgoing.end();
}

/**
 * Lets each piece wait for a turn of the event loop, in which an answer that came early is read. Where the provider has
 * answered and closed, the next write fails, and with the connection an answer that was not read yet would be lost.
 */
function inTurns(): Transform {
  return new Transform({
    transform: (piece, _encoding, done) => void setImmediate(done, null, piece),
  });
}
