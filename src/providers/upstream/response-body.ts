import type { BodyReader, BodySource } from '../../http/body-source.ts';

/** The connection that a body comes from. */
export interface BodyOrigin {
  pause(): void;
  resume(): void;
  /** Nobody wants the rest of the response. */
  leave(): void;
}

/** The body of a response. It holds what its reader has not taken: at most two reads of the connection, and what was put back. */
export class ResponseBody implements BodySource {
  /** null: the whole response has come, or it is over. */
  #origin: BodyOrigin | null;
  #reader: BodyReader | null = null;
  #held: Buffer | null = null;
  #isPaused = false;
  /** The whole response has come. */
  #isEnded = false;
  /** It failed or was destroyed. */
  #isOver = false;
  #error: Error | null = null;

  constructor(origin: BodyOrigin) {
    this.#origin = origin;
  }

  read(reader: BodyReader): void {
    if (this.#isOver) {
      reader.onError(this.#error ?? new Error('the body was closed before its end'));
      return;
    }
    this.#reader = reader;
    this.resume();
  }

  unread(bytes: Buffer): void {
    this.#reader = null;
    if (!this.#isOver) this.#held = this.#held === null ? bytes : Buffer.concat([bytes, this.#held]);
  }

  pause(): void {
    this.#isPaused = true;
    this.#origin?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null && held.length > 0) this.#reader?.onData(held);
    if (this.#isPaused || this.#reader === null) return;
    if (this.#isEnded) this.#end();
    else this.#origin?.resume();
  }

  destroy(): void {
    const origin = this.#origin;
    this.#close(null);
    origin?.leave();
  }

  /** The next bytes have come. */
  push(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#reader !== null && !this.#isPaused && this.#held === null) {
      this.#reader.onData(bytes);
      return;
    }
    if (this.#held === null) this.#held = bytes;
    else {
      // A reader mostly comes within the turn of the first bytes. Now it is late.
      this.#held = Buffer.concat([this.#held, bytes]);
      this.#origin?.pause();
    }
  }

  /** The response is whole. */
  end(): void {
    this.#origin = null;
    this.#isEnded = true;
    if (!this.#isPaused && this.#held === null) this.#end();
  }

  /** The response has broken off. What waits for the reader is dropped. */
  fail(error: Error): void {
    if (this.#isOver || this.#isEnded) return;
    const reader = this.#reader;
    this.#close(error);
    reader?.onError(error);
  }

  /** The reader may still put bytes back, for another one. */
  #end(): void {
    const reader = this.#reader;
    this.#reader = null;
    reader?.onEnd();
  }

  #close(error: Error | null): void {
    this.#isOver = true;
    this.#error = error;
    this.#origin = null;
    this.#reader = null;
    this.#held = null;
  }
}
