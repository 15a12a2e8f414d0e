import { parseJson } from '../json/value.ts';
import { Pace } from '../turns.ts';

/** What `scanBase64` found in a base64 text. */
export interface Base64Scan {
  readonly decodedBytes: number;
  /** The first 12 decoded bytes, or all of a shorter text. */
  readonly head: Buffer;
  /** How many padding characters the text lacks at its end. */
  readonly missingPadding: number;
  /** True if strict decoders would refuse the text: it has white space or uses the URL-safe alphabet. */
  readonly isLoose: boolean;
}

/** The length of a slice of the text. A slice decodes to three quarters of this length. */
const SLICE_BYTES = 65_536;
/** Slices scanned per turn of the event loop. A slice with escapes or white space counts as `SLOW_SLICES`. */
const SLICES_PER_TURN = 64;
const SLOW_SLICES = 8;
const LONGEST_ESCAPE = 6;
const BACKSLASH = 0x5c;
const HEAD_BYTES = 12;
/**
 * At most one character in four may be white space. Line breaks and indentation need less; scanning more would only cost
 * time.
 */
const CHARACTERS_PER_SPACE = 4;
const scratch = Buffer.allocUnsafeSlow((SLICE_BYTES / 4) * 3 + LONGEST_ESCAPE);
const loose = Buffer.allocUnsafeSlow(SLICE_BYTES);
const IS_SPACE: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x20]);

interface ScanState {
  /** Up to three characters of an unfinished group of four. */
  carry: string;
  letters: number;
  padding: number;
  isLoose: boolean;
  hasSpace: boolean;
  head: Buffer;
  readonly sink: (canonical: string) => void;
}

/**
 * Checks base64 (RFC 4648 sections 4 and 5) inside a JSON string: the bytes `[start, end)` of a body that is known to be
 * JSON. Decodes one slice at a time. Accepts white space, the URL-safe alphabet and missing padding. `sink` receives the
 * canonical form of the text, piece by piece. Resolves to null if the text is not base64.
 */
export async function scanBase64(
  body: Buffer,
  span: { readonly start: number; readonly end: number },
  sink: (canonical: string) => void = () => {},
): Promise<Base64Scan | null> {
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

/** The end of the slice that begins at `start`; never inside an escape. */
function endOfSlice(body: Buffer, start: number, limit: number): number {
  const end = start + SLICE_BYTES;
  if (end >= limit) return limit;
  for (let at = end - 1; at > end - LONGEST_ESCAPE; at--) if (body[at] === BACKSLASH) return at;
  return end;
}

/** Scans the next slice of the JSON string. Returns its cost in slices, or null if it is not base64. */
function scanSlice(state: ScanState, raw: string): number | null {
  const text = raw.includes('\\') ? parseJson(`"${raw}"`) : raw;
  // Node's decoder ignores all but the low byte of a character, so text beyond ASCII is refused here.
  if (typeof text !== 'string' || Buffer.byteLength(text) !== text.length) return null;
  const isEscaped = text !== raw;
  if (text.includes('-') || text.includes('_')) state.isLoose = true;
  const hasOnlyLetters = state.padding === 0 && !state.hasSpace;
  if (hasOnlyLetters && takeLetters(state, text)) return isEscaped ? SLOW_SLICES : 1;
  return takeLoosely(state, text) ? SLOW_SLICES : null;
}

/**
 * Takes text made of base64 letters only; returns false, and takes nothing, for any other text. The native decoder is the
 * fastest check: it skips other characters and so returns too few bytes.
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

/** Takes letters, white space and padding; returns false for anything else and for too much white space. */
function takeLoosely(state: ScanState, text: string): boolean {
  const solid = withoutSpace(text);
  const spaces = text.length - solid.length;
  if (text.length >= SLICE_BYTES / 2 && spaces * CHARACTERS_PER_SPACE > text.length) return false;
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

/** Removes ASCII white space (WHATWG Infra): tab, line feed, form feed, carriage return, space. */
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

function finish(state: ScanState): Base64Scan | null {
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
