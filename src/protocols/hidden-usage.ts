import { dataSpan, firstDataSpan, recordData, recordEvent, sseRecord } from '../http/sse.ts';
import { CR, LF, LineEnds } from '../http/sse-records.ts';
import { firstMatch, type JsonScan } from '../json/matches.ts';
import { MemberRemover } from '../json/member-remover.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJson } from '../json/scan.ts';

/** Without its first quote: the search for a byte that is rarer than quotes is ten times as fast. */
const USAGE = Buffer.from('usage"');
const QUOTE = 0x22;
const COLON = 0x3a;
const LETTER_N = 0x6e;
const PATTERNS = compilePatterns(['usage', 'choices', 'choices.*']);

/**
 * True if bytes of an event stream have a member `usage` that is not null. Providers that were asked for usage write
 * `"usage":null` into every chunk before the last one.
 */
export function showsUsage(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(USAGE); at >= 0; at = bytes.indexOf(USAGE, at + USAGE.length)) {
    const colon = afterSpace(bytes, at + USAGE.length);
    if (bytes[at - 1] !== QUOTE) continue;
    if (bytes[colon] === COLON && bytes[afterSpace(bytes, colon + 1)] !== LETTER_N) return true;
  }
  return false;
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}

/**
 * Hides from a client the usage that this server asked for: a record without choices is dropped, and `usage` is removed from a
 * record that has content too.
 */
export class UsageHider {
  /** For a record that comes in pieces. */
  #remover: MemberRemover | null = null;
  /** The dropped record ended with CR: an LF now belongs to the same line end. */
  #isAfterCr = false;

  /** What the client gets of a whole record; null: nothing. */
  hide(record: Buffer): Buffer | null {
    const isLineEnd = this.#isAfterCr && record.length === 1 && record[0] === LF;
    this.#isAfterCr = false;
    if (isLineEnd) return null;
    if (!showsUsage(record)) return record;
    const shown = withoutUsage(record);
    this.#isAfterCr = shown === null && record[record.length - 1] === CR;
    return shown;
  }

  /** What the client gets of a piece of a record that is too long to be held; such a record has content. */
  hidePiece(piece: Buffer, { begins }: { readonly begins: boolean }): Buffer {
    const span = begins ? firstDataSpan(piece) : { start: 0, end: new LineEnds(piece).next(0) };
    if (begins) {
      this.#isAfterCr = false;
      this.#remover = span === null ? null : new MemberRemover('usage');
    }
    if (span === null || this.#remover === null) return piece;
    const out: Buffer[] = [];
    if (span.start > 0) out.push(piece.subarray(0, span.start));
    this.#remover.push(piece.subarray(span.start, span.end), out);
    if (span.end < piece.length) {
      this.#remover.end(out);
      this.#remover = null;
      out.push(piece.subarray(span.end));
    }
    const [only] = out;
    return out.length === 1 && only !== undefined ? only : Buffer.concat(out);
  }
}

function withoutUsage(record: Buffer): Buffer | null {
  const data = recordData(record);
  if (data === null) return record;
  const scan = tryScan(data);
  const usage = scan === null ? undefined : firstMatch(scan, 'usage');
  if (scan === null || usage === undefined || usage.kind === 'null') return record;
  if (firstMatch(scan, 'choices.*') === undefined) return null;
  const kept: Buffer[] = [];
  const remover = new MemberRemover('usage');
  remover.push(data, kept);
  remover.end(kept);
  const span = dataSpan(record);
  if (span === null) return sseRecord(Buffer.concat(kept).toString(), recordEvent(record) ?? undefined);
  return Buffer.concat([record.subarray(0, span.start), ...kept, record.subarray(span.end)]);
}

function tryScan(data: Buffer): JsonScan | null {
  try {
    return scanJson(data, PATTERNS);
  } catch {
    return null;
  }
}
