import { Pace } from '../turns.ts';

/** What the scan of a base64 text found. */
export interface Base64Facts {
  readonly decodedBytes: number;
  /** The first bytes, 12 where there are so many. */
  readonly head: Buffer;
  /** Padding characters that the text lacks at its end. */
  readonly missingPadding: number;
  /** True where strict decoders would refuse it: white space, or the alphabet of URLs. */
  readonly isLoose: boolean;
}

/** Of the text; it decodes to three quarters. */
const SLICE_BYTES = 65_536;
/** Slices looked at before others get their turn; one with escapes or white space counts for eight. */
const SLICES_PER_TURN = 64;
const SLOW_SLICES = 8;
const LONGEST_ESCAPE = 6;
const BACKSLASH = 0x5c;
const HEAD_BYTES = 12;
/** Lines and indentation need less white space than a quarter; more of it would only cost time. */
const DENSEST_SPACE = 4;
const scratch = Buffer.allocUnsafeSlow((SLICE_BYTES / 4) * 3 + LONGEST_ESCAPE);
const loose = Buffer.allocUnsafeSlow(SLICE_BYTES);
const IS_SPACE: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x20]);

interface ScanState {
  /** Up to three characters that are no whole group yet. */
  carry: string;
  letters: number;
  padding: number;
  isLoose: boolean;
  hasSpace: boolean;
  head: Buffer;
  readonly sink: (canonical: string) => void;
}

/**
 * Checks base64 (RFC 4648 sections 4 and 5) inside of a JSON string, given as the bytes `[start, end)` of a body that is
 * known to be JSON, without decoding more than a slice of it at once. White space, the alphabet of URLs and missing padding
 * are taken. `sink` gets the text in its canonical form, piece by piece. Null where it is not base64.
 */
export async function scanBase64(
  body: Buffer,
  span: { readonly start: number; readonly end: number },
  sink: (canonical: string) => void = () => {},
): Promise<Base64Facts | null> {
  const state: ScanState = {
    carry: '',
    letters: 0,
    padding: 0,
    isLoose: false,
    hasSpace: false,
    head: Buffer.alloc(0),
    sink,
  };
  const pace = new Pace(SLICES_PER_TURN);
  for (let at = span.start; at < span.end; ) {
    const end = endOfSlice(body, at, span.end);
    const cost = scanSlice(state, body.toString('latin1', at, end));
    if (cost === null) return null;
    at = end;
    if (pace.isDue(cost) && at < span.end) await pace.giveTurn();
  }
  return finish(state);
}

/** Where to cut, so that no escape is cut in two. */
function endOfSlice(body: Buffer, start: number, limit: number): number {
  const end = start + SLICE_BYTES;
  if (end >= limit) return limit;
  for (let at = end - 1; at > end - LONGEST_ESCAPE; at--) if (body[at] === BACKSLASH) return at;
  return end;
}

/** Takes in the next piece of the JSON string; gives what it cost in slices, or null where it is not base64. */
function scanSlice(state: ScanState, raw: string): number | null {
  const text = raw.includes('\\') ? decodeEscapes(raw) : raw;
  // Node's decoder looks at the low byte of a character only.
  if (text === null || Buffer.byteLength(text) !== text.length) return null;
  const isEscaped = text !== raw;
  if (text.includes('-') || text.includes('_')) state.isLoose = true;
  const isStrictSoFar = state.padding === 0 && !state.hasSpace;
  if (isStrictSoFar && takeLetters(state, text)) return isEscaped ? SLOW_SLICES : 1;
  return takeLoosely(state, text) ? SLOW_SLICES : null;
}

function decodeEscapes(raw: string): string | null {
  try {
    const text: unknown = JSON.parse(`"${raw}"`);
    return typeof text === 'string' ? text : null;
  } catch {
    return null;
  }
}

/**
 * Takes text that is letters of base64 and nothing else; false, with nothing taken, where it is not. The native decoder is
 * the fastest check that there is: it skips what is no letter, and so gives too few bytes.
 */
function takeLetters(state: ScanState, text: string): boolean {
  const joined = state.carry + text;
  const length = joined.length - (joined.length % 4);
  const rest = joined.slice(length);
  const written = scratch.write(joined.slice(0, length), 'base64');
  if (written !== (length / 4) * 3 || !isLetters(rest)) return false;
  if (state.head.length < HEAD_BYTES) {
    state.head = Buffer.concat([state.head, scratch.subarray(0, Math.min(written, HEAD_BYTES))]);
  }
  state.carry = rest;
  state.letters += text.length;
  if (written > 0) state.sink(scratch.toString('base64', 0, written));
  return true;
}

function isLetters(text: string): boolean {
  return /^[\w+/-]*$/.test(text);
}

/** Takes text with white space and padding; false where there is anything else, or far too much space. */
function takeLoosely(state: ScanState, text: string): boolean {
  const solid = withoutSpace(text);
  const spaces = text.length - solid.length;
  if (text.length >= SLICE_BYTES / 2 && spaces * DENSEST_SPACE > text.length) return false;
  if (spaces > 0) {
    state.hasSpace = true;
    state.isLoose = true;
  }
  const equals = solid.indexOf('=');
  const letters = equals < 0 ? solid : solid.slice(0, equals);
  if ((state.padding > 0 && letters !== '') || !/^={0,2}$/.test(solid.slice(letters.length))) return false;
  state.padding += solid.length - letters.length;
  return takeLetters(state, letters);
}

/** Takes out ASCII white space (WHATWG Infra): tab, line feed, form feed, carriage return, space. */
function withoutSpace(text: string): string {
  const length = loose.write(text, 'latin1');
  let kept = 0;
  for (let at = 0; at < length; at++) {
    const byte = loose[at] as number;
    loose[kept] = byte;
    if (byte > 0x20 || !IS_SPACE.has(byte)) kept++;
  }
  return loose.toString('latin1', 0, kept);
}

function finish(state: ScanState): Base64Facts | null {
  const { carry, letters, padding, isLoose } = state;
  const isComplete = (letters + padding) % 4 === 0;
  if (carry.length === 1 || padding > 2 || (padding > 0 && !isComplete)) return null;
  const last = Buffer.from(carry, 'base64');
  if (last.length > 0) state.sink(last.toString('base64'));
  return {
    decodedBytes: Math.floor((letters * 3) / 4),
    head: Buffer.concat([state.head, last]).subarray(0, HEAD_BYTES),
    missingPadding: isComplete ? 0 : 4 - carry.length,
    isLoose,
  };
}
