import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './tokens.ts';

/** More white space before a name is not held back. */
const HELD_LIMIT_BYTES = 4_096;
const LETTER_N = 0x6e;

/**
 * - `elsewhere`: bytes pass.
 * - `before name`, `name`, `before value`: the member may be the wanted one, so its bytes are held back.
 * - `value`: in the value of the wanted member; its bytes are dropped.
 * - `after first`: behind a removed member that had no comma before it; a comma after it is dropped.
 */
type Phase = 'elsewhere' | 'before name' | 'name' | 'before value' | 'value' | 'after first';

/**
 * Removes a member of the outermost object, with one comma, from a JSON text that arrives in pieces of any size. A member whose
 * value is null stays. Every other byte passes as it is. It does not check that the text is JSON, and does not decode names.
 */
export class MemberRemover {
  /** The name with its quotes. */
  readonly #wanted: string;
  #phase: Phase = 'elsewhere';
  #depth = 0;
  #isInObject = false;
  #isInString = false;
  #isEscaped = false;
  /** The value that is removed is a number, true or false: it ends before the next other byte. */
  #isScalar = false;
  /** No member was passed on before the current one. */
  #isFirst = true;
  #name = '';
  /** What is held back from earlier pieces. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #piece: Buffer = Buffer.alloc(0);
  #out: Buffer[] = [];
  /** The next byte to look at, and the first one that was neither passed on nor dropped. */
  #at = 0;
  #from = 0;
  /** The next quote in the piece, found once for all the escapes before it. */
  #nextQuote = -1;

  constructor(name: string) {
    this.#wanted = JSON.stringify(name);
  }

  /** Takes the next piece and adds to `out` the bytes that can be passed on: the piece itself if nothing is removed. */
  push(piece: Buffer, out: Buffer[]): void {
    this.#piece = piece;
    this.#out = out;
    this.#at = 0;
    this.#from = 0;
    this.#nextQuote = -1;
    while (this.#at < piece.length) {
      if (this.#isInString) this.#readString();
      else this.#readByte(piece[this.#at] as number);
    }
    if (this.#isHolding) this.#holdRest();
    if (this.#phase === 'elsewhere') this.#pass(piece.length);
  }

  /** Adds the bytes that are still held back. Call it at the end of the text. */
  end(out: Buffer[]): void {
    out.push(...this.#held);
    this.#held = [];
  }

  get #isHolding(): boolean {
    return this.#phase === 'before name' || this.#phase === 'name' || this.#phase === 'before value';
  }

  #readByte(byte: number): void {
    const isClose = byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
    if (this.#phase === 'value' && this.#isScalar && (byte <= SPACE || byte === COMMA || isClose))
      this.#endRemoval();
    if (byte === QUOTE) this.#beginString();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(byte === OPEN_BRACE);
    else if (isClose) this.#close();
    else if (byte === COMMA) this.#passComma();
    else {
      if (this.#phase === 'before value' && byte > SPACE && byte !== COLON) this.#decide(byte);
      this.#at++;
    }
  }

  #beginString(): void {
    if (this.#phase === 'before name') {
      this.#phase = 'name';
      this.#name = '"';
    } else if (this.#phase === 'before value') this.#beginRemoval(false);
    this.#isInString = true;
    this.#at++;
  }

  #open(isObject: boolean): void {
    if (this.#phase === 'before value') this.#beginRemoval(false);
    this.#depth++;
    this.#at++;
    if (this.#depth > 1) return;
    this.#isInObject = isObject;
    if (isObject) this.#beginMember(true);
  }

  #close(): void {
    if (this.#phase === 'after first') this.#from = this.#at;
    if (this.#phase !== 'value') this.#release();
    this.#depth--;
    this.#at++;
    if (this.#phase === 'value' && this.#depth === 1) this.#endRemoval();
  }

  #passComma(): void {
    if (this.#depth === 1 && this.#isInObject) {
      const isFirst = this.#phase === 'after first';
      if (isFirst) this.#from = this.#at + 1;
      this.#release();
      if (!isFirst) this.#beginMember(false);
      this.#at++;
      if (isFirst) this.#beginMember(true);
    } else this.#at++;
  }

  /** Holds back what comes from here on. */
  #beginMember(isFirst: boolean): void {
    this.#pass(this.#at);
    this.#heldBytes = 0;
    this.#isFirst = isFirst;
    this.#phase = 'before name';
  }

  /** Decides by the first byte of a value that is neither a text nor a list nor an object. */
  #decide(byte: number): void {
    if (byte === LETTER_N) this.#release();
    else this.#beginRemoval(true);
  }

  #beginRemoval(isScalar: boolean): void {
    this.#held = [];
    this.#isScalar = isScalar;
    this.#phase = 'value';
  }

  #endRemoval(): void {
    this.#from = this.#at;
    this.#phase = this.#isFirst ? 'after first' : 'elsewhere';
  }

  /** Passes on what was held back. */
  #release(): void {
    this.end(this.#out);
    this.#phase = 'elsewhere';
  }

  #readString(): void {
    const piece = this.#piece;
    const start = this.#at;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#at++;
    } else {
      if (this.#nextQuote < start) this.#nextQuote = indexOrEnd(piece, QUOTE, start);
      const end = this.#nextQuote;
      const backslash = piece.subarray(start, end).indexOf(BACKSLASH);
      this.#isEscaped = backslash >= 0;
      if (!this.#isEscaped && end < piece.length) this.#isInString = false;
      this.#at = this.#isEscaped ? start + backslash + 1 : Math.min(end + 1, piece.length);
    }
    if (this.#phase === 'name') this.#readName(start);
    else if (this.#phase === 'value' && this.#depth === 1 && !this.#isInString) this.#endRemoval();
  }

  #readName(start: number): void {
    if (this.#name.length <= this.#wanted.length)
      this.#name += this.#piece.toString('latin1', start, this.#at);
    if (this.#name.length > this.#wanted.length) this.#release();
    else if (!this.#isInString && this.#name === this.#wanted) this.#phase = 'before value';
    else if (!this.#isInString) this.#release();
  }

  #holdRest(): void {
    const rest = this.#piece.subarray(this.#from);
    this.#held.push(Buffer.from(rest));
    this.#heldBytes += rest.length;
    this.#from = this.#piece.length;
    if (this.#heldBytes > HELD_LIMIT_BYTES) this.#release();
  }

  #pass(end: number): void {
    const { length } = this.#piece;
    if (end > this.#from) {
      this.#out.push(end - this.#from === length ? this.#piece : this.#piece.subarray(this.#from, end));
    }
    this.#from = Math.max(this.#from, end);
  }
}

function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const found = bytes.indexOf(byte, from);
  return found < 0 ? bytes.length : found;
}
