import { isUtf8 } from 'node:buffer';
import { decodeString, findMember, type MemberSource } from './json-members.ts';
import type { JsonPatterns, PatternNode } from './json-patterns.ts';
import {
  byteAt,
  failAt,
  JsonScanError,
  QUOTE,
  skipLiteral,
  skipNumber,
  skipString,
  skipWhitespace,
  type TokenSource,
} from './json-tokens.ts';

export { compilePatterns, type JsonPatterns } from './json-patterns.ts';
export { type Patch, splice } from './json-splice.ts';
export { JsonScanError } from './json-tokens.ts';

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

export interface JsonScanLimits {
  /** Arrays and objects open at one time. */
  readonly depth: number;
  /** Structural characters: braces, brackets, colons and commas. */
  readonly structures: number;
}

const DEFAULT_LIMITS: JsonScanLimits = { depth: 128, structures: 1_000_000 };

/** More than any request holds messages, parts or inputs; bounds the memory that one body can make a scan use. */
const MAX_MATCHES = 100_000;

type MutableMatch = { -readonly [K in keyof JsonMatch]: JsonMatch[K] };

/** An array or object that is open. */
interface Frame {
  isObject: boolean;
  isEmpty: boolean;
  node: PatternNode | null;
  match: MutableMatch | null;
}

interface ScanState extends TokenSource, MemberSource {
  readonly patterns: JsonPatterns;
  readonly limits: JsonScanLimits;
  readonly matches: MutableMatch[];
  depth: number;
  structures: number;
}

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Frames by depth, kept for all scans, for a scan runs to its end before another starts. */
const frames: Frame[] = [];

/**
 * Recognises one JSON text (RFC 8259, UTF-8 without a byte order mark) in one pass over its bytes and finds the
 * values that patterns lead to. Accepts what `JSON.parse` accepts and nothing else. Member names are compared
 * decoded, so that `"mod\u0065l"` is `model`. A pattern is ambiguous where a reader that keeps the first of two
 * equal names, one that keeps the last and one without regard to letter case could differ: who acts on a value
 * must refuse a body where its pattern is. Throws `JsonScanError`, `too_large` also for over 100,000 matches.
 */
export function scanJson(body: Buffer, patterns: JsonPatterns, limits = DEFAULT_LIMITS): JsonScan {
  if (!isUtf8(body)) throw new JsonScanError('invalid_json', findInvalidUtf8(body));
  const scan: ScanState = {
    body,
    words: null,
    patterns,
    serial: ++patterns.serial,
    limits,
    matches: [],
    ambiguous: [],
    folded: [],
    depth: 0,
    structures: 0,
    nameEnd: 0,
  };
  const start = skipWhitespace(body, 0);
  let at = skipWhitespace(body, scanValue(scan, start, patterns.root));
  while (scan.depth > 0) {
    const frame = frames[scan.depth - 1] as Frame;
    at = skipWhitespace(body, frame.isObject ? scanMember(scan, at, frame) : scanElement(scan, at, frame));
  }
  if (at !== body.length) failAt(at);
  return {
    kind: kindOf(byteAt(body, start)),
    matches: scan.matches,
    ambiguous: scan.ambiguous,
    folded: scan.folded,
  };
}

/** Halves the body down to the first sequence that is not UTF-8; a cut never falls inside a sound sequence. */
function findInvalidUtf8(body: Buffer): number {
  let start = 0;
  let end = body.length;
  while (end - start > 4) {
    let middle = (start + end) >>> 1;
    while (middle > start && ((body[middle] as number) & 0xc0) === 0x80) middle--;
    if (middle === start) break;
    if (isUtf8(body.subarray(start, middle))) start = middle;
    else end = middle;
  }
  return start;
}

function kindOf(first: number): JsonKind {
  switch (first) {
    case OPEN_BRACE:
      return 'object';
    case OPEN_BRACKET:
      return 'array';
    case QUOTE:
      return 'string';
    case 0x74: // t
    case 0x66: // f
      return 'boolean';
    case 0x6e: // n
      return 'null';
    default:
      return 'number';
  }
}

/** Reads over a simple value, or the opening of an array or object, which becomes the innermost frame. */
function scanValue(scan: ScanState, at: number, node: PatternNode | null): number {
  const { body } = scan;
  const first = byteAt(body, at);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return openFrame(scan, at, node);
  let end: number;
  if (first === QUOTE) end = skipString(scan, at);
  else if (first <= 0x39) end = skipNumber(body, at);
  else end = skipLiteral(body, at);
  if (node !== null && node.pattern !== null) {
    addMatch(scan, { pattern: node.pattern, kind: kindOf(first), start: at, end });
  }
  return end;
}

function addMatch(scan: ScanState, match: MutableMatch): void {
  if (scan.matches.length >= MAX_MATCHES) throw new JsonScanError('too_large', match.start);
  scan.matches.push(match);
}

function countStructure(scan: ScanState, at: number): void {
  if (++scan.structures > scan.limits.structures) throw new JsonScanError('too_large', at);
}

function openFrame(scan: ScanState, at: number, node: PatternNode | null): number {
  countStructure(scan, at);
  if (scan.depth >= scan.limits.depth) throw new JsonScanError('too_deep', at);
  let frame = frames[scan.depth];
  if (frame === undefined) {
    frame = { isObject: false, isEmpty: true, node: null, match: null };
    frames.push(frame);
  }
  scan.depth++;
  frame.isObject = scan.body[at] === OPEN_BRACE;
  frame.isEmpty = true;
  frame.node = node;
  frame.match = null;
  if (node !== null) {
    node.serial = ++scan.patterns.serial;
    if (node.pattern !== null) {
      frame.match = { pattern: node.pattern, kind: frame.isObject ? 'object' : 'array', start: at, end: at };
      addMatch(scan, frame.match);
    }
  }
  return at + 1;
}

function closeFrame(scan: ScanState, at: number, frame: Frame): number {
  countStructure(scan, at);
  if (frame.match !== null) frame.match.end = at + 1;
  scan.depth--;
  return at + 1;
}

/** Reads over the comma before any but the first item of an array or object. */
function skipComma(scan: ScanState, at: number, frame: Frame): number {
  if (frame.isEmpty) {
    frame.isEmpty = false;
    return at;
  }
  if (byteAt(scan.body, at) !== COMMA) failAt(at);
  countStructure(scan, at);
  return skipWhitespace(scan.body, at + 1);
}

function scanElement(scan: ScanState, from: number, frame: Frame): number {
  if (byteAt(scan.body, from) === CLOSE_BRACKET) return closeFrame(scan, from, frame);
  return scanValue(scan, skipComma(scan, from, frame), frame.node === null ? null : frame.node.each);
}

function scanMember(scan: ScanState, from: number, frame: Frame): number {
  const { body } = scan;
  if (byteAt(body, from) === CLOSE_BRACE) return closeFrame(scan, from, frame);
  const name = skipComma(scan, from, frame);
  if (byteAt(body, name) !== QUOTE) failAt(name);
  scan.nameEnd = skipString(scan, name);
  const colon = skipWhitespace(body, scan.nameEnd);
  if (byteAt(body, colon) !== COLON) failAt(colon);
  countStructure(scan, colon);
  const node = frame.node === null ? null : findMember(scan, frame.node, name);
  return scanValue(scan, skipWhitespace(body, colon + 1), node);
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
