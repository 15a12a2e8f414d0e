import { ResponseError } from './response-head.ts';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const TRAILER_LF = 7;
const DONE = 8;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** Twelve hexadecimal digits are a quarter of a petabyte. */
const SIZE_DIGITS = 12;
/** For the extensions of one chunk, and for all trailers with those of the last chunk. Nobody needs them. */
const EXTRA_BYTES = 16 * 1024;
/** A quoted value may hold anything but a bare quote and a bare backslash (RFC 9110 section 5.6.4). */
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~\dA-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~\dA-Za-z-]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/;
const TRAILER_LINE = /^[!#$%&'*+.^_`|~\dA-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

/** Takes the chunks of a body apart (RFC 9112 section 7.1). Extensions and trailers are checked and dropped. */
export class Dechunker {
  /** The content of the last `push`: `[from, to)` of its bytes. */
  from = 0;
  to = 0;
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #line = '';
  #extraBytes = 0;

  /** Begins with another body. */
  reset(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
    this.#line = '';
    this.#extraBytes = 0;
  }

  get isDone(): boolean {
    return this.#state === DONE;
  }

  /**
   * Takes the bytes from `start` on, and moves the content of their chunks together, in place. Returns where the body ends, or
   * the number of bytes. @throws ResponseError, with the content before the error in `from` and `to`.
   */
  push(bytes: Buffer, start: number): number {
    this.from = start;
    this.to = start;
    let at = start;
    while (at < bytes.length && this.#state !== DONE) {
      if (this.#state === DATA) at = this.#takeData(bytes, at);
      else this.#takeByte(bytes[at++] as number);
    }
    return at;
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#size, bytes.length);
    if (this.from === this.to) {
      this.from = at;
      this.to = end;
    } else {
      bytes.copyWithin(this.to, at, end);
      this.to += end - at;
    }
    this.#size -= end - at;
    if (this.#size === 0) this.#state = DATA_CR;
    return end;
  }

  #takeByte(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#takeSize(byte);
        return;
      case EXTENSION:
        this.#takeExtension(byte);
        return;
      case SIZE_LF:
        this.#expect(byte, LF);
        this.#state = this.#size === 0 ? TRAILER : DATA;
        if (this.#state === DATA) this.#extraBytes = 0;
        return;
      case DATA_CR:
        this.#expect(byte, CR);
        this.#state = DATA_LF;
        return;
      case DATA_LF:
        this.#expect(byte, LF);
        this.#state = SIZE;
        this.#digits = 0;
        return;
      case TRAILER:
        this.#takeTrailer(byte);
        return;
      default:
        this.#expect(byte, LF);
        this.#endTrailer();
    }
  }

  #takeSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0 && this.#digits < SIZE_DIGITS) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      return;
    }
    if (this.#digits === 0) throw new ResponseError('a bad chunk size');
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) {
      this.#state = EXTENSION;
      this.#addToLine(byte);
    } else throw new ResponseError('a bad chunk size');
  }

  #takeExtension(byte: number): void {
    if (byte !== CR) {
      this.#addToLine(byte);
      return;
    }
    if (!EXTENSIONS.test(this.#line)) throw new ResponseError('a bad chunk extension');
    this.#line = '';
    this.#state = SIZE_LF;
  }

  #takeTrailer(byte: number): void {
    if (byte === CR) this.#state = TRAILER_LF;
    else this.#addToLine(byte);
  }

  #endTrailer(): void {
    const line = this.#line;
    this.#line = '';
    this.#state = line === '' ? DONE : TRAILER;
    if (line !== '' && !TRAILER_LINE.test(line)) throw new ResponseError('a bad trailer');
  }

  #addToLine(byte: number): void {
    this.#extraBytes += 1;
    if (this.#extraBytes > EXTRA_BYTES) throw new ResponseError('too many extensions or trailers');
    this.#line += String.fromCharCode(byte);
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) throw new ResponseError('a chunk that does not end where it should');
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
