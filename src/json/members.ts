import { MAX_NAME_LENGTH, type PatternNode } from './patterns.ts';
import { BACKSLASH, QUOTE } from './tokens.ts';

/** The part of a scan that the look-up of a member's name uses. */
export interface MemberSource {
  readonly body: Buffer;
  readonly serial: number;
  readonly ambiguous: string[];
  readonly folded: string[];
  /** The index after the closing quote of the latest name. */
  nameEnd: number;
}

const DIFFERENT = 0;
const FOLDED = 1;
const EXACT = 2;

/**
 * The pattern node of a member of the object that last opened at `node`; null if no pattern wants the member. Its name, in
 * quotes, starts at `from` and ends at `scan.nameEnd`.
 */
export function findMember(scan: MemberSource, node: PatternNode, from: number): PatternNode | null {
  const { body, nameEnd } = scan;
  let found: PatternNode | null = null;
  const isAscii = isAsciiName(body, from + 1, nameEnd - 1);
  const length = isAscii ? nameEnd - from - 2 : decodeName(body, from + 1, nameEnd - 1);
  for (const member of node.members) {
    if (member.bytes.length !== length) continue;
    const likeness = isAscii ? compareName(body, from + 1, member.bytes) : compareDecoded(member.bytes);
    if (likeness === DIFFERENT || (likeness === FOLDED && !node.foldsNames)) continue;
    if (likeness === EXACT) found = member;
    else addPatterns(scan.folded, member);
    noteSeen(scan, node, member);
  }
  return found;
}

/** True for a name in ASCII without escapes: its bytes are its characters. */
function isAsciiName(body: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = body[at] as number;
    if (byte >= 0x80 || byte === BACKSLASH) return false;
  }
  return true;
}

/** Compares the bytes from `start` on with a name of the same length: equal, equal but for ASCII letter case, or different. */
function compareName(source: Uint8Array, start: number, name: Uint8Array): number {
  let likeness = EXACT;
  for (let at = 0; at < name.length; at++) {
    const is = source[start + at] as number;
    const wanted = name[at] as number;
    if (is === wanted) continue;
    const letter = is | 0x20;
    if (letter !== (wanted | 0x20) || letter < 0x61 || letter > 0x7a) return DIFFERENT;
    likeness = FOLDED;
  }
  return likeness;
}

/** The name that `decodeName` read last, and whether a character was folded into ASCII. */
const decoded = new Uint8Array(MAX_NAME_LENGTH);
let isFolded = false;

function compareDecoded(name: Uint8Array): number {
  const likeness = compareName(decoded, 0, name);
  return isFolded ? Math.min(likeness, FOLDED) : likeness;
}

/**
 * Decodes a name with escapes or beyond ASCII into `decoded` and returns its length, or -1 if no wanted name can equal it.
 * Two characters beyond ASCII fold into ASCII (Unicode CaseFolding.txt; Go's encoding/json does the same).
 */
function decodeName(body: Buffer, start: number, end: number): number {
  isFolded = false;
  let length = 0;
  for (let at = start; at < end; at += sizeOfUnit(body, at)) {
    let unit = unitAt(body, at);
    if (unit === 0x212a || unit === 0x017f) {
      unit = unit === 0x212a ? 0x6b : 0x73; // kelvin sign to k, long s to s
      isFolded = true;
    }
    if (unit >= 0x80 || length === decoded.length) return -1;
    decoded[length] = unit;
    length++;
  }
  return length;
}

/** The number of bytes of the character or escape at an index of a valid string. */
export function sizeOfUnit(body: Buffer, at: number): number {
  const first = body[at] as number;
  if (first === BACKSLASH) return body[at + 1] === 0x75 ? 6 : 2;
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The UTF-16 unit at an index of a valid string; 0xffff for a character that no wanted name has. */
function unitAt(body: Buffer, at: number): number {
  const first = body[at] as number;
  const second = body[at + 1] as number;
  if (first === BACKSLASH) {
    if (second === 0x75) return hexUnit(body, at + 2);
    return second === QUOTE || second === BACKSLASH || second === 0x2f ? second : 0xffff;
  }
  if (first < 0x80) return first;
  if (first < 0xe0) return ((first & 0x1f) << 6) | (second & 0x3f);
  if (first >= 0xf0) return 0xffff;
  return ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | ((body[at + 2] as number) & 0x3f);
}

function hexUnit(body: Buffer, from: number): number {
  let unit = 0;
  for (let at = from; at < from + 4; at++) {
    const digit = body[at] as number;
    unit = unit * 16 + (digit & 0x0f) + (digit >> 6) * 9; // letters have bit 6 set and count on from 9
  }
  return unit;
}

/** Marks a member as seen in this object. A second occurrence makes all patterns through it ambiguous. */
function noteSeen(scan: MemberSource, node: PatternNode, member: PatternNode): void {
  if (member.seenIn !== node.serial) {
    member.seenIn = node.serial;
    return;
  }
  if (member.reportedIn === scan.serial) return;
  member.reportedIn = scan.serial;
  addPatterns(scan.ambiguous, member);
}

function addPatterns(list: string[], { patterns }: PatternNode): void {
  for (const pattern of patterns) if (!list.includes(pattern)) list.push(pattern);
}

/** Decodes the JSON string at bytes `[start, end)`, its quotes included, which a scan has checked. */
export function decodeString(body: Buffer, start: number, end: number): string {
  const text = body.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
