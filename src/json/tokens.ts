/**
 * The tokens of JSON (RFC 8259 sections 2, 3, 6 and 7), checked in a buffer and never copied out of it. Each function takes
 * the index of a token's first byte and returns the index after its last one.
 */

export type JsonScanReason = 'invalid_json' | 'too_deep' | 'too_large';

const MESSAGES: Readonly<Record<JsonScanReason, string>> = {
  invalid_json: 'not valid JSON',
  too_deep: 'JSON nested too deeply',
  too_large: 'JSON with too many parts',
};

/**
 * The error for a body that is not JSON in UTF-8, or exceeds a limit. `offset` is the index of the first wrong byte; for
 * invalid UTF-8 up to seven bytes before it.
 */
export class JsonScanError extends Error {
  override readonly name = 'JsonScanError';
  readonly reason: JsonScanReason;
  readonly offset: number;

  constructor(reason: JsonScanReason, offset: number) {
    super(`${MESSAGES[reason]} (byte ${offset})`);
    this.reason = reason;
    this.offset = offset;
  }
}

/** The scanned buffer; `words` is the same memory four bytes at a time, made for the first long string. */
export interface TokenSource {
  readonly body: Buffer;
  words: Int32Array | null;
}

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const SPACE = 0x20;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const ZERO = 0x30;

/** A string that goes on after so many bytes is likely long: from there on, four bytes a step are faster. */
const SHORT_RUN_BYTES = 16;

/** More digits carry no information, and a number is read without a turn for others. */
const MAX_DIGITS = 65_536;

/** @throws JsonScanError `invalid_json` at a byte. */
export function failAt(offset: number): never {
  throw new JsonScanError('invalid_json', offset);
}

/** The byte at an index, -1 behind the end. */
function byteAt(body: Buffer, at: number): number {
  return at < body.length ? (body[at] as number) : -1;
}

/**
 * Reads a string on from a byte behind its opening quote. Returns the index after the closing quote, or `~at` if it stopped at
 * `at`, at `limit` or just behind.
 * @throws JsonScanError.
 */
export function skipString(source: TokenSource, from: number, limit: number): number {
  const { body } = source;
  let at = from;
  for (;;) {
    const stop = Math.min(limit, at + SHORT_RUN_BYTES);
    while (at < stop) {
      const byte = body[at] as number;
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at = skipEscape(body, at);
      else if (byte < SPACE) failAt(at);
      else at++;
    }
    if (at >= limit) return limit < body.length ? ~at : failAt(body.length);
    at = skipPlainWords(source, at, limit);
  }
}

/**
 * Skips words of four bytes without quote, backslash and control character. Exclusive or with 2 swaps 0x20 and 0x22 and leaves
 * 0x00-0x1f below them, so that one subtraction finds both quotes and control characters: it borrows into the high bit of a
 * byte that had this bit clear.
 */
function skipPlainWords(source: TokenSource, from: number, limit: number): number {
  const { body } = source;
  source.words ??= new Int32Array(body.buffer, 0, body.buffer.byteLength >>> 2);
  const { words } = source;
  const { byteOffset } = body;
  const stop = (byteOffset + limit) >>> 2;
  let at = (byteOffset + from) >>> 2;
  while (at < stop) {
    const word = words[at] as number;
    const marks = ((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101);
    if ((marks & ~word & 0x80808080) !== 0) break;
    at++;
  }
  return Math.max(from, at * 4 - byteOffset);
}

function skipEscape(body: Buffer, from: number): number {
  switch (byteAt(body, from + 1)) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return from + 2;
    case 0x75: // u
      break;
    default:
      return failAt(from + 1);
  }
  for (let at = from + 2; at < from + 6; at++) {
    const byte = byteAt(body, at);
    const letter = byte | 0x20;
    if (!isDigit(byte) && (letter < 0x61 || letter > 0x66)) failAt(at);
  }
  return from + 6;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function skipDigits(body: Buffer, from: number): number {
  const stop = Math.min(body.length, from + MAX_DIGITS);
  let at = from;
  while (at < stop && isDigit(body[at] as number)) at++;
  if (at === from + MAX_DIGITS) throw new JsonScanError('too_large', at);
  return at > from ? at : failAt(from);
}

/** Reads a number of any precision, up to 64 KiB of digits. @throws JsonScanError. */
export function skipNumber(body: Buffer, from: number): number {
  let at = byteAt(body, from) === MINUS ? from + 1 : from;
  at = byteAt(body, at) === ZERO ? at + 1 : skipDigits(body, at);
  if (byteAt(body, at) === 0x2e) at = skipDigits(body, at + 1);
  if ((byteAt(body, at) | 0x20) === 0x65) {
    const sign = byteAt(body, at + 1);
    at = skipDigits(body, sign === 0x2b || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** Reads `true`, `false` or `null`. @throws JsonScanError. */
export function skipLiteral(body: Buffer, from: number): number {
  const first = byteAt(body, from);
  const literal = first === 0x74 ? TRUE : first === 0x66 ? FALSE : NULL;
  for (let at = 0; at < literal.length; at++) {
    if (byteAt(body, from + at) !== literal[at]) failAt(from + at);
  }
  return from + literal.length;
}
