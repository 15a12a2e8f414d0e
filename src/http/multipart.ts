import { isUtf8 } from 'node:buffer';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import { fieldBaseName, type PartHeaders, parsePartHeaders } from './multipart-headers.ts';

/** One part of a multipart/form-data body. */
export interface MultipartPart extends PartHeaders {
  /** True where it has a file name, or its field is one of those that hold files. */
  readonly isFile: boolean;
  /** The content, to be read once, before the next part is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

export interface MultipartLimits {
  readonly parts: number;
  /** The header block of one part. */
  readonly headerBytes: number;
  /** Content of one part that is not a file. */
  readonly fieldBytes: number;
  /** Content of one file: exactly this much passes. */
  readonly fileBytes: number;
  /** What may stand before the first boundary, and after the last one. */
  readonly outsideBytes: number;
  /** The whole body. */
  readonly totalBytes: number;
}

export interface MultipartOptions {
  readonly limits?: Partial<MultipartLimits>;
  /** Fields (base names) that hold a file even where the part names none. */
  readonly fileFields?: ReadonlySet<string>;
  /** Makes the error for a file over the limit, where it is not to be `file_too_large`. */
  readonly fileTooLarge?: (field: string, limitBytes: number) => Error;
}

const DEFAULT_LIMITS: MultipartLimits = {
  parts: 256,
  headerBytes: 16_384,
  fieldBytes: 1_048_576,
  fileBytes: 26_214_400,
  outsideBytes: 65_536,
  totalBytes: 52_428_800,
};
/** Larger chunks are looked at in slices, so that what is joined to a remainder stays small. */
const SLICE_BYTES = 65_536;
const PADDING_BYTES = 256;
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
const CRLF = Buffer.from('\r\n');
const CRLF_CRLF = Buffer.from('\r\n\r\n');

/**
 * Reads a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) part by part as it arrives, and holds no more of it
 * than one chunk and the length of the boundary. Iterate over it once; content that is not read is skipped, within the
 * same limits. The source is only ever read: whoever owns it ends it.
 * Where readers could differ (bare line feeds, text behind a boundary, doubled headers, no closing boundary) it refuses.
 * Iterating throws HttpError `invalid_body`, `file_too_large`, `request_too_large`, or what the source throws.
 */
export class MultipartReader implements AsyncIterable<MultipartPart> {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  readonly #limits: MultipartLimits;
  readonly #options: MultipartOptions;
  /** Bytes not looked at yet. A delimiter begins with a line end, and the first one may stand at the very start. */
  #rest: Buffer = CRLF;
  #totalBytes = 0;
  #isInContent = true;

  constructor(source: AsyncIterable<Buffer>, boundary: string, options: MultipartOptions = {}) {
    this.#chunks = inSlices(source);
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MultipartPart> {
    const { outsideBytes, parts } = this.#limits;
    await skip(this.#readContent(outsideBytes, () => invalid('The body does not begin with its boundary.')));
    for (let count = 1; await this.#isAtPart(); count++) {
      if (count > parts) throw invalid(`The multipart body has more than ${parts} parts.`);
      const headers = parsePartHeaders(await this.#readHeaders());
      const isFile = headers.filename !== null || this.#isFileField(headers.name);
      const content = this.#readPart(headers.name, isFile);
      // Not the generator itself: leaving a loop over it would end it, and what is left must still be read over.
      const body = { [Symbol.asyncIterator]: () => ({ next: () => content.next() }) };
      yield { ...headers, isFile, body };
      await skip(content);
    }
    await this.#skipEpilogue();
  }

  #isFileField(name: string): boolean {
    return this.#options.fileFields?.has(fieldBaseName(name)) === true;
  }

  #readPart(name: string, isFile: boolean): AsyncGenerator<Buffer> {
    const { fieldBytes, fileBytes } = this.#limits;
    if (!isFile) return this.#readContent(fieldBytes, () => fieldTooLarge(name, fieldBytes));
    const tooLarge = this.#options.fileTooLarge ?? fileTooLarge;
    return this.#readContent(fileBytes, () => tooLarge(name, fileBytes));
  }

  /** Yields what stands before the next delimiter, less the line end at its start, and reads over the delimiter. */
  async *#readContent(limitBytes: number, tooLarge: () => Error): AsyncGenerator<Buffer> {
    let length = -CRLF.length;
    this.#isInContent = true;
    while (this.#isInContent) {
      const chunk = await this.#nextContent();
      const content = length < 0 ? chunk.subarray(CRLF.length) : chunk;
      length += chunk.length;
      if (length > limitBytes) throw tooLarge();
      if (content.length > 0) yield content;
    }
  }

  /** The longest piece that is known to stand before a delimiter; `#isInContent` turns false with the last one. */
  async #nextContent(): Promise<Buffer> {
    for (;;) {
      const rest = this.#rest;
      const at = rest.indexOf(this.#delimiter);
      const end = at < 0 ? this.#startOfPartialDelimiter() : at;
      if (at >= 0) this.#isInContent = false;
      if (at >= 0 || end > 0) {
        this.#rest = rest.subarray(at < 0 ? end : at + this.#delimiter.length);
        return rest.subarray(0, end);
      }
      await this.#pull();
    }
  }

  /** Where the end of the bytes at hand could be the first bytes of a delimiter; their length where it cannot. */
  #startOfPartialDelimiter(): number {
    const rest = this.#rest;
    let at = rest.indexOf(CR, Math.max(0, rest.length - this.#delimiter.length + 1));
    while (at >= 0) {
      const isLast = at + 1 === rest.length;
      // The second byte is looked at first, for a run of line ends would be compared at each of its bytes.
      if (isLast || (rest[at + 1] === LF && this.#beginsDelimiter(at))) return at;
      at = rest.indexOf(CR, at + 1);
    }
    return rest.length;
  }

  #beginsDelimiter(at: number): boolean {
    return this.#delimiter.compare(this.#rest, at, this.#rest.length, 0, this.#rest.length - at) === 0;
  }

  /** Looks behind a delimiter: true at a line end, which is left where it is, false behind the closing `--`. */
  async #isAtPart(): Promise<boolean> {
    let at = 0;
    for (;;) {
      while (this.#rest.length < at + 2) await this.#pull();
      const [first, second] = this.#rest.subarray(at, at + 2);
      if (first === CR && second === LF) {
        this.#rest = this.#rest.subarray(at);
        return true;
      }
      if (first === DASH && second === DASH && at === 0) {
        this.#rest = this.#rest.subarray(2);
        return false;
      }
      // RFC 2046 allows white space here ("transport padding") and nothing else.
      if ((first !== SPACE && first !== TAB) || ++at > PADDING_BYTES) {
        throw invalid('A multipart boundary is not followed by CR LF.');
      }
    }
  }

  /** Reads the header block: from behind the delimiter's line end to the blank line, whose line end is left. */
  async #readHeaders(): Promise<Buffer> {
    const { headerBytes } = this.#limits;
    const furthest = CRLF.length + headerBytes;
    let from = 0;
    for (;;) {
      const end = this.#rest.indexOf(CRLF_CRLF, from);
      if (end > furthest || (end < 0 && this.#rest.length > furthest + CRLF_CRLF.length)) {
        throw invalid(`The headers of a part are larger than ${headerBytes} bytes.`);
      }
      if (end >= 0) {
        const block = Buffer.from(this.#rest.subarray(Math.min(CRLF.length, end), end));
        this.#rest = this.#rest.subarray(end + CRLF.length);
        return block;
      }
      from = Math.max(0, this.#rest.length - CRLF_CRLF.length + 1);
      await this.#pull();
    }
  }

  async #skipEpilogue(): Promise<void> {
    let skipped = 0;
    for (let chunk: Buffer | null = this.#rest; chunk !== null; chunk = await this.#nextChunk()) {
      skipped += chunk.length;
      if (skipped > this.#limits.outsideBytes) throw invalid('Too much stands behind the multipart body.');
    }
  }

  /** Adds a chunk to what is left. */
  async #pull(): Promise<void> {
    const chunk = await this.#nextChunk();
    if (chunk === null) throw invalid('The multipart body ends before its closing boundary.');
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  async #nextChunk(): Promise<Buffer | null> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return null;
    this.#totalBytes += value.length;
    const { totalBytes } = this.#limits;
    if (this.#totalBytes <= totalBytes) return value;
    throw new HttpError('request_too_large', `The request body is larger than ${totalBytes} bytes.`);
  }
}

async function skip(content: AsyncGenerator<Buffer>): Promise<void> {
  while ((await content.next()).done !== true);
}

/** Never yields an empty chunk, which would look like the end. */
async function* inSlices(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
  }
}

function invalid(message: string): HttpError {
  return new HttpError('invalid_body', message);
}

function fileTooLarge(field: string, limitBytes: number): HttpError {
  const message = `The file is larger than ${limitBytes / 1_048_576} MB. Send a smaller or compressed one.`;
  return new HttpError('file_too_large', message, { param: field });
}

/**
 * Reads the content of a part into memory. `tooLarge` makes the error for more than `limitBytes` out of the content's start.
 * @throws HttpError `request_too_large`, param the field's name, where there is no other `tooLarge`.
 */
export async function readField(
  part: MultipartPart,
  limitBytes: number,
  tooLarge: (start: Buffer) => Error = () => fieldTooLarge(part.name, limitBytes),
): Promise<Buffer> {
  const gathered = new ByteGatherer();
  for await (const chunk of part.body) {
    gathered.add(chunk);
    if (gathered.length > limitBytes) throw tooLarge(gathered.whole().subarray(0, limitBytes));
  }
  return gathered.whole();
}

/**
 * The content of a field as text.
 * @throws HttpError `invalid_body`, param the field's name, where it is not UTF-8.
 */
export function fieldText(name: string, value: Buffer): string {
  if (isUtf8(value)) return value.toString('utf8');
  throw new HttpError('invalid_body', `The form field ${shownText(name)} is not UTF-8 text.`, {
    param: name,
  });
}

/** The error for a form field that is too long. */
export function fieldTooLarge(name: string, limitBytes: number): HttpError {
  const message = `The form field ${shownText(name)} is larger than ${limitBytes} bytes.`;
  return new HttpError('request_too_large', message, { param: name });
}
