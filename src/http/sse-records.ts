export const LF = 0x0a;
export const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

/** A record, or of one that is longer than what may be held back, a piece. */
export interface SsePart {
  readonly bytes: Buffer;
  /** Whether the record begins, and ends, with these bytes. */
  readonly begins: boolean;
  readonly ends: boolean;
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
 * belongs to this line end, it comes as a record of its own, like any empty line between records. At most
 * `heldBytes` of one record are held, copied into one buffer, because a view of one byte can keep a whole read alive;
 * a longer record comes in pieces.
 */
export class SseRecords {
  readonly #heldBytesAtMost: number;
  #held = NOTHING;
  #heldBytes = 0;
  /** The record's first bytes were given already. */
  #isOpen = false;
  #isLineStart = true;
  /** The last byte was a CR, so that an LF now would belong to it. */
  #isAfterCr = false;

  constructor(heldBytes: number) {
    this.#heldBytesAtMost = heldBytes;
  }

  /**
   * The records that are finished with this chunk, each with its empty line, and what can be given of a long one. What
   * lies whole in the chunk is a view of it.
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

  /** True where nothing is held and the next byte begins a record. */
  get isBetweenRecords(): boolean {
    return this.#heldBytes === 0 && !this.#isOpen && this.#isLineStart && !this.#isAfterCr;
  }

  /** True where a part of the present record was given already. */
  get isInsideRecord(): boolean {
    return this.#isOpen;
  }

  /** What is left of a record that the stream's end cut short, or null. */
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

  /** What is held and what follows, in one piece: so the first piece of a long record has its whole head. */
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

  /** Lets go of the buffer, which from now on is the caller's. */
  #takeHeld(): Buffer {
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#held = NOTHING;
    this.#heldBytes = 0;
    return held;
  }
}
