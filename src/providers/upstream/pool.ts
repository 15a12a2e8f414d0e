import { type SocketKeeper, type SocketOptions, type SocketUser, UpstreamSocket } from './socket.ts';

/** A request that wants a connection. */
export interface PoolUser extends SocketUser {
  /** Here it is. If it is not ready, `onReady` follows. */
  onSocket(socket: UpstreamSocket): void;
}

/**
 * How long a connection is kept without a request: 4 seconds, because many servers close it after 5 (undici does the same). If
 * the provider announces another time (`Keep-Alive: timeout=N`), a second less than that, so that no request is sent into a
 * connection that is being closed.
 */
const KEPT_MS = 4_000;
const KEPT_MS_AT_MOST = 60_000;
const EARLIER_MS = 1_000;
/** Enough for a large class at work: a TLS handshake costs more CPU than a request. */
const KEPT_SOCKETS = 256;
/** How many connections may be in use at a time; further requests wait. */
export const MAX_SOCKETS = 1_024;
const SWEEP_MS = 500;

interface Waiting {
  readonly user: PoolUser;
  readonly isFresh: boolean;
}

/** The connections to one origin. The one that was used last is used next, so that those that are not needed end. */
export class Pool implements SocketKeeper {
  session: Buffer | null = null;
  maxSockets = MAX_SOCKETS;
  readonly options: SocketOptions;
  readonly #kept: UpstreamSocket[] = [];
  readonly #used = new Set<UpstreamSocket>();
  readonly #waiting: Waiting[] = [];
  #sweep: NodeJS.Timeout | null = null;
  /** The last `Keep-Alive` header and what it means: a provider mostly sends the same. */
  #hint: string | undefined = undefined;
  #hintedMs = KEPT_MS;

  /** Opens no connection yet. */
  constructor(options: SocketOptions) {
    this.options = options;
  }

  /** Connections in use, being made, or being closed. */
  get usedCount(): number {
    return this.#used.size;
  }

  /** Requests that wait because `maxSockets` connections are in use. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Gives a connection to a request, now or later. `isFresh`: one that no request has used. */
  take(user: PoolUser, isFresh: boolean): void {
    const kept = isFresh ? null : this.#takeKept();
    if (kept !== null) this.#give(kept, user);
    else if (this.#used.size < this.maxSockets) this.#open(user);
    else this.#waiting.push({ user, isFresh });
  }

  /** A request that waits does not want a connection any more. */
  cancel(user: PoolUser): void {
    const at = this.#waiting.findIndex((waiting) => waiting.user === user);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Takes a connection back from a request that is over. `hint`: the provider's `Keep-Alive` header. */
  giveBack(socket: UpstreamSocket, hint: string | undefined): void {
    if (hint !== this.#hint) {
      this.#hint = hint;
      this.#hintedMs = keptMsOf(hint);
    }
    const keptMs = this.#hintedMs;
    if (keptMs <= 0 || !socket.isOpen) {
      socket.destroy();
      return;
    }
    socket.unuse();
    // Bytes behind the response, which the other side must not have sent, are read first: they close the connection.
    if (this.#waiting.length > 0) setImmediate(this.#handOn, socket, keptMs);
    else this.#keep(socket, keptMs);
  }

  onClosed(socket: UpstreamSocket): void {
    const at = this.#used.delete(socket) ? -1 : this.#kept.indexOf(socket);
    if (at >= 0) this.#kept.splice(at, 1);
    const next = this.#used.size < this.maxSockets ? this.#waiting.shift() : undefined;
    if (next !== undefined) this.take(next.user, next.isFresh);
  }

  #open(user: PoolUser): void {
    const socket = new UpstreamSocket(this.options, this, user);
    this.#used.add(socket);
    user.onSocket(socket);
  }

  #give(socket: UpstreamSocket, user: PoolUser): void {
    this.#used.add(socket);
    socket.use(user);
    user.onSocket(socket);
  }

  readonly #handOn = (socket: UpstreamSocket, keptMs: number): void => {
    const [next] = this.#waiting;
    // Whoever waits hears of it when it is closed.
    if (!socket.isOpen) return;
    if (next === undefined) this.#keep(socket, keptMs);
    else if (next.isFresh) socket.destroy();
    else {
      this.#waiting.shift();
      this.#give(socket, next.user);
    }
  };

  #keep(socket: UpstreamSocket, keptMs: number): void {
    if (this.#kept.length >= KEPT_SOCKETS) {
      socket.destroy();
      return;
    }
    this.#used.delete(socket);
    socket.keptUntilMs = performance.now() + keptMs;
    this.#kept.push(socket);
    if (this.#sweep === null) this.#sweepLater();
  }

  #takeKept(): UpstreamSocket | null {
    for (;;) {
      const socket = this.#kept.pop();
      if (socket === undefined) return null;
      if (socket.isOpen && socket.keptUntilMs > performance.now()) return socket;
      socket.destroy();
    }
  }

  #sweepLater(): void {
    this.#sweep = setTimeout(this.#closeOld, SWEEP_MS);
    this.#sweep.unref();
  }

  readonly #closeOld = (): void => {
    this.#sweep = null;
    const nowMs = performance.now();
    for (const socket of this.#kept) {
      if (socket.keptUntilMs <= nowMs) socket.destroy();
    }
    if (this.#kept.length > 0) this.#sweepLater();
  };
}

/** How long a provider with this `Keep-Alive` header lets a connection be kept; 0 or less: not at all. */
export function keptMsOf(hint: string | undefined): number {
  const seconds = /(?:^|[,;\s])timeout\s*=\s*"?(\d+)/i.exec(hint ?? '')?.[1];
  return seconds === undefined ? KEPT_MS : Math.min(KEPT_MS_AT_MOST, Number(seconds) * 1000 - EARLIER_MS);
}
