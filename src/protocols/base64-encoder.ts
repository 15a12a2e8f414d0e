/** 48 KiB, which is 64 KiB in base64. */
const SLICE_BYTES = 49_152;
const NOTHING: Buffer = Buffer.alloc(0);

/** Encodes bytes in base64 (RFC 4648 section 4) while they arrive. */
export class Base64Encoder {
  /** Up to two bytes that wait for a third, since base64 encodes groups of three bytes. */
  #rest = NOTHING;

  /** The base64 of the next bytes, slice by slice, so that only one slice is held in both forms. */
  *encode(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    if (this.#rest.length > 0) {
      at = Math.min(3 - this.#rest.length, chunk.length);
      this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, at)]);
      if (this.#rest.length < 3) return;
      yield* this.end();
    }
    const end = chunk.length - ((chunk.length - at) % 3);
    for (; at < end; at += SLICE_BYTES) yield toBase64(chunk.subarray(at, Math.min(at + SLICE_BYTES, end)));
    this.#rest = Buffer.from(chunk.subarray(end));
  }

  /** The base64 of the bytes that still wait, with padding; nothing if none do. */
  *end(): Generator<Buffer> {
    const last = this.#rest;
    this.#rest = NOTHING;
    if (last.length > 0) yield toBase64(last);
  }
}

function toBase64(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}
