export const LF = 0x0a;
export const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

/** A record of an event stream is longer than the limit. */
export class SseTooLargeError extends Error {
  override readonly name = 'SseTooLargeError';

  constructor(limitBytes: number) {
    super(`a record of the event stream is longer than ${limitBytes} bytes`);
  }
}

/** Finds line ends in order, LF or CR, looking at each byte once for either however they are mixed. */
export class LineEnds {
  readonly #bytes: Buffer;
  #lf = -1;
  #cr = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The index of the first line end from `from` on, or the length. `from` must not go back between calls. */
  next(from: number): number {
    if (this.#lf < from) this.#lf = this.#find(LF, from);
    if (this.#cr < from) this.#cr = this.#find(CR, from);
    return Math.min(this.#lf, this.#cr);
  }

  #find(byte: number, from: number): number {
    const found = this.#bytes.indexOf(byte, from);
    return found === -1 ? this.#bytes.length : found;
  }
}

/**
 * Cuts an event stream into its records as it comes (WHATWG HTML, 9.2.5 "Parsing an event stream"): a record ends
 * with an empty line, a line with LF, CR or CRLF. No byte is changed, dropped or held back longer than its
 * record is unfinished. So a record whose last byte so far is a CR is given at once; should an LF follow that
 * belongs to this line end, it comes as a record of its own, like any empty line between records. At most one
 * record is held, copied into one buffer, because a view of one byte can keep a whole read alive.
 */
export class SseRecords {
  readonly #limitBytes: number;
  #held = NOTHING;
  #heldBytes = 0;
  #isLineStart = true;
  /** The last byte was a CR, so that an LF now would belong to it. */
  #isAfterCr = false;

  /** `limitBytes`: the longest record, its empty line included. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * The records that are finished with this chunk, each with its empty line; those that lie whole in the chunk
   * are views of it. Throws `SseTooLargeError`, after which the stream is of no more use.
   */
  push(chunk: Buffer): Buffer[] {
    const records: Buffer[] = [];
    const lineEnds = new LineEnds(chunk);
    let start = 0;
    let from = this.#isAfterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#isAfterCr = false;
    if (from === 1 && this.#heldBytes === 0) {
      records.push(chunk.subarray(0, 1));
      start = 1;
    }
    while (start < chunk.length) {
      const end = this.#findRecordEnd(chunk, from, lineEnds);
      if (end === -1) {
        this.#hold(start === 0 ? chunk : chunk.subarray(start));
        break;
      }
      records.push(this.#take(chunk, start, end));
      start = end;
      from = end;
    }
    return records;
  }

  /** True where nothing is held and the next byte begins a record. */
  get isBetweenRecords(): boolean {
    return this.#heldBytes === 0 && this.#isLineStart && !this.#isAfterCr;
  }

  /** What is left of a record that the stream's end cut short, or null. */
  end(): Buffer | null {
    const rest = this.#heldBytes > 0 ? this.#held.subarray(0, this.#heldBytes) : null;
    this.#release();
    return rest;
  }

  #findRecordEnd(chunk: Buffer, from: number, lineEnds: LineEnds): number {
    let at = from;
    for (;;) {
      const lineEnd = lineEnds.next(at);
      if (lineEnd > at) this.#isLineStart = false;
      if (lineEnd === chunk.length) return -1;
      const isEmptyLine = this.#isLineStart;
      this.#isLineStart = true;
      at = lineEnd + 1;
      if (chunk[lineEnd] === CR) {
        if (at === chunk.length) this.#isAfterCr = true;
        else if (chunk[at] === LF) at++;
      }
      if (isEmptyLine) return at;
    }
  }

  #take(chunk: Buffer, start: number, end: number): Buffer {
    if (this.#heldBytes + end - start > this.#limitBytes) throw new SseTooLargeError(this.#limitBytes);
    if (start === 0 && this.#heldBytes > 0) {
      this.#hold(chunk.subarray(0, end));
      const record = this.#held.subarray(0, this.#heldBytes);
      this.#release();
      return record;
    }
    return start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
  }

  #hold(bytes: Buffer): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#limitBytes) throw new SseTooLargeError(this.#limitBytes);
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(needed * 2, 1024), this.#limitBytes));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }

  /** Lets go of the buffer, which from now on is the caller's. */
  #release(): void {
    this.#held = NOTHING;
    this.#heldBytes = 0;
  }
}
