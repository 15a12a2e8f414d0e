import { ByteGatherer } from '../byte-gatherer.ts';

/** Encodes bytes as a base64 data URL (RFC 2397) while they arrive, without keeping the bytes. */
export class DataUrlGatherer {
  readonly #text = new ByteGatherer();
  /** Up to two bytes that wait for a third, since base64 encodes groups of three bytes. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(mediaType: string) {
    this.#text.add(Buffer.from(`data:${mediaType};base64,`));
  }

  /** The length of the URL so far, in bytes. */
  get length(): number {
    return this.#text.length;
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.length - (bytes.length % 3);
    this.#text.add(Buffer.from(bytes.toString('base64', 0, end), 'latin1'));
    this.#rest = Buffer.from(bytes.subarray(end));
  }

  /** Ends the URL and returns its pieces. They need no escaping in a JSON string. */
  pieces(): readonly Buffer[] {
    this.#text.add(Buffer.from(this.#rest.toString('base64'), 'latin1'));
    this.#rest = Buffer.alloc(0);
    return this.#text.pieces();
  }
}
