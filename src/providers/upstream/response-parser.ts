import { countPassed } from '../../passed-buffers.ts';
import { Dechunker } from './dechunker.ts';
import { CHUNKED, parseHead, ResponseError, type ResponseHead, UNTIL_CLOSE } from './response-head.ts';

/** Gets the parts of a response in their order. */
export interface ResponseHandler {
  /** The final head; interim responses (1xx) are skipped. 101 is final, because nothing of HTTP may follow it. */
  onHead(head: ResponseHead): void;
  /** A piece of the body, at most one for each `push`. It belongs to the handler. */
  onBody(bytes: Buffer): void;
  /** The response is whole. `isClean`: no byte has come after it. */
  onEnd(isClean: boolean): void;
}

/** As node:http's limit for its own heads. */
const HEAD_BYTES = 16 * 1024;
const INTERIM_RESPONSES = 10_000;
const HEAD_END = Buffer.from('\r\n\r\n');
const START = 'HTTP/1.';
const CR = 0x0d;
const LF = 0x0a;

const HEAD = 0;
const LENGTH = 1;
const CHUNKS = 2;
const TO_CLOSE = 3;
const DONE = 4;

/**
 * Reads the response to one request after the other from a connection, strictly (RFC 9112): what two readers could understand
 * differently is refused, so that no bytes of one response ever become another.
 */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  readonly #chunks = new Dechunker();
  #phase = DONE;
  #isBodiless = false;
  /** The beginning of a head whose end has not come. */
  #partial: Buffer | null = null;
  #interims = 0;
  #leftBytes = 0;

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** A request is sent: its response comes next. `isBodiless`: it is only a head, whatever that says (RFC 9110 section 9.3.2). */
  begin(isBodiless: boolean): void {
    this.#phase = HEAD;
    this.#isBodiless = isBodiless;
    this.#partial = null;
    this.#interims = 0;
  }

  /**
   * Takes the next bytes of the connection, and changes them: they are valid only during the call.
   * @throws ResponseError once what came before the error was given to the handler; also for bytes outside a response
   */
  push(bytes: Buffer): void {
    if (this.#phase === DONE) throw new ResponseError('bytes outside a response');
    let at = 0;
    while (this.#phase === HEAD && at < bytes.length) at = this.#takeHead(bytes, at);
    if (this.#phase === HEAD) return;
    switch (this.#phase) {
      case LENGTH:
        this.#takeLength(bytes, at);
        return;
      case CHUNKS:
        this.#takeChunks(bytes, at);
        return;
      case TO_CLOSE:
        this.#give(bytes, at, bytes.length);
        return;
      default:
        this.#handler.onEnd(at === bytes.length);
        return;
    }
  }

  /** The connection has ended. Returns false if it has cut off the response. */
  finish(): boolean {
    if (this.#phase !== TO_CLOSE) return this.#phase === DONE;
    this.#phase = DONE;
    this.#handler.onEnd(false);
    return true;
  }

  /** Returns where the bytes after the head begin, or the number of bytes. */
  #takeHead(bytes: Buffer, at: number): number {
    const before = this.#partial?.length ?? 0;
    const rest = at === 0 ? bytes : bytes.subarray(at);
    const all = this.#partial === null ? rest : Buffer.concat([this.#partial, rest]);
    const end = all.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length));
    if (end > HEAD_BYTES || (end === -1 && all.length > HEAD_BYTES))
      throw new ResponseError('a head that is too large');
    if (end === -1) {
      checkBeginning(all, Math.max(0, before - 1));
      this.#partial = this.#partial === null ? Buffer.from(all) : all;
      return bytes.length;
    }
    this.#partial = null;
    this.#begin(parseHead(all.toString('latin1', 0, end)));
    return at + end + HEAD_END.length - before;
  }

  #begin(head: ResponseHead): void {
    const { status } = head;
    const bodyBytes = this.#isBodiless ? 0 : head.bodyBytes;
    if (status < 200 && status !== 101) {
      this.#interims += 1;
      if (this.#interims > INTERIM_RESPONSES) throw new ResponseError('too many interim responses');
      return;
    }
    this.#handler.onHead(head);
    if (bodyBytes === CHUNKED) {
      this.#chunks.reset();
      this.#phase = CHUNKS;
    } else if (bodyBytes === UNTIL_CLOSE) this.#phase = TO_CLOSE;
    else {
      this.#leftBytes = bodyBytes;
      this.#phase = bodyBytes === 0 ? DONE : LENGTH;
    }
  }

  #takeLength(bytes: Buffer, at: number): void {
    const end = Math.min(bytes.length, at + this.#leftBytes);
    this.#leftBytes -= end - at;
    if (this.#leftBytes === 0) this.#phase = DONE;
    this.#give(bytes, at, end);
    if (this.#leftBytes === 0) this.#handler.onEnd(end === bytes.length);
  }

  #takeChunks(bytes: Buffer, at: number): void {
    const chunks = this.#chunks;
    let end = bytes.length;
    try {
      end = chunks.push(bytes, at);
    } finally {
      this.#give(bytes, chunks.from, chunks.to);
    }
    if (!chunks.isDone) return;
    this.#phase = DONE;
    this.#handler.onEnd(end === bytes.length);
  }

  #give(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return;
    countPassed(to - from);
    this.#handler.onBody(copyOf(bytes, from, to));
  }
}

function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

/** What is no HTTP is refused at once: a provider that waits for something would else cost the time of a timeout. */
function checkBeginning(bytes: Buffer, from: number): void {
  const start = Math.min(START.length, bytes.length);
  if (bytes.toString('latin1', 0, start) !== START.slice(0, start)) throw new ResponseError('no HTTP/1.1');
  for (let at = from; at < bytes.length; at += 1) {
    const isAfterCr = bytes[at - 1] === CR;
    if ((bytes[at] === LF) !== isAfterCr) throw new ResponseError('a line end of one character');
  }
}
