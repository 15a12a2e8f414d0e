import { ByteGatherer } from '../byte-gatherer.ts';
import { type JsonPath, JsonPosition } from './position.ts';
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
import { parseJson } from './value.ts';

/** Values to rewrite: those at a path, of one kind. */
export interface RewriteRule {
  /** Member names from the outside in, `*` for every element of an array, such as `['data', '*', 'embedding']`. */
  readonly path: JsonPath;
  /** `numbers`: arrays without strings, arrays and objects. */
  readonly kind: 'string' | 'numbers';
  /** The longest value that is held back for `rewrite`. */
  readonly limitBytes: number;
  /** Makes the bytes to send from those of the value. */
  readonly rewrite: (raw: Buffer) => Buffer;
}

export interface RewriterOptions {
  readonly rules: readonly RewriteRule[];
  /** True: everything after the first rewritten value passes as it is. */
  readonly isOnce: boolean;
  /**
   * Called for a value over its limit, nesting deeper than 128 and a closing bracket too many; it may throw. Without it the
   * value passes as it is, and so does the text from too deep a nesting on.
   */
  readonly onUnreadable?: () => void;
}

/** Longer names are at no path. */
const NAME_LIMIT_BYTES = 4_096;
const STRING_LIMIT_BYTES = 4_096;
const DEPTH_LIMIT = 128;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Rewrites values at known paths in a JSON text that arrives in pieces of any size. Every other byte passes as it is, and no
 * more than one value is held back. It does not check that the text is JSON.
 */
export class JsonRewriter {
  readonly #rules: readonly RewriteRule[];
  readonly #options: RewriterOptions;
  #rewritten: { readonly start: number; readonly end: number } | null = null;
  #isDone = false;
  /** `array`: behind the bracket of an array whose kind is not known yet; `numbers`: in an array of numbers. */
  #mode: 'structure' | 'string' | 'array' | 'numbers' = 'structure';
  #isEscaped = false;
  readonly #position = new JsonPosition();
  #piece = NOTHING;
  #out: Buffer[] = [];
  /** The next byte to look at, and the first one that was not passed on. */
  #at = 0;
  #from = 0;
  /** The bytes of all pieces before this one. */
  #earlierBytes = 0;
  /** What is kept: a name, which passes nevertheless; a value with its rule; or nothing. */
  #kept: 'name' | RewriteRule | null = null;
  #keptStart = 0;
  /** The kept bytes of earlier pieces. */
  #keptBefore: ByteGatherer | null = null;
  /** The next of each in the piece, found once for all strings in it. */
  #nextQuote = -1;
  #nextBackslash = -1;

  constructor(options: RewriterOptions) {
    this.#options = options;
    this.#rules = options.rules;
  }

  /** The bytes `[start, end)` of the value that was rewritten last, counted over all pieces of the original text. */
  get rewritten(): { readonly start: number; readonly end: number } | null {
    return this.#rewritten;
  }

  /** True between two whole JSON texts. */
  get isWhole(): boolean {
    return this.#mode === 'structure' && this.#position.depth === 0;
  }

  /**
   * Takes the next piece and adds to `out` the bytes that can be passed on: the piece itself where nothing changes.
   * Throws what `onUnreadable` and `rewrite` throw.
   */
  push(piece: Buffer, out: Buffer[]): void {
    this.#piece = piece;
    this.#out = out;
    this.#at = 0;
    this.#from = 0;
    this.#nextQuote = -1;
    this.#nextBackslash = -1;
    while (this.#at < piece.length && !this.#isDone) {
      if (this.#mode === 'structure') this.#readStructure();
      else if (this.#mode === 'string') this.#readString();
      else if (this.#mode === 'array') this.#readArrayStart();
      else this.#readNumbers();
    }
    if (this.#kept !== null) this.#keepRest(this.#kept);
    this.#pass(piece.length);
    this.#earlierBytes += piece.length;
  }

  /** Adds the bytes that are still held back. Call it at the end of the text. */
  end(out: Buffer[]): void {
    this.#out = out;
    this.#drop();
  }

  #readStructure(): void {
    const piece = this.#piece;
    const position = this.#position;
    for (let at = this.#at; at < piece.length; ) {
      const byte = piece[at++];
      if (byte === COMMA) position.passComma();
      else if (byte === COLON) position.isAtName = false;
      else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
        if (!position.leave()) this.#options.onUnreadable?.();
      } else if (byte === QUOTE || byte === OPEN_BRACKET || byte === OPEN_BRACE) {
        this.#at = at;
        this.#begin(byte);
        if (this.#mode !== 'structure' || this.#isDone) return;
      }
    }
    this.#at = piece.length;
  }

  /** Begins a string, an array or an object, whose first byte was read. */
  #begin(byte: number): void {
    const rule = byte === OPEN_BRACE ? null : this.#ruleHere();
    if (byte === QUOTE) this.#mode = 'string';
    else if (rule !== null) this.#mode = 'array';
    else this.#enter(byte === OPEN_BRACE);
    if (rule?.kind === (byte === QUOTE ? 'string' : 'numbers')) this.#keep(rule);
    else if (byte === QUOTE && this.#isNameWanted()) this.#keep('name');
  }

  #ruleHere(): RewriteRule | null {
    for (const rule of this.#rules) if (this.#position.isAt(rule.path)) return rule;
    return null;
  }

  #isNameWanted(): boolean {
    for (const { path } of this.#rules) if (this.#position.isNameOn(path)) return true;
    return false;
  }

  #keep(what: 'name' | RewriteRule): void {
    this.#kept = what;
    this.#keptStart = this.#earlierBytes + this.#at - 1;
  }

  #enter(isObject: boolean): void {
    this.#position.enter(isObject);
    if (this.#position.depth <= DEPTH_LIMIT) return;
    this.#options.onUnreadable?.();
    this.#isDone = true;
  }

  #readString(): void {
    const { length } = this.#piece;
    while (this.#at < length) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        this.#at++;
        continue;
      }
      if (this.#nextQuote < this.#at) this.#nextQuote = this.#find(QUOTE);
      if (this.#nextBackslash < this.#at) this.#nextBackslash = this.#find(BACKSLASH);
      const found = Math.min(this.#nextQuote, this.#nextBackslash);
      this.#isEscaped = this.#nextBackslash < this.#nextQuote;
      this.#at = Math.min(found + 1, length);
      if (found === length || this.#isEscaped) continue;
      this.#endKept();
      return;
    }
  }

  /** Where a byte is next, or the piece's length. */
  #find(byte: number): number {
    const found = this.#piece.indexOf(byte, this.#at);
    return found < 0 ? this.#piece.length : found;
  }

  /** Looks at the first value in an array. */
  #readArrayStart(): void {
    while (this.#at < this.#piece.length && (this.#piece[this.#at] ?? 0) <= SPACE) this.#at++;
    const byte = this.#piece[this.#at];
    if (byte === undefined) return;
    this.#mode = 'numbers';
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE || byte === QUOTE) this.#leaveNumbers();
  }

  /** Goes to the end of an array of numbers at once, unless it turns out to hold other values. */
  #readNumbers(): void {
    const close = this.#find(CLOSE_BRACKET);
    const numbers = this.#piece.subarray(this.#at, close);
    if (numbers.includes(QUOTE) || numbers.includes(OPEN_BRACKET) || numbers.includes(OPEN_BRACE)) {
      this.#leaveNumbers();
      return;
    }
    this.#at = Math.min(close + 1, this.#piece.length);
    if (close < this.#piece.length) this.#endKept();
  }

  /** Reads on in an array as in any other. */
  #leaveNumbers(): void {
    this.#drop();
    this.#mode = 'structure';
    this.#enter(false);
  }

  /** Ends a string or an array of numbers: takes in a name, rewrites a value. */
  #endKept(): void {
    this.#mode = 'structure';
    const kept = this.#kept;
    if (kept === null) return;
    const start = Math.max(0, this.#keptStart - this.#earlierBytes);
    const here = this.#piece.subarray(start, this.#at);
    this.#keptBefore?.add(here);
    const raw = this.#keptBefore?.whole() ?? here;
    this.#kept = null;
    this.#keptBefore = null;
    if (kept === 'name') {
      this.#position.setName(raw.length > NAME_LIMIT_BYTES ? '' : String(parseJson(raw)));
      return;
    }
    const bytes = this.#rewrite(kept, raw);
    if (bytes === here) return;
    this.#pass(start);
    this.#out.push(bytes);
    this.#from = this.#at;
  }

  /** What goes out for a value: its own bytes, the same Buffer, where nothing changes. */
  #rewrite(rule: RewriteRule, raw: Buffer): Buffer {
    if (raw.length > rule.limitBytes) {
      this.#options.onUnreadable?.();
      return raw;
    }
    const bytes = rule.rewrite(raw);
    this.#rewritten = { start: this.#keptStart, end: this.#earlierBytes + this.#at };
    this.#isDone = this.#options.isOnce;
    return bytes.equals(raw) ? raw : bytes;
  }

  /** Keeps what this piece has of a name or a value that goes on in the next one. */
  #keepRest(kept: 'name' | RewriteRule): void {
    const start = Math.max(0, this.#keptStart - this.#earlierBytes);
    this.#keptBefore ??= new ByteGatherer();
    this.#keptBefore.add(this.#piece.subarray(start));
    if (kept !== 'name') {
      this.#pass(start);
      this.#from = this.#piece.length;
    }
    if (this.#keptBefore.length <= (kept === 'name' ? NAME_LIMIT_BYTES : kept.limitBytes)) return;
    if (kept !== 'name') this.#options.onUnreadable?.();
    this.#drop();
  }

  /** Stops keeping; a value's bytes pass as they are. */
  #drop(): void {
    if (this.#kept === 'name') this.#position.setName('');
    else this.#out.push(...(this.#keptBefore?.pieces() ?? []));
    this.#kept = null;
    this.#keptBefore = null;
  }

  #pass(end: number): void {
    const { length } = this.#piece;
    if (end > this.#from) {
      this.#out.push(end - this.#from === length ? this.#piece : this.#piece.subarray(this.#from, end));
    }
    this.#from = Math.max(this.#from, end);
  }
}

/**
 * Replaces the first string of up to 4 KiB at any of some paths.
 * @param replacement a JSON value
 */
export function replaceFirstString(paths: readonly JsonPath[], replacement: Buffer): JsonRewriter {
  const rules = paths.map((path): RewriteRule => {
    return { path, kind: 'string', limitBytes: STRING_LIMIT_BYTES, rewrite: () => replacement };
  });
  return new JsonRewriter({ rules, isOnce: true });
}
