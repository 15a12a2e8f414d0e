import type { CancelSignal } from '../cancellation.ts';
import type { UpstreamRequest, UpstreamResponse } from './adapter.ts';
import type { Connection } from './connection.ts';
import type { OutgoingRequest } from './upstream/request-head.ts';
import { type Repeat, Transfer, type TransferOwner } from './upstream/transfer.ts';
import { invalidResponse, statusProblem } from './upstream-failures.ts';

/** Sends requests to upstreams; nothing else opens sockets to them. Redirects are never followed. */
export interface Upstreams {
  /**
   * Resolves once the headers of the response have arrived. Aborting the signal closes the connection at any time. The
   * connection counts against the share of the consumer until it is free again. If a kept connection turns out closed before any
   * byte of a response, the request is sent once more on a new one. A body of kind `stream` can be sent only once, so it
   * always gets a new connection.
   * @throws HttpError `server_overloaded` if the share is used up; `UpstreamFailure` with code `upstream_unreachable`,
   * `upstream_timeout`, `upstream_invalid_response`; the signal's reason if it was aborted. The body errors with the same
   * errors later.
   */
  send(request: UpstreamRequest, options: SendOptions): Promise<UpstreamResponse>;
  /** The number of requests whose connections are not free again. */
  openRequests(): number;
}

/** What a sender notes for its caller. */
export interface SendNote {
  /** Set when the client leaves before the response: true if the provider had the whole request by then. */
  wasLeftUnanswered: boolean;
}

/** The sender keeps none of it but its members, because the response may stream for minutes. */
export interface SendOptions {
  readonly signal: CancelSignal;
  /** The user or key whose share of connections the request uses. */
  readonly consumer: string;
  /** Is told if the signal was aborted before the response ended. */
  readonly note?: SendNote;
}

/** Creates the sender of requests; each request uses its provider's own connections. */
export function createUpstreams(): Upstreams {
  const open = { count: 0 };
  return {
    openRequests: () => open.count,
    send: (request, options) =>
      new Promise((resolve, reject) => {
        const { connection } = request.provider;
        const release = take(connection, options.consumer, open);
        const { signal, note } = options;
        const sending = new Sending({ connection, signal, note: note ?? null, resolve, reject, release });
        // Writes are batched per event-loop turn, see `sendBytes`.
        setImmediate(startSending, sending, request);
      }),
  };
}

function startSending(sending: Sending, request: UpstreamRequest): void {
  sending.start(request);
}

/**
 * Counts a request until the function returned is called. A separate function, because a closure in `send` would keep the
 * request's body alive while the response streams. @throws HttpError as `Connection.takeShare`.
 */
function take(connection: Connection, consumer: string, open: { count: number }): () => void {
  connection.takeShare(consumer);
  open.count += 1;
  return () => {
    connection.giveShare(consumer);
    open.count -= 1;
  };
}

interface SendingOptions {
  readonly connection: Connection;
  readonly signal: CancelSignal;
  readonly note: SendNote | null;
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the count of the request, once its connection is free again. */
  readonly release: () => void;
}

/** One request until its connection is free again: one transfer, or two if a kept connection turns out closed. */
class Sending implements TransferOwner {
  readonly #sending: SendingOptions;
  #transfer: Transfer | null = null;
  #isRefused = false;

  constructor(sending: SendingOptions) {
    this.#sending = sending;
  }

  start(request: OutgoingRequest): void {
    const { signal } = this.#sending;
    signal.addEventListener('abort', this.#onAbort);
    this.#transferOnce(request, { isFresh: request.body.kind === 'stream', mayHaveRun: false });
  }

  onResponse(response: UpstreamResponse): void {
    const problem = statusProblem(response.status);
    if (problem !== null) {
      this.#transfer?.fail(invalidResponse(problem));
      return;
    }
    this.#isRefused = response.status >= 400;
    this.#sending.resolve(response);
  }

  onFailure(error: unknown): void {
    this.#sending.reject(error);
  }

  onClose(repeat: Repeat | null): void {
    if (repeat !== null) {
      this.#transferOnce(repeat.request, { isFresh: true, mayHaveRun: repeat.mayHaveRun });
      return;
    }
    this.#sending.signal.removeEventListener('abort', this.#onAbort);
    this.#sending.release();
  }

  #transferOnce(request: OutgoingRequest, options: { isFresh: boolean; mayHaveRun: boolean }): void {
    const { signal, connection } = this.#sending;
    this.#transfer = new Transfer(this, { destination: connection, ...options });
    if (signal.aborted) this.#onAbort();
    else this.#transfer.start(request);
  }

  readonly #onAbort = (): void => {
    const { signal, note } = this.#sending;
    if (!this.#isRefused && note !== null) note.wasLeftUnanswered = this.#transfer?.wasSentWhole() ?? false;
    this.#transfer?.fail(signal.reason);
  };
}
