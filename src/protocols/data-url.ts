import { ByteGatherer } from '../byte-gatherer.ts';

/** Makes a base64 data URL (RFC 2397) of bytes while they arrive: the bytes themselves are not kept. */
export class DataUrlGatherer {
  readonly #text = new ByteGatherer();
  /** Up to two bytes that wait for a third: base64 is made of threes. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(mediaType: string) {
    this.#text.add(Buffer.from(`data:${mediaType};base64,`));
  }

  /** What it holds by now, in bytes. */
  get length(): number {
    return this.#text.length;
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.length - (bytes.length % 3);
    this.#text.add(Buffer.from(bytes.toString('base64', 0, end), 'latin1'));
    this.#rest = Buffer.from(bytes.subarray(end));
  }

  /** Ends the URL and gives it in pieces, which may stand in a JSON string as they are. */
  pieces(): readonly Buffer[] {
    this.#text.add(Buffer.from(this.#rest.toString('base64'), 'latin1'));
    this.#rest = Buffer.alloc(0);
    return this.#text.pieces();
  }
}
