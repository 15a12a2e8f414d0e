/** Chunks from this size on are kept as they are: half of what node:http reads at a time, which they hold on to. */
const LARGE_BYTES = 32 * 1024;
const FIRST_BLOCK_BYTES = 16 * 1024;
const LAST_BLOCK_BYTES = 1024 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);
/** Bytes that must arrive before memory is set aside for a larger announced size: announcing costs a sender nothing. */
const TRUSTED_BYTES = 1024 * 1024;

/**
 * Gathers a body from chunks of any size. Each Buffer costs about a hundred bytes and keeps alive the whole read that it
 * views, so a body sent byte by byte would take a thousand times its size: small chunks are copied into blocks. A body of
 * an announced size goes into one block, so that `whole()` need not copy it.
 */
export class ByteGatherer {
  readonly #announcedBytes: number;
  #length = 0;
  /** The first chunk, as long as it is the only one. */
  #only: Buffer | null = null;
  readonly #parts: Buffer[] = [];
  #block = NOTHING;
  /** The bytes `[from, to)` of the block are not among `#parts` yet. */
  #from = 0;
  #to = 0;
  /** True once the block has room for all announced bytes. */
  #isOneBlock = false;

  /** @param announcedBytes the size that the sender announced; 0: unknown. More bytes than that may still come. */
  constructor(announcedBytes = 0) {
    this.#announcedBytes = announcedBytes;
  }

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const before = this.#length;
    this.#length += chunk.length;
    if (before === 0) {
      this.#only = chunk;
      return;
    }
    const first = this.#only;
    this.#only = null;
    if (first !== null) this.#append(first);
    this.#append(chunk);
  }

  /** Everything so far, in pieces. */
  pieces(): readonly Buffer[] {
    if (this.#only !== null) return [this.#only];
    this.#seal();
    return this.#parts;
  }

  /** Everything so far, in one buffer: copied unless it is in one piece already. */
  whole(): Buffer {
    const pieces = this.pieces();
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces, this.#length);
  }

  #append(chunk: Buffer): void {
    if (!this.#isOneBlock && this.#isAnnouncementTrusted()) this.#startOneBlock();
    if (chunk.length >= LARGE_BYTES && !this.#isOneBlock) {
      this.#seal();
      this.#parts.push(chunk);
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      if (this.#to === this.#block.length) this.#startBlock();
      const copied = chunk.copy(this.#block, this.#to, at);
      this.#to += copied;
      at += copied;
    }
  }

  #isAnnouncementTrusted(): boolean {
    const announced = this.#announcedBytes;
    return announced > 0 && (announced <= TRUSTED_BYTES || this.#length >= TRUSTED_BYTES);
  }

  #startOneBlock(): void {
    const block = Buffer.allocUnsafeSlow(Math.max(this.#announcedBytes, this.#length));
    let at = 0;
    for (const piece of this.pieces()) at += piece.copy(block, at);
    this.#parts.length = 0;
    this.#block = block;
    this.#from = 0;
    this.#to = at;
    this.#isOneBlock = true;
  }

  #startBlock(): void {
    this.#seal();
    const bytes = Math.min(Math.max(FIRST_BLOCK_BYTES, this.#length), LAST_BLOCK_BYTES);
    this.#block = Buffer.allocUnsafeSlow(bytes);
    this.#from = 0;
    this.#to = 0;
  }

  #seal(): void {
    if (this.#to > this.#from) this.#parts.push(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
