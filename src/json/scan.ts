import { isUtf8 } from 'node:buffer';
import { type GiveTurn, giveTurn } from '../turns.ts';
import { advanceScan, type Frame, finishScan, type JsonScanLimits, startScan } from './machine.ts';
import type { JsonScan } from './matches.ts';
import { compilePatterns, type JsonPatterns } from './patterns.ts';
import { JsonScanError } from './tokens.ts';

const DEFAULT_LIMITS: JsonScanLimits = { depth: 128, structures: 1_000_000 };

/** The frames of all scans that are not sliced: none of those starts within another. */
const sharedFrames: Frame[] = [];

/**
 * Checks one JSON text (RFC 8259, UTF-8 without a byte order mark) in one pass over its bytes and finds the values that
 * patterns lead to. Accepts exactly the texts that `JSON.parse` accepts, except for numbers of more than 64 KiB.
 * Member names are compared decoded: `"mod\u0065l"` is `model`. A pattern is ambiguous if readers could find different values
 * for it: one keeps the first of two equal names, one the last, one ignores letter case. Refuse a body with an ambiguous
 * pattern before you act on its value.
 * @throws JsonScanError, `too_large` also for over 100,000 matches or listed members.
 * @example scanJson(body, compilePatterns(['model'])).matches
 */
export function scanJson(body: Buffer, patterns: JsonPatterns, limits = DEFAULT_LIMITS): JsonScan {
  if (!isUtf8(body)) throw new JsonScanError('invalid_json', findInvalidUtf8(body));
  const scan = startScan(body, { patterns, limits, frames: sharedFrames });
  advanceScan(scan, body.length);
  return finishScan(scan);
}

export interface TurnOptions {
  readonly limits?: JsonScanLimits;
  /** Bodies up to this size are scanned without a turn for others. */
  readonly atOnceBytes?: number;
  /** The bytes that are scanned between two turns. */
  readonly sliceBytes?: number;
  readonly turn?: GiveTurn;
}

const AT_ONCE_BYTES = 512 * 1024;
const SLICE_BYTES = 512 * 1024;
/** Checking UTF-8 is many times faster than scanning. */
const UTF8_SLICES = 8;

/** As `scanJson`, for bodies of any size: after each slice of a large one, others have their turn of the event loop. */
export function scanJsonInTurns(
  body: Buffer,
  patterns: JsonPatterns,
  options: TurnOptions = {},
): JsonScan | Promise<JsonScan> {
  const { atOnceBytes = AT_ONCE_BYTES, limits = DEFAULT_LIMITS } = options;
  return body.length <= atOnceBytes
    ? scanJson(body, patterns, limits)
    : scanSlices(body, patterns, { ...options, limits });
}

async function scanSlices(
  body: Buffer,
  patterns: JsonPatterns,
  { limits = DEFAULT_LIMITS, sliceBytes = SLICE_BYTES, turn = giveTurn }: TurnOptions,
): Promise<JsonScan> {
  for (let at = 0; at < body.length; ) {
    const end = wholeCharacters(body, at + sliceBytes * UTF8_SLICES);
    const slice = body.subarray(at, end);
    if (!isUtf8(slice)) throw new JsonScanError('invalid_json', at + findInvalidUtf8(slice));
    at = end;
    await turn();
  }
  // Patterns keep state while a scan runs, and another scan may run between two slices.
  const own = compilePatterns(patterns.paths, patterns.folding, patterns);
  const scan = startScan(body, { patterns: own, limits, frames: [] });
  while (!advanceScan(scan, Math.min(body.length, scan.at + sliceBytes))) await turn();
  return finishScan(scan);
}

/** The index, or up to three less, so that no character is cut in two. */
function wholeCharacters(body: Buffer, at: number): number {
  if (at >= body.length) return body.length;
  let end = at;
  while (end > at - 3 && ((body[end] as number) & 0xc0) === 0x80) end--;
  return end;
}

/** The index of the first bytes that are not UTF-8, by bisection; no cut divides a valid character. */
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
