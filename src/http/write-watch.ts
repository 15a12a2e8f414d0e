import type { Socket } from 'node:net';

/** How much a client had taken at the last look. */
interface Seen {
  takenBytes: number;
  queuedBytes: number;
  /** Looks in a row at which bytes waited and the client had taken none. */
  stalls: number;
}

const LOOKS = 4;

/** The error of a connection whose client reads nothing. */
export class WriteStallError extends Error {
  override readonly name = 'WriteStallError';

  constructor() {
    super('the client took no byte for too long');
  }
}

/**
 * Ends connections whose client reads nothing. The timeout of the socket itself is no help: bytes from the client restart it,
 * and so does the end of each answer.
 */
export class WriteWatch {
  readonly #stallMs: number;
  readonly #seen = new Map<Socket, Seen>();
  #timer: NodeJS.Timeout | null = null;

  /** `stallMs`: for so long a client may read nothing. Its connection ends at most a quarter of that later. */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** Starts to look at all connections, until `stop()`. */
  start(): void {
    this.stop();
    // Not setInterval: after a blocked event loop, two looks could run without I/O between them.
    this.#timer = setTimeout(() => {
      this.#look();
      this.start();
    }, this.#stallMs / LOOKS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  add(socket: Socket): void {
    this.#seen.set(socket, { takenBytes: 0, queuedBytes: 0, stalls: 0 });
  }

  remove(socket: Socket): void {
    this.#seen.delete(socket);
  }

  #look(): void {
    for (const [socket, seen] of this.#seen) {
      const takenBytes = socket.bytesWritten - socket.writableLength;
      const queuedBytes = queuedBytesOf(socket);
      const isStill = takenBytes === seen.takenBytes && queuedBytes === seen.queuedBytes;
      seen.takenBytes = takenBytes;
      seen.queuedBytes = queuedBytes;
      seen.stalls = isStill && socket.writableLength > 0 ? seen.stalls + 1 : 0;
      if (seen.stalls >= LOOKS) socket.destroy(new WriteStallError());
    }
  }
}

/**
 * The bytes of the current write that the system has not taken yet. node:net uses this internal count for its own timeout and
 * has no public one: a large write to a slow client takes minutes, in which `writableLength` does not change.
 */
function queuedBytesOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & {
    readonly _handle?: { readonly writeQueueSize?: number } | null;
  };
  return handle?.writeQueueSize ?? 0;
}
