import { decodeString, sizeOfUnit } from './members.ts';
import { QUOTE } from './tokens.ts';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** A value that a pattern leads to: the bytes `[start, end)` of the body, without surrounding white space. */
export interface JsonMatch {
  readonly pattern: string;
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
}

/** A member of the outermost object. Its name, in quotes, is the bytes `[start, nameEnd)`, its value `[valueStart, end)`. */
export interface JsonMember {
  readonly start: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly end: number;
}

export interface JsonScan {
  /** The kind of the outermost value. */
  readonly kind: JsonKind;
  /** All matches, by the start of their values. */
  readonly matches: readonly JsonMatch[];
  /** Patterns with a name that occurs twice in one object, where letter case is ignored also in another letter case. */
  readonly ambiguous: readonly string[];
  /** Patterns whose name occurs in another letter case where letter case is ignored, such as at the top level. */
  readonly folded: readonly string[];
  /** All members of the outermost object in their order; empty unless the patterns list members. */
  readonly members: readonly JsonMember[];
}

/**
 * The first match of a pattern; the only one if the pattern is not ambiguous and has no `*`.
 * @example firstMatch(scan, 'model')?.kind // 'string'
 */
export function firstMatch(scan: JsonScan, pattern: string): JsonMatch | undefined {
  return scan.matches.find((match) => match.pattern === pattern);
}

/** The bytes of the name, with its quotes, of the member that a value belongs to. The body is known to be JSON. */
export function memberNameOf(body: Buffer, value: JsonMatch): { start: number; end: number } {
  const closing = body.lastIndexOf(QUOTE, value.start - 1);
  return { start: body.lastIndexOf(QUOTE, closing - 1), end: closing + 1 };
}

/** The decoded name of a member. The body is the scanned one. */
export function readMemberName(body: Buffer, { start, nameEnd }: JsonMember): string {
  return decodeString(body, start, nameEnd);
}

/** The decoded text of a string that a scan of the same body found. @throws TypeError for another kind. */
export function readString(body: Buffer, match: JsonMatch): string {
  if (match.kind !== 'string') throw new TypeError(`${match.pattern} is not a string but ${match.kind}`);
  return decodeString(body, match.start, match.end);
}

/** The most bytes that one UTF-16 unit takes. */
const ESCAPE_BYTES = 6;

/** True if a string takes more bytes than `limit` UTF-16 units can: it is longer, without decoding it. */
export function isLongerThan(match: JsonMatch, limit: number): boolean {
  return match.end - match.start - 2 > limit * ESCAPE_BYTES;
}

/** About the first `limit` UTF-16 units of a string of any length, for messages. @throws TypeError for another kind. */
export function readStringStart(body: Buffer, match: JsonMatch, limit: number): string {
  if (!isLongerThan(match, limit)) return readString(body, match);
  let end = match.start + 1;
  for (let count = 0; count < limit; count++) end += sizeOfUnit(body, end);
  // The byte at `end` stands for the closing quote.
  return decodeString(body, match.start, end + 1);
}
