import { decodeString, sizeOfUnit } from './members.ts';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** A value that a pattern leads to: the bytes `[start, end)` of the body, without white space around them. */
export interface JsonMatch {
  readonly pattern: string;
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
}

export interface JsonScan {
  /** The kind of the whole body's value. */
  readonly kind: JsonKind;
  /** All matches, in the order in which their values start. */
  readonly matches: readonly JsonMatch[];
  /** Patterns of which some step's name stands twice in one object, or at the top level also in other letter case. */
  readonly ambiguous: readonly string[];
  /** Patterns whose first step's name stands at the top level in other letter case, once or more often. */
  readonly folded: readonly string[];
}

/** The first match of a pattern. Where the pattern is not ambiguous and has no `*`, it is the only one. */
export function firstMatch(scan: JsonScan, pattern: string): JsonMatch | undefined {
  return scan.matches.find((match) => match.pattern === pattern);
}

/** The text of a string that a scan of the same body found, decoded. Throws `TypeError` for another kind. */
export function readString(body: Buffer, match: JsonMatch): string {
  if (match.kind !== 'string') throw new TypeError(`${match.pattern} is not a string but ${match.kind}`);
  return decodeString(body, match.start, match.end);
}

/** The longest escape of one UTF-16 unit. */
const ESCAPE_BYTES = 6;

/** True where a string takes more bytes than `limit` UTF-16 units can: it need not be decoded to know that it is longer. */
export function isLongerThan(match: JsonMatch, limit: number): boolean {
  return match.end - match.start - 2 > limit * ESCAPE_BYTES;
}

/** About the first `limit` UTF-16 units of a string, however long it is: for messages. Throws `TypeError` for another kind. */
export function readStringStart(body: Buffer, match: JsonMatch, limit: number): string {
  if (!isLongerThan(match, limit)) return readString(body, match);
  let end = match.start + 1;
  for (let count = 0; count < limit; count++) end += sizeOfUnit(body, end);
  // The byte at `end` stands for the closing quote.
  return decodeString(body, match.start, end + 1);
}
