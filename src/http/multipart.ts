import { isUtf8 } from 'node:buffer';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import { shownText } from '../shown-text.ts';
import { fieldBaseName, type PartHeaders, parsePartHeaders } from './multipart-headers.ts';

/** One part of a multipart/form-data body. */
export interface MultipartPart extends PartHeaders {
  /** True if it has a file name, or belongs to one of the fields that hold files. */
  readonly isFile: boolean;
  /** The content. Read it once, before you ask for the next part. */
  readonly body: AsyncIterable<Buffer>;
}

export interface MultipartLimits {
  readonly parts: number;
  /** The header block of one part. */
  readonly headerBytes: number;
  /** Content of a part that is not a file. */
  readonly fieldBytes: number;
  /** Content of a file; one of exactly this size passes. */
  readonly fileBytes: number;
  /** Bytes before the first boundary, and bytes after the last one. */
  readonly outsideBytes: number;
  /** The whole body. */
  readonly totalBytes: number;
}

export interface MultipartOptions {
  readonly limits?: Partial<MultipartLimits>;
  /** Fields, by base name, that hold a file even if the part has no file name. */
  readonly fileFields?: ReadonlySet<string>;
  /** Makes the error for a file over the limit; `file_too_large` if absent. */
  readonly fileTooLarge?: (field: string, limitBytes: number) => Error;
}

/** The most that a form field without a file may hold, in bytes. */
export const FIELD_LIMIT_BYTES = 1_048_576;

const DEFAULT_LIMITS: MultipartLimits = {
  parts: 256,
  headerBytes: 16_384,
  fieldBytes: FIELD_LIMIT_BYTES,
  fileBytes: 26_214_400,
  outsideBytes: 65_536,
  totalBytes: 52_428_800,
};
/** Larger chunks are taken in slices, so that little is copied when a remainder is joined with the next bytes. */
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
 * Reads a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) part by part as it arrives. It holds no more than one
 * chunk and a boundary. Iterate over it once; content that you do not read is skipped, within the same limits. It only
 * reads the source: the source's owner ends it.
 * It refuses bodies that readers could understand differently: bare line feeds, text behind a boundary, repeated headers, a
 * missing closing boundary. Iterating throws HttpError `invalid_body`, `file_too_large`, `request_too_large`, or what the
 * source throws.
 */
export class MultipartReader implements AsyncIterable<MultipartPart> {
  readonly #chunks: AsyncIterator<Buffer>;
  /** The rest of a chunk that is taken in slices. */
  #sliced: Buffer = Buffer.alloc(0);
  readonly #delimiter: Buffer;
  readonly #limits: MultipartLimits;
  readonly #options: MultipartOptions;
  /** Bytes that are not taken in yet. The line end lets the first delimiter stand at the very start of the body. */
  #unread: Buffer = CRLF;
  #totalBytes = 0;
  #isInContent = true;

  constructor(source: AsyncIterable<Buffer>, boundary: string, options: MultipartOptions = {}) {
    this.#chunks = source[Symbol.asyncIterator]();
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
      // Not the generator itself: leaving a loop over it would end it, and the rest must still be skipped.
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

  /** Yields the bytes before the next delimiter, without the line end at their start, and skips the delimiter. */
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

  /** The longest piece that surely stands before the delimiter; `#isInContent` turns false with the last one. */
  async #nextContent(): Promise<Buffer> {
    for (;;) {
      const unread = this.#unread;
      const at = unread.indexOf(this.#delimiter);
      const end = at < 0 ? this.#startOfPartialDelimiter() : at;
      if (at >= 0) this.#isInContent = false;
      if (at >= 0 || end > 0) {
        this.#unread = unread.subarray(at < 0 ? end : at + this.#delimiter.length);
        return unread.subarray(0, end);
      }
      await this.#pull();
    }
  }

  /** The index from which on the unread bytes may be the start of a delimiter; their length if there is none. */
  #startOfPartialDelimiter(): number {
    const unread = this.#unread;
    let at = unread.indexOf(CR, Math.max(0, unread.length - this.#delimiter.length + 1));
    while (at >= 0) {
      const isLast = at + 1 === unread.length;
      // Check the second byte first: in a run of line ends every byte would be compared with the whole delimiter.
      if (isLast || (unread[at + 1] === LF && this.#beginsDelimiter(at))) return at;
      at = unread.indexOf(CR, at + 1);
    }
    return unread.length;
  }

  #beginsDelimiter(at: number): boolean {
    return this.#delimiter.compare(this.#unread, at, this.#unread.length, 0, this.#unread.length - at) === 0;
  }

  /** Reads on after a delimiter: true at a line end, which stays unread, false after the closing `--`. */
  async #isAtPart(): Promise<boolean> {
    let at = 0;
    for (;;) {
      while (this.#unread.length < at + 2) await this.#pull();
      const [first, second] = this.#unread.subarray(at, at + 2);
      if (first === CR && second === LF) {
        this.#unread = this.#unread.subarray(at);
        return true;
      }
      if (first === DASH && second === DASH && at === 0) {
        this.#unread = this.#unread.subarray(2);
        return false;
      }
      // RFC 2046 allows white space here ("transport padding") and nothing else.
      if ((first !== SPACE && first !== TAB) || ++at > PADDING_BYTES) {
        throw invalid('A multipart boundary is not followed by CR LF.');
      }
    }
  }

  /** Reads the header block, from after the delimiter's line end to the blank line, whose line end stays unread. */
  async #readHeaders(): Promise<Buffer> {
    const { headerBytes } = this.#limits;
    const furthest = CRLF.length + headerBytes;
    let from = 0;
    for (;;) {
      const end = this.#unread.indexOf(CRLF_CRLF, from);
      if (end > furthest || (end < 0 && this.#unread.length > furthest + CRLF_CRLF.length)) {
        throw invalid(`The headers of a part are larger than ${headerBytes} bytes.`);
      }
      if (end >= 0) {
        const block = Buffer.from(this.#unread.subarray(Math.min(CRLF.length, end), end));
        this.#unread = this.#unread.subarray(end + CRLF.length);
        return block;
      }
      from = Math.max(0, this.#unread.length - CRLF_CRLF.length + 1);
      await this.#pull();
    }
  }

  async #skipEpilogue(): Promise<void> {
    let skipped = 0;
    for (let chunk: Buffer | null = this.#unread; chunk !== null; chunk = await this.#nextChunk()) {
      skipped += chunk.length;
      if (skipped > this.#limits.outsideBytes)
        throw invalid('Unexpected data after the closing boundary of the multipart body.');
    }
  }

  /** Adds a chunk to the unread bytes. */
  async #pull(): Promise<void> {
    const chunk = await this.#nextChunk();
    if (chunk === null) throw invalid('The multipart body ends before its closing boundary.');
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
  }

  /** The next bytes, at least one; null at the end of the body. */
  async #nextChunk(): Promise<Buffer | null> {
    while (this.#sliced.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return null;
      this.#sliced = value;
    }
    const slice = this.#sliced.subarray(0, SLICE_BYTES);
    this.#sliced = this.#sliced.subarray(SLICE_BYTES);
    this.#totalBytes += slice.length;
    const { totalBytes } = this.#limits;
    if (this.#totalBytes <= totalBytes) return slice;
    throw new HttpError('request_too_large', `The request body is larger than ${totalBytes} bytes.`);
  }
}

async function skip(content: AsyncGenerator<Buffer>): Promise<void> {
  while ((await content.next()).done !== true);
}

function invalid(message: string): HttpError {
  return new HttpError('invalid_body', message);
}

function fileTooLarge(field: string, limitBytes: number): HttpError {
  const message = `The file is larger than ${limitBytes / 1_048_576} MB. Send a smaller or compressed one.`;
  return new HttpError('file_too_large', message, { param: field });
}

/**
 * Reads the content of a part into memory. `tooLarge` makes the error for longer content from its first `limitBytes`.
 * @throws HttpError `request_too_large` with the field's name as param, unless `tooLarge` makes another error.
 */
export async function readField(
  part: MultipartPart,
  limitBytes = FIELD_LIMIT_BYTES,
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
 * @throws HttpError `invalid_body` with the field's name as param, if the content is not UTF-8.
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
