import type { Socket } from 'node:net';

/** How far a client had come when it was last looked at. */
interface Seen {
  takenBytes: number;
  queuedBytes: number;
  /** Looks in a row that found bytes waiting and not one of them taken. */
  still: number;
}

const LOOKS = 4;

/** With which a connection ends whose client reads nothing. */
export class WriteStallError extends Error {
  override readonly name = 'WriteStallError';

  constructor() {
    super('the client took no byte for too long');
  }
}

/**
 * Ends a connection whose client reads nothing. A socket's own timeout cannot tell: bytes that the client sends set it
 * back, and so does each answer that ends.
 */
export class WriteWatch {
  readonly #stallMs: number;
  readonly #seen = new Map<Socket, Seen>();
  #timer: NodeJS.Timeout | null = null;

  /** `stallMs`: so long a client may take nothing; it is ended at most a quarter of that later. */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** From now on, until `stop()`. */
  start(): void {
    this.stop();
    // Not setInterval: after a blocked event loop two looks must not run without I/O between them.
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
    this.#seen.set(socket, { takenBytes: 0, queuedBytes: 0, still: 0 });
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
      seen.still = isStill && socket.writableLength > 0 ? seen.still + 1 : 0;
      if (seen.still >= LOOKS) socket.destroy(new WriteStallError());
    }
  }
}

/**
 * What the system has not taken yet of the write that is under way. Node shows it nowhere else, and net's own timeout
 * goes by it: a large write to a slow client takes minutes, in which `writableLength` does not change.
 */
function queuedBytesOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & {
    readonly _handle?: { readonly writeQueueSize?: number } | null;
  };
  return handle?.writeQueueSize ?? 0;
}
