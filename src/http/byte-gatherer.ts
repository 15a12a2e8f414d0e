/** Chunks from this size on are kept as they are: half of what node:http reads at a time, which they hold on to. */
const LARGE_BYTES = 32 * 1024;
const FIRST_BLOCK_BYTES = 16 * 1024;
const LAST_BLOCK_BYTES = 1024 * 1024;

/**
 * Gathers a body whose chunks may be of any size. A Buffer costs some hundred bytes beside its own, and holds on to the
 * whole read that it is a part of: a body sent byte by byte would take a thousand times its size, so small chunks are
 * copied into blocks.
 */
export class ByteGatherer {
  #length = 0;
  /** The one chunk of a body that came in one. */
  #only: Buffer | null = null;
  readonly #parts: Buffer[] = [];
  #block = Buffer.alloc(0);
  /** Where in the block the part begins that is not yet among `#parts`, and where it ends. */
  #from = 0;
  #to = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    if (this.#length === chunk.length) {
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

  /** Everything so far, in one: copied unless it is in one piece already. */
  whole(): Buffer {
    const pieces = this.pieces();
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces, this.#length);
  }

  #append(chunk: Buffer): void {
    if (chunk.length >= LARGE_BYTES) {
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
