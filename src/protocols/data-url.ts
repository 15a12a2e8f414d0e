import { ByteGatherer } from '../byte-gatherer.ts';
import { Base64Encoder } from './base64-encoder.ts';

/** Encodes bytes as a base64 data URL (RFC 2397) while they arrive, without keeping the bytes. */
export class DataUrlGatherer {
  readonly #text = new ByteGatherer();
  readonly #encoder = new Base64Encoder();

  constructor(mediaType: string) {
    this.#text.add(Buffer.from(`data:${mediaType};base64,`));
  }

  /** The length of the URL so far, in bytes. */
  get length(): number {
    return this.#text.length;
  }

  add(chunk: Buffer): void {
    for (const piece of this.#encoder.encode(chunk)) this.#text.add(piece);
  }

  /** Ends the URL and returns its pieces. They need no escaping in a JSON string. */
  pieces(): readonly Buffer[] {
    for (const piece of this.#encoder.end()) this.#text.add(piece);
    return this.#text.pieces();
  }
}
