import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './tokens.ts';
import { parseJson } from './value.ts';

/** Longer strings are neither names nor values that anybody looks for. */
const HELD_BYTES_AT_MOST = 4_096;
const DEPTH_AT_MOST = 128;
const NOTHING: Buffer = Buffer.alloc(0);

/** The bytes `[start, end)` of a text, counted over all its pieces. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Replaces the first string that stands at one of some places in a JSON text. The text comes in pieces of any size; every
 * other byte passes as it is, and no more than one string of 4 KiB is held back. It does not check that the text is JSON.
 */
export class JsonStringReplacer {
  readonly #places: ReadonlySet<string>;
  readonly #placeDepth: number;
  readonly #replacement: Buffer;
  #replaced: JsonSpan | null = null;
  #isDone = false;
  /** What is open, outermost first: true for an object; and the member of each that was named last. */
  readonly #open: boolean[] = [];
  readonly #names: string[] = [];
  #isAtName = false;
  #isInString = false;
  #isEscaped = false;
  #role: 'name' | 'value' | 'other' = 'other';
  /** A name so far, or a value so far, which is held back. */
  #text = NOTHING;
  #textStart = 0;
  #pushedBytes = 0;
  /** The next of each in the piece, found once for all strings in it. */
  #nextQuote = -1;
  #nextBackslash = -1;

  /** `places` are paths of member names, such as `response.model`; `replacement` is a JSON value. */
  constructor(places: readonly string[], replacement: Buffer) {
    this.#places = new Set(places);
    this.#placeDepth = Math.max(...places.map((place) => place.split('.').length));
    this.#replacement = replacement;
  }

  /** Where the replaced string stood; null as long as none was found. */
  get replaced(): JsonSpan | null {
    return this.#replaced;
  }

  /** Takes the next piece and adds to `out` what can be passed on. */
  push(piece: Buffer, out: Buffer[]): void {
    let given = 0;
    this.#nextQuote = -1;
    this.#nextBackslash = -1;
    for (let at = 0; at < piece.length && !this.#isDone; ) {
      if (!this.#isInString) {
        at = this.#readStructure(piece, at);
        if (!this.#isInString) continue;
        this.#textStart = this.#pushedBytes + at - 1;
      }
      const start = Math.max(0, this.#textStart - this.#pushedBytes);
      if (this.#role === 'value') give(piece, given, start, out);
      at = this.#readString(piece, at);
      if (this.#role === 'other') continue;
      if (this.#role === 'value') given = at;
      this.#text = Buffer.concat([this.#text, piece.subarray(start, at)]);
      if (this.#text.length > HELD_BYTES_AT_MOST) this.#dropText(out);
      else if (!this.#isInString) this.#endText(out);
    }
    give(piece, given, piece.length, out);
    this.#pushedBytes += piece.length;
  }

  /** Adds what is still held back; to be called where the text ends. */
  end(out: Buffer[]): void {
    if (this.#role === 'value' && this.#text.length > 0) out.push(this.#text);
    this.#text = NOTHING;
  }

  /** Reads on to the first byte of a string, or to the end of the piece. */
  #readStructure(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at];
      if (byte === QUOTE) {
        this.#isInString = true;
        this.#role = this.#roleOfString();
        return at + 1;
      }
      if (byte === COMMA) this.#isAtName = this.#open.at(-1) === true;
      else if (byte === COLON) this.#isAtName = false;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#isDone = this.#open.push(byte === OPEN_BRACE) > DEPTH_AT_MOST;
        this.#isAtName = byte === OPEN_BRACE;
        if (this.#isDone) return at;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#open.pop();
        this.#isAtName = false;
      }
    }
    return piece.length;
  }

  #roleOfString(): 'name' | 'value' | 'other' {
    const depth = this.#open.length;
    if (depth > this.#placeDepth || this.#open.includes(false)) return 'other';
    if (this.#isAtName) return 'name';
    return this.#places.has(this.#names.slice(0, depth).join('.')) ? 'value' : 'other';
  }

  /** Reads on to behind the closing quote, or to the end of the piece. */
  #readString(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        at++;
        continue;
      }
      if (this.#nextQuote < at) this.#nextQuote = indexOrEnd(piece, QUOTE, at);
      if (this.#nextBackslash < at) this.#nextBackslash = indexOrEnd(piece, BACKSLASH, at);
      this.#isEscaped = this.#nextBackslash < this.#nextQuote;
      at = Math.min(this.#nextBackslash, this.#nextQuote) + 1;
      if (this.#isEscaped || at > piece.length) continue;
      this.#isInString = false;
      return at;
    }
    return piece.length;
  }

  #endText(out: Buffer[]): void {
    if (this.#role === 'name') this.#names[this.#open.length - 1] = String(parseJson(this.#text));
    else {
      this.#replaced = { start: this.#textStart, end: this.#textStart + this.#text.length };
      this.#isDone = true;
      out.push(this.#replacement);
    }
    this.#text = NOTHING;
  }

  /** A text that is too long is nothing to look at. */
  #dropText(out: Buffer[]): void {
    if (this.#role === 'name') this.#names[this.#open.length - 1] = '';
    this.end(out);
    this.#role = 'other';
  }
}

function give(piece: Buffer, from: number, to: number, out: Buffer[]): void {
  if (to > from) out.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
}

function indexOrEnd(piece: Buffer, byte: number, from: number): number {
  const found = piece.indexOf(byte, from);
  return found < 0 ? piece.length : found;
}
