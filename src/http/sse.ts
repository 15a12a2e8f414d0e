import { LF, LineEnds } from './sse-records.ts';

/** The bytes `[start, end)` of a record. */
export interface SseSpan {
  readonly start: number;
  readonly end: number;
}

const COLON = 0x3a;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;
const DATA = Buffer.from('data');
const EVENT = Buffer.from('event');
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The error of an upstream is one bare line. */
const MAX_BARE_LINES = 16;

/**
 * Iterates over the lines of a record; `[start, end)` is the line without its line end. Between CR and LF it finds an empty
 * line, which is harmless because an empty line is not a field.
 */
class RecordLines {
  readonly record: Buffer;
  start = 0;
  end = 0;
  readonly #lineEnds: LineEnds;
  #after: number;

  constructor(record: Buffer) {
    this.record = record;
    this.#lineEnds = new LineEnds(record);
    // A stream may begin with a byte order mark, which does not belong to its first line.
    this.#after = startsWith(record, 0, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  }

  next(): boolean {
    if (this.#after >= this.record.length) return false;
    this.start = this.#after;
    this.end = this.#lineEnds.next(this.start);
    this.#after = this.end + 1;
    return true;
  }

  /** Moves to the next line of a field; `[start, end)` is its value, without one space after the colon. */
  nextValue(field: Buffer): boolean {
    while (this.next()) {
      const colon = this.start + field.length;
      if (!startsWith(this.record, this.start, field)) continue;
      if (colon !== this.end && this.record[colon] !== COLON) continue;
      this.start = Math.min(this.record[colon + 1] === SPACE ? colon + 2 : colon + 1, this.end);
      return true;
    }
    return false;
  }

  text(): Buffer {
    return this.record.subarray(this.start, this.end);
  }
}

function startsWith(record: Buffer, from: number, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    if (record[from + at] !== bytes[at]) return false;
  }
  return true;
}

/**
 * The data of a record: the values of its `data` lines joined with LF, a view of the record if it has only one; null if it
 * has none. Browsers dispatch no event for empty data.
 */
export function recordData(record: Buffer): Buffer | null {
  const lines = new RecordLines(record);
  if (!lines.nextValue(DATA)) return null;
  const first = lines.text();
  if (!lines.nextValue(DATA)) return first;
  const joined = Buffer.allocUnsafe(record.length);
  let length = first.copy(joined);
  do {
    joined[length] = LF;
    length += 1 + record.copy(joined, length + 1, lines.start, lines.end);
  } while (lines.nextValue(DATA));
  return joined.subarray(0, length);
}

/** The value of the first `data` line in a record or in its first piece, where the line may be incomplete; null if none. */
export function firstDataSpan(piece: Buffer): SseSpan | null {
  const lines = new RecordLines(piece);
  return lines.nextValue(DATA) ? { start: lines.start, end: lines.end } : null;
}

/** The value of the `data` line, for replacing it in place, if the record has exactly one; else null. */
export function dataSpan(record: Buffer): SseSpan | null {
  const lines = new RecordLines(record);
  if (!lines.nextValue(DATA)) return null;
  const { start, end } = lines;
  return lines.nextValue(DATA) ? null : { start, end };
}

/** The event type of a record: the value of its last `event` line; null if there is none or it is empty. */
export function recordEvent(record: Buffer): string | null {
  const lines = new RecordLines(record);
  let event: string | null = null;
  while (lines.nextValue(EVENT)) event = lines.text().toString() || null;
  return event;
}

/**
 * The first lines of a record, 16 at most, that begin with an opening brace. They are not fields, and clients ignore them:
 * an upstream that fails in mid-stream may write its error as bare JSON.
 */
export function bareLines(record: Buffer): Buffer[] {
  const lines = new RecordLines(record);
  const found: Buffer[] = [];
  while (found.length < MAX_BARE_LINES && lines.next()) {
    if (record[lines.start] === OPEN_BRACE) found.push(lines.text());
  }
  return found;
}

/** Writes a record; data of several lines becomes several `data` lines. @throws RangeError for line ends in `event`. */
export function sseRecord(data: string, event?: string): Buffer {
  const lines = /[\r\n]/.test(data) ? data.replaceAll(/\r\n|\r|\n/g, '\ndata: ') : data;
  if (event === undefined) return Buffer.from(`data: ${lines}\n\n`);
  if (/[\r\n]/.test(event)) throw new RangeError('line end in the type of an event');
  return Buffer.from(`event: ${event}\ndata: ${lines}\n\n`);
}
