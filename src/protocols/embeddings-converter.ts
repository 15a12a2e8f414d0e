import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../json/tokens.ts';
import { parseJson } from '../json/value.ts';
import { base64ToFloats, floatsToBase64 } from './float32.ts';

export interface EmbeddingsOptions {
  /** What the client gets. */
  readonly encoding: 'float' | 'base64';
  /** The name to put for the answer's `model`; null leaves the upstream's. */
  readonly model: string | null;
}

/** What is being read: structure; a string; an array of which it is not known yet what is in it; an array of numbers. */
type Mode = 'structure' | 'string' | 'array' | 'numbers';
type StringRole = 'name' | 'vector' | 'model' | 'other';

/** A vector of 65,536 numbers has about 1.5 MiB. */
const KEPT_BYTES_AT_MOST = 4_194_304;
const DEPTH_AT_MOST = 128;

/**
 * Reads an answer of `/v1/embeddings` in chunks of any size and gives its bytes back, with vectors and the model's name
 * changed. It does not check that the rest is JSON. Vectors are `data[].embedding`.
 */
export class EmbeddingsConverter {
  /** True once anything was changed. */
  hasChanged = false;
  readonly #options: EmbeddingsOptions;
  #mode: Mode = 'structure';
  #role: StringRole = 'other';
  #isEscaped = false;
  /** What is open, outermost first: true for an object. */
  readonly #open: boolean[] = [];
  #isAtName = false;
  /** The member of the answer that is being read, and that of an element of its `data`. */
  #rootName = '';
  #itemName = '';
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Where the bytes of the chunk begin that were not given back yet. */
  #from = 0;
  #out: Buffer[] = [];
  /** Where the value begins in the chunk that is kept until it is whole, or null; and what earlier chunks had of it. */
  #keptFrom: number | null = null;
  #kept = new ByteGatherer();
  /** The next of each in the chunk, found once for all strings in it. */
  #nextQuote = -1;
  #nextBackslash = -1;

  constructor(options: EmbeddingsOptions) {
    this.#options = options;
  }

  /**
   * Takes the next chunk and gives the bytes that are known by now.
   * @throws HttpError `upstream_invalid_response`.
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunk = chunk;
    this.#at = 0;
    this.#from = 0;
    this.#out = [];
    this.#nextQuote = -1;
    this.#nextBackslash = -1;
    while (this.#at < chunk.length) this.#readOn();
    this.#give(this.#keptFrom ?? chunk.length);
    if (this.#keptFrom !== null) this.#keepRest(chunk.subarray(this.#keptFrom));
    return this.#out;
  }

  /**
   * To be called after the last chunk.
   * @throws HttpError `upstream_invalid_response` where the answer is not whole.
   */
  end(): void {
    if (this.#mode !== 'structure' || this.#open.length > 0) throw unreadable();
  }

  #readOn(): void {
    if (this.#mode === 'structure') this.#readStructure();
    else if (this.#mode === 'string') this.#readString();
    else if (this.#mode === 'array') this.#readArrayStart();
    else this.#readNumbers();
  }

  #readStructure(): void {
    while (this.#mode === 'structure' && this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++];
      if (byte === QUOTE) this.#startString();
      else if (byte === COMMA) this.#isAtName = this.#open.at(-1) === true;
      else if (byte === COLON) this.#isAtName = false;
      else if (byte === OPEN_BRACKET && this.#isAtVector()) this.#startArray();
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) this.#enter(byte === OPEN_BRACE);
      else if ((byte === CLOSE_BRACKET || byte === CLOSE_BRACE) && this.#open.pop() === undefined) {
        throw unreadable();
      }
    }
  }

  #enter(isObject: boolean): void {
    if (this.#open.push(isObject) > DEPTH_AT_MOST) throw unreadable();
    this.#isAtName = isObject;
    if (this.#open.length === 1) this.#rootName = '';
    this.#itemName = '';
  }

  #isAtVector(): boolean {
    const isMember = !this.#isAtName && this.#rootName === 'data' && this.#itemName === 'embedding';
    return isMember && this.#isInItem();
  }

  /** Whether the innermost object is an element of an array that is a member of the answer. */
  #isInItem(): boolean {
    const [root, list, item] = this.#open;
    return this.#open.length === 3 && root === true && list === false && item === true;
  }

  #startString(): void {
    this.#mode = 'string';
    this.#role = this.#roleOfString();
    if (this.#role !== 'other') this.#keptFrom = this.#at - 1;
  }

  #roleOfString(): StringRole {
    const isInRoot = this.#open.length === 1 && this.#open[0] === true;
    if (this.#isAtName) return isInRoot || this.#isInItem() ? 'name' : 'other';
    if (this.#options.encoding === 'float' && this.#isAtVector()) return 'vector';
    return this.#options.model !== null && isInRoot && this.#rootName === 'model' ? 'model' : 'other';
  }

  #readString(): void {
    const { length } = this.#chunk;
    while (this.#at < length) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        this.#at++;
        continue;
      }
      if (this.#nextQuote < this.#at) this.#nextQuote = this.#find(QUOTE);
      if (this.#nextBackslash < this.#at) this.#nextBackslash = this.#find(BACKSLASH);
      this.#isEscaped = this.#nextBackslash < this.#nextQuote;
      this.#at = Math.min(this.#isEscaped ? this.#nextBackslash : this.#nextQuote, length - 1) + 1;
      if (!this.#isEscaped && this.#nextQuote < length) {
        this.#endString();
        return;
      }
    }
  }

  /** Where a byte is next, or the chunk's length. */
  #find(byte: number): number {
    const found = this.#chunk.indexOf(byte, this.#at);
    return found < 0 ? this.#chunk.length : found;
  }

  #endString(): void {
    const { model } = this.#options;
    this.#mode = 'structure';
    if (this.#role === 'name') this.#setName(this.#finishKept());
    else if (this.#role === 'vector') this.#finishKept(toNumbers);
    else if (this.#role === 'model') this.#finishKept(() => Buffer.from(JSON.stringify(model)));
  }

  #setName(raw: Buffer): void {
    const name = String(parseJson(raw));
    if (this.#open.length === 1) this.#rootName = name;
    else this.#itemName = name;
  }

  #startArray(): void {
    this.#mode = 'array';
    if (this.#options.encoding === 'base64') this.#keptFrom = this.#at - 1;
  }

  /** Looks at the first value in the array: several vectors in one are let be. */
  #readArrayStart(): void {
    while (this.#at < this.#chunk.length && (this.#chunk[this.#at] ?? 0) <= 0x20) this.#at++;
    const byte = this.#chunk[this.#at];
    if (byte === undefined) return;
    this.#mode = 'numbers';
    if (byte !== OPEN_BRACKET && byte !== OPEN_BRACE && byte !== QUOTE) return;
    this.#mode = 'structure';
    if (this.#keptFrom !== null) this.#finishKept();
    this.#enter(false);
  }

  #readNumbers(): void {
    const close = this.#find(CLOSE_BRACKET);
    this.#at = Math.min(close + 1, this.#chunk.length);
    if (close === this.#chunk.length) return;
    this.#mode = 'structure';
    if (this.#keptFrom !== null) this.#finishKept(toBase64);
  }

  #keepRest(rest: Buffer): void {
    if (this.#kept.length + rest.length > KEPT_BYTES_AT_MOST) throw unreadable();
    this.#kept.add(rest);
    this.#keptFrom = 0;
  }

  /** Ends the value that is kept: gives it as it is, or what `change` makes of it. */
  #finishKept(change: (raw: Buffer) => Buffer = (raw) => raw): Buffer {
    const start = this.#keptFrom ?? this.#at;
    const here = this.#chunk.subarray(start, this.#at);
    const raw = this.#wholeWith(here);
    const bytes = change(raw);
    const isSame = bytes === raw || bytes.equals(raw);
    if (!isSame) this.hasChanged = true;
    if (!isSame || raw !== here) {
      this.#give(start);
      this.#out.push(bytes);
      this.#from = this.#at;
    }
    this.#keptFrom = null;
    return raw;
  }

  /** The value that is kept, with its last bytes; nothing is kept any more. */
  #wholeWith(last: Buffer): Buffer {
    if (this.#kept.length === 0) return last;
    const kept = this.#kept;
    this.#kept = new ByteGatherer();
    kept.add(last);
    return kept.whole();
  }

  #give(end: number): void {
    if (end > this.#from) this.#out.push(this.#chunk.subarray(this.#from, end));
    this.#from = end;
  }
}

function unreadable(): HttpError {
  return new HttpError(
    'upstream_invalid_response',
    'The provider answered with embeddings that cannot be read.',
  );
}

function toBase64(raw: Buffer): Buffer {
  const values = parseJson(raw);
  const text = Array.isArray(values) ? floatsToBase64(values) : null;
  if (text === null) throw unreadable();
  return Buffer.from(`"${text}"`);
}

/** The numbers are written as the exact values that the floats have. */
function toNumbers(raw: Buffer): Buffer {
  const text = parseJson(raw);
  const floats = typeof text === 'string' ? base64ToFloats(text) : null;
  if (floats === null || !floats.every(Number.isFinite)) throw unreadable();
  return Buffer.from(
    `[${Array.from(floats, (value) => (Object.is(value, -0) ? '-0' : String(value))).join(',')}]`,
  );
}
