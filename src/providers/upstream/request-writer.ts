import { lengthOf, type UpstreamBody } from './request-head.ts';
import type { UpstreamSocket } from './socket.ts';

/** Up to this size, head and body are sent in one write. */
const JOIN_BYTES = 65_536;
/** So few that the operating system takes them at once when it has taken everything before them. */
const TAIL_BYTES = 1_024;
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);

export interface WriterEvents {
  /** The last bytes were written to the connection. Of a large body, all bytes before them have left this process. */
  onHanded(): void;
  /** The source of the body failed. */
  onSourceError(error: unknown): void;
}

/** Writes one request to a connection; what is not in memory as fast as the provider takes it. */
export class RequestWriter {
  readonly #socket: UpstreamSocket;
  readonly #events: WriterEvents;
  #tail: Buffer | null = null;
  #isOver = false;
  #goOn: (() => void) | null = null;

  constructor(socket: UpstreamSocket, events: WriterEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  start(head: string, body: UpstreamBody): void {
    if (body.kind === 'stream') {
      this.#socket.write(Buffer.from(head, 'latin1'), false);
      void this.#sendStream(body.stream);
      return;
    }
    const pieces = body.kind === 'pieces' ? body.pieces : [];
    const bytes = lengthOf(pieces);
    if (bytes <= JOIN_BYTES) this.#writeLast(joined(head, pieces, bytes));
    else this.#sendLarge(Buffer.from(head, 'latin1'), pieces, bytes);
  }

  /** The operating system has taken what it was to tell of. Returns true if that was the end of the request. */
  onTaken(): boolean {
    const tail = this.#tail;
    if (tail === null) return true;
    this.#tail = null;
    this.#writeLast(tail);
    return false;
  }

  /** The connection takes more. */
  onDrain(): void {
    this.#goOn?.();
  }

  /** The request is over, sent or not. */
  stop(): void {
    this.#isOver = true;
    this.#tail = null;
    this.#goOn?.();
  }

  #writeLast(bytes: Buffer): void {
    this.#events.onHanded();
    this.#socket.write(bytes, true);
  }

  /** Sends the last bytes only when the operating system has taken all others: until then, the request is surely not whole. */
  #sendLarge(head: Buffer, pieces: readonly Buffer[], bytes: number): void {
    const socket = this.#socket;
    const tail: Buffer[] = [];
    let untilTail = bytes - TAIL_BYTES;
    socket.cork();
    socket.write(head, false);
    for (const piece of pieces) {
      if (untilTail > 0) socket.write(piece.subarray(0, untilTail), piece.length >= untilTail);
      if (piece.length > untilTail) tail.push(piece.subarray(Math.max(0, untilTail)));
      untilTail -= piece.length;
    }
    this.#tail = Buffer.concat(tail);
    socket.uncork();
  }

  /** A client that breaks off, or an invalid form, must never look like a finished request to the provider. */
  async #sendStream(stream: AsyncIterable<Buffer>): Promise<void> {
    const iterator = stream[Symbol.asyncIterator]();
    try {
      while (!this.#isOver) {
        const { done, value } = await iterator.next();
        if (this.#isOver) return;
        if (done === true) return this.#writeLast(LAST_CHUNK);
        if (value.length > 0) this.#writeChunk(value);
        await this.#pause();
      }
    } catch (error) {
      if (!this.#isOver) this.#events.onSourceError(error);
    } finally {
      void iterator.return?.(NOTHING).catch(() => {});
    }
  }

  #writeChunk(bytes: Buffer): void {
    const socket = this.#socket;
    socket.cork();
    socket.write(Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1'), false);
    socket.write(bytes, false);
    socket.write(LINE_END, false);
    socket.uncork();
  }

  /**
   * Waits until the connection takes more, and for the next turn of the event loop, so that an early response is read between
   * writes. If the provider has responded and closed, the next write fails, and an unread response would be lost with the
   * connection.
   */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#socket.needsDrain && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
    }
    this.#goOn = null;
  }
}

function joined(head: string, pieces: readonly Buffer[], bytes: number): Buffer {
  const all = Buffer.allocUnsafe(head.length + bytes);
  let at = all.write(head, 'latin1');
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
