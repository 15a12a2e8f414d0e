/** Gets a body as it comes. */
export interface BodyReader {
  onData(bytes: Buffer): void;
  /** The body has ended, whole. Nothing follows. */
  onEnd(): void;
  /** The body has broken off. Nothing follows. */
  onError(error: Error): void;
}

/**
 * A body that arrives by itself and is pushed to its reader. Without a reader it waits. It has one owner, who destroys it:
 * that ends it at its source, and tells its reader nothing.
 */
export interface BodySource {
  /** Gives the body to a reader, in place of the one before. What waits is given to it before this returns. */
  read(reader: BodyReader): void;
  /** Takes the body from its reader, and puts bytes back in front of what has not been read. */
  unread(bytes: Buffer): void;
  /** The reader wants no more for now. */
  pause(): void;
  /** The reader wants more. What waits is given to it before this returns. */
  resume(): void;
  /** Ends the body. To call it again, or after its end, does nothing. */
  destroy(): void;
}

/** The pieces of a body in their order, for a reader that takes its time. Iteration throws what the body fails with. */
export async function* piecesOf(body: BodySource): AsyncGenerator<Buffer> {
  const queue = new PieceQueue(body);
  try {
    body.read(queue);
    for (;;) {
      const piece = await queue.next();
      if (piece === null) return;
      yield piece;
    }
  } finally {
    body.destroy();
  }
}

class PieceQueue implements BodyReader {
  readonly #body: BodySource;
  #piece: Buffer | null = null;
  #isEnded = false;
  #error: Error | null = null;
  #wake: () => void = () => {};

  constructor(body: BodySource) {
    this.#body = body;
  }

  async next(): Promise<Buffer | null> {
    for (;;) {
      if (this.#error !== null) throw this.#error;
      const piece = this.#piece;
      this.#piece = null;
      if (piece !== null || this.#isEnded) return piece;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#body.resume();
      await woken;
    }
  }

  onData(bytes: Buffer): void {
    this.#piece = this.#piece === null ? bytes : Buffer.concat([this.#piece, bytes]);
    this.#body.pause();
    this.#wake();
  }

  onEnd(): void {
    this.#isEnded = true;
    this.#wake();
  }

  onError(error: Error): void {
    this.#error = error;
    this.#wake();
  }
}

/** A body of pieces that are made while it is read. */
export function bodyOf(pieces: AsyncIterable<Buffer>): BodySource {
  return new MadeBody(pieces[Symbol.asyncIterator]());
}

class MadeBody implements BodySource {
  readonly #pieces: AsyncIterator<Buffer>;
  #reader: BodyReader | null = null;
  #held: Buffer | null = null;
  #isPaused = false;
  #isAsking = false;
  #isOver = false;

  constructor(pieces: AsyncIterator<Buffer>) {
    this.#pieces = pieces;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    this.resume();
  }

  unread(bytes: Buffer): void {
    this.#reader = null;
    this.#held = bytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#reader?.onData(held);
    if (!this.#isAsking) void this.#ask();
  }

  destroy(): void {
    this.#isOver = true;
    this.#reader = null;
    void this.#pieces.return?.().catch(() => {});
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      while (this.#reader !== null && !this.#isPaused && !this.#isOver) {
        const { done, value } = await this.#pieces.next();
        if (this.#isOver) return;
        if (done === true) this.#finish((reader) => reader.onEnd());
        else if (this.#reader !== null && !this.#isPaused) this.#reader.onData(value);
        else this.#held = value;
      }
    } catch (error) {
      const cause =
        error instanceof Error ? error : new Error('the body could not be made', { cause: error });
      if (!this.#isOver) this.#finish((reader) => reader.onError(cause));
    } finally {
      this.#isAsking = false;
    }
  }

  #finish(tell: (reader: BodyReader) => void): void {
    const reader = this.#reader;
    this.#isOver = true;
    this.#reader = null;
    if (reader !== null) tell(reader);
  }
}
