import type { JsonKind, JsonMatch, JsonMember, JsonScan } from './matches.ts';
import { findMember, type MemberSource } from './members.ts';
import type { JsonPatterns, PatternNode } from './patterns.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  failAt,
  JsonScanError,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  skipLiteral,
  skipNumber,
  skipString,
  type TokenSource,
} from './tokens.ts';

export interface JsonScanLimits {
  /** Arrays and objects that are open at the same time. */
  readonly depth: number;
  /** Structural characters: braces, brackets, colons and commas. */
  readonly structures: number;
}

/** More than the messages, parts or inputs of any request. Limits the memory that one body can make a scan use. */
const MAX_MATCHES = 100_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MutableMatch = Mutable<JsonMatch>;

/** An array or object that is open. */
export interface Frame {
  isObject: boolean;
  node: PatternNode | null;
  match: MutableMatch | null;
}

/** The next thing to read; white space may come first, except inside a string. */
type Step = 'value' | 'first' | 'next' | 'name' | 'colon' | 'end' | 'in value' | 'in name';

/** A running scan. */
export interface ScanState extends TokenSource, MemberSource {
  readonly patterns: JsonPatterns;
  readonly limits: JsonScanLimits;
  readonly matches: MutableMatch[];
  /** The members of the outermost object so far; null: they are not listed. */
  readonly members: Mutable<JsonMember>[] | null;
  /** By depth; frames above `depth` are unused and kept for later. */
  readonly frames: Frame[];
  depth: number;
  structures: number;
  step: Step;
  /** The index of the next byte. */
  at: number;
  /** The index of the first byte of the current string. */
  quote: number;
  /** The pattern node of the next value. */
  wanted: PatternNode | null;
  /** Of the outermost value. */
  kind: JsonKind;
}

/** Begins a scan, before its first byte. Scans that are not sliced may share `frames`. */
export function startScan(
  body: Buffer,
  { patterns, limits, frames }: Pick<ScanState, 'patterns' | 'limits' | 'frames'>,
): ScanState {
  return {
    body,
    words: null,
    patterns,
    serial: ++patterns.serial,
    limits,
    matches: [],
    members: patterns.listsMembers ? [] : null,
    ambiguous: [],
    folded: [],
    frames,
    depth: 0,
    structures: 0,
    nameEnd: 0,
    step: 'value',
    at: 0,
    quote: 0,
    wanted: patterns.root,
    kind: 'null',
  };
}

/** The result of a scan that is at the end of its body. */
export function finishScan({ kind, matches, members, ambiguous, folded }: ScanState): JsonScan {
  return { kind, matches, ambiguous, folded, members: members ?? [] };
}

/** Scans on to `limit`, or a little further to the end of a token. True at the end of the body. @throws JsonScanError. */
export function advanceScan(scan: ScanState, limit: number): boolean {
  const { body } = scan;
  let at = scan.at;
  if (scan.step === 'in value' || scan.step === 'in name') at = scanString(scan, at, limit);
  while (at < limit) {
    const byte = body[at] as number;
    if (byte <= SPACE && isSpace(byte)) {
      at++;
      continue;
    }
    at = scanToken(scan, at, limit);
  }
  scan.at = at;
  if (at < body.length) return false;
  if (scan.step !== 'end') failAt(body.length);
  return true;
}

function scanToken(scan: ScanState, at: number, limit: number): number {
  switch (scan.step) {
    case 'value':
      return scanValue(scan, at, limit);
    case 'name':
      return scanName(scan, at, limit);
    case 'colon':
      if (scan.body[at] !== COLON) failAt(at);
      countStructure(scan, at);
      scan.step = 'value';
      return at + 1;
    case 'first':
    case 'next':
      return scanItem(scan, at, limit);
    default:
      return failAt(at);
  }
}

/** Reads the end of an array or object, a comma, or the beginning of its first item. */
function scanItem(scan: ScanState, at: number, limit: number): number {
  const frame = scan.frames[scan.depth - 1] as Frame;
  const byte = scan.body[at] as number;
  if (byte === (frame.isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return closeFrame(scan, at, frame);
  const isFirst = scan.step === 'first';
  if (!isFirst && byte !== COMMA) failAt(at);
  if (!frame.isObject) scan.wanted = frame.node === null ? null : frame.node.each;
  scan.step = frame.isObject ? 'name' : 'value';
  if (isFirst) return frame.isObject ? scanName(scan, at, limit) : scanValue(scan, at, limit);
  countStructure(scan, at);
  return at + 1;
}

function scanName(scan: ScanState, at: number, limit: number): number {
  if (scan.body[at] !== QUOTE) failAt(at);
  scan.quote = at;
  scan.step = 'in name';
  return scanString(scan, at + 1, limit);
}

/** Reads a simple value, or the opening of an array or object, which becomes the innermost frame. */
function scanValue(scan: ScanState, at: number, limit: number): number {
  const { body } = scan;
  const first = body[at] as number;
  if (scan.depth === 0) scan.kind = kindOf(first);
  else if (scan.depth === 1 && scan.members !== null) startMemberValue(scan.members, at);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return openFrame(scan, at);
  scan.quote = at;
  if (first === QUOTE) {
    scan.step = 'in value';
    return scanString(scan, at + 1, limit);
  }
  return endValue(scan, first <= 0x39 ? skipNumber(body, at) : skipLiteral(body, at));
}

/** Reads a string on to its end or to the limit. */
function scanString(scan: ScanState, from: number, limit: number): number {
  const end = skipString(scan, from, limit);
  if (end < 0) return ~end;
  if (scan.step === 'in value') return endValue(scan, end);
  const { node } = scan.frames[scan.depth - 1] as Frame;
  scan.nameEnd = end;
  if (scan.depth === 1 && scan.members !== null) addMember(scan.members, scan.quote, end);
  scan.wanted = node === null ? null : findMember(scan, node, scan.quote);
  scan.step = 'colon';
  return end;
}

function endValue(scan: ScanState, end: number): number {
  const { wanted, quote: start } = scan;
  if (wanted !== null && wanted.pattern !== null) {
    addMatch(scan, { pattern: wanted.pattern, kind: kindOf(scan.body[start] as number), start, end });
  }
  if (scan.depth === 1 && scan.members !== null) endMember(scan.members, end);
  scan.step = scan.depth === 0 ? 'end' : 'next';
  return end;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
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

function addMatch(scan: ScanState, match: MutableMatch): void {
  if (scan.matches.length >= MAX_MATCHES) throw new JsonScanError('too_large', match.start);
  scan.matches.push(match);
}

function addMember(members: Mutable<JsonMember>[], start: number, nameEnd: number): void {
  if (members.length >= MAX_MATCHES) throw new JsonScanError('too_large', start);
  members.push({ start, nameEnd, valueStart: nameEnd, end: nameEnd });
}

/** Notes the first byte of the latest member's value. In an array there is no member. */
function startMemberValue(members: Mutable<JsonMember>[], at: number): void {
  const member = members.at(-1);
  if (member !== undefined) member.valueStart = at;
}

function endMember(members: Mutable<JsonMember>[], end: number): void {
  const member = members.at(-1);
  if (member !== undefined) member.end = end;
}

function countStructure(scan: ScanState, at: number): void {
  if (++scan.structures > scan.limits.structures) throw new JsonScanError('too_large', at);
}

function openFrame(scan: ScanState, at: number): number {
  countStructure(scan, at);
  if (scan.depth >= scan.limits.depth) throw new JsonScanError('too_deep', at);
  const node = scan.wanted;
  let frame = scan.frames[scan.depth];
  if (frame === undefined) {
    frame = { isObject: false, node: null, match: null };
    scan.frames.push(frame);
  }
  scan.depth++;
  scan.step = 'first';
  frame.isObject = scan.body[at] === OPEN_BRACE;
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
  if (scan.depth === 1 && scan.members !== null) endMember(scan.members, at + 1);
  scan.step = scan.depth === 0 ? 'end' : 'next';
  return at + 1;
}
