export const LF = 0x0a;
export const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

/** A record, or a piece of a record that is too long to be held back. */
export interface SsePart {
  readonly bytes: Buffer;
  /** True if these are the first bytes of the record. */
  readonly begins: boolean;
  /** True if these are the last bytes of the record. */
  readonly ends: boolean;
}

/** Finds line ends, LF or CR, in order. It searches every byte only once for each, however they are mixed. */
export class LineEnds {
  readonly #bytes: Buffer;
  #lf = -1;
  #cr = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The index of the first line end from `from` on, or the length. `from` must not decrease between calls. */
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
 * Splits an event stream into its records as it arrives (WHATWG HTML, 9.2.5 "Parsing an event stream"): a record ends with an
 * empty line, a line with LF, CR or CRLF. It changes and drops no byte, and holds bytes back only until their record is
 * complete. So a record that ends with a CR is returned at once; if the LF of that line end follows, it becomes a record of
 * its own, like any empty line between records. At most `heldBytes` of one record are held, copied into one buffer, because a
 * view of one byte can keep a whole read alive; a longer record comes in pieces.
 */
export class SseRecords {
  readonly #heldBytesAtMost: number;
  #held = NOTHING;
  #heldBytes = 0;
  /** The first bytes of the record were returned already. */
  #isOpen = false;
  #isLineStart = true;
  /** The last byte was a CR: an LF now belongs to the same line end. */
  #isAfterCr = false;

  constructor(heldBytes: number) {
    this.#heldBytesAtMost = heldBytes;
  }

  /**
   * Returns the records that this chunk completes, each with its empty line, and the pieces of a long one. A record that lies
   * in one chunk is a view of it.
   */
  push(chunk: Buffer): SsePart[] {
    const parts: SsePart[] = [];
    const lineEnds = new LineEnds(chunk);
    let start = 0;
    let from = this.#isAfterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#isAfterCr = false;
    if (from === 1 && this.#heldBytes === 0 && !this.#isOpen) {
      parts.push({ bytes: chunk.subarray(0, 1), begins: true, ends: true });
      start = 1;
    }
    while (start < chunk.length) {
      const end = this.#findRecordEnd(chunk, from, lineEnds);
      const bytes = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (end === -1) this.#addUnfinished(bytes, parts);
      else this.#addFinished(bytes, parts);
      start += bytes.length;
      from = start;
    }
    return parts;
  }

  /** True if nothing is held and the next byte begins a record. */
  get isBetweenRecords(): boolean {
    return this.#heldBytes === 0 && !this.#isOpen && this.#isLineStart && !this.#isAfterCr;
  }

  /** True if a piece of the current record was returned already. */
  get isInsideRecord(): boolean {
    return this.#isOpen;
  }

  /** The held bytes of a record that the end of the stream cut off, or null. */
  end(): Buffer | null {
    return this.#heldBytes > 0 ? this.#takeHeld() : null;
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

  #addFinished(bytes: Buffer, parts: SsePart[]): void {
    parts.push({ bytes: this.#withHeld(bytes), begins: !this.#isOpen, ends: true });
    this.#isOpen = false;
  }

  #addUnfinished(bytes: Buffer, parts: SsePart[]): void {
    if (!this.#isOpen && this.#fits(bytes)) {
      this.#hold(bytes);
      return;
    }
    parts.push({ bytes: this.#withHeld(bytes), begins: !this.#isOpen, ends: false });
    this.#isOpen = true;
  }

  /** The held bytes and these in one piece: so the first piece of a long record has its whole head. */
  #withHeld(bytes: Buffer): Buffer {
    if (this.#heldBytes === 0) return bytes;
    if (!this.#fits(bytes)) return Buffer.concat([this.#takeHeld(), bytes]);
    this.#hold(bytes);
    return this.#takeHeld();
  }

  #fits(bytes: Buffer): boolean {
    return this.#heldBytes + bytes.length <= this.#heldBytesAtMost;
  }

  #hold(bytes: Buffer): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(needed * 2, 1024), this.#heldBytesAtMost));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }

  /** The held bytes; their buffer now belongs to the caller. */
  #takeHeld(): Buffer {
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#held = NOTHING;
    this.#heldBytes = 0;
    return held;
  }
}
