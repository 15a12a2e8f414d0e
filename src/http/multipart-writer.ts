import { hasControlCharacter } from './multipart-headers.ts';
import { type MultipartPart, readField } from './multipart-part.ts';

const CRLF = Buffer.from('\r\n');
/** Contents up to this size leave in one piece with their headers. */
const JOIN_BYTES = 65_536;

/** A part to be sent. */
export interface OutgoingPart {
  readonly name: string;
  /** Null or absent for a field that is no file. */
  readonly filename?: string | null;
  readonly contentType?: string | null;
  readonly body: string | Buffer | AsyncIterable<Buffer>;
  /** The length of a streamed body, where it is known. */
  readonly sizeBytes?: number;
}

/** A multipart body that is made as it is read. */
export interface MultipartMessage {
  readonly contentType: string;
  /** Null where a part's length is not known. */
  readonly contentLength: number | null;
  readonly chunks: AsyncIterable<Buffer>;
}

export interface RelayOptions {
  readonly boundary: string;
  /** Values to send in place of those of fields, by their exact name. */
  readonly replace: ReadonlyMap<string, string>;
  readonly fieldLimitBytes: number;
}

/** A boundary of 128 random bits, so that no content can hold it. `random` gives so many random bytes. */
export function createBoundary(random: (bytes: number) => Buffer): string {
  return `----ipin-${random(16).toString('hex')}`;
}

/** The Content-Type of a body that is written with a boundary of `createBoundary`. */
export function multipartContentType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`;
}

/**
 * Writes parts as multipart/form-data (RFC 7578). Names are escaped as browsers do it, so that nothing can be put
 * between headers. Reading throws an Error where a streamed body has not the length that was given for it, and
 * TypeError for a content type with control characters.
 */
export function encodeMultipart(parts: readonly OutgoingPart[], boundary: string): MultipartMessage {
  return {
    contentType: multipartContentType(boundary),
    contentLength: lengthOf(parts, boundary),
    chunks: { [Symbol.asyncIterator]: () => writeParts(parts, boundary) },
  };
}

/**
 * Sends parts on in their order as they are read: contents byte for byte, headers written anew from what was understood of
 * them, so that the receiver cannot understand them otherwise, and under a boundary of our own. `replace` changes fields.
 * Reading throws what reading the parts throws, and HttpError `request_too_large` for a field over the limit.
 */
export async function* relayMultipart(
  parts: AsyncIterable<MultipartPart>,
  options: RelayOptions,
): AsyncGenerator<Buffer> {
  const { boundary, replace, fieldLimitBytes } = options;
  for await (const part of parts) {
    if (part.isFile) {
      yield* writePart(part, boundary);
      continue;
    }
    const value = await readField(part, fieldLimitBytes);
    yield* writePart({ ...part, body: replace.get(part.name) ?? value }, boundary);
  }
  yield closing(boundary);
}

async function* writeParts(parts: readonly OutgoingPart[], boundary: string): AsyncGenerator<Buffer> {
  for (const part of parts) yield* writePart(part, boundary);
  yield closing(boundary);
}

async function* writePart(part: OutgoingPart, boundary: string): AsyncGenerator<Buffer> {
  const head = headOf(part, boundary);
  const body = typeof part.body === 'string' ? Buffer.from(part.body) : part.body;
  if (Buffer.isBuffer(body) && body.length <= JOIN_BYTES) {
    yield Buffer.concat([head, body, CRLF]);
    return;
  }
  yield head;
  let length = 0;
  for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
    length += chunk.length;
    if (length > (part.sizeBytes ?? length)) break;
    yield chunk;
  }
  if (length !== (part.sizeBytes ?? length))
    throw new Error('a part has not the length that was given for it');
  yield CRLF;
}

function closing(boundary: string): Buffer {
  return Buffer.from(`--${boundary}--\r\n`);
}

function headOf(part: OutgoingPart, boundary: string): Buffer {
  const filename = part.filename ?? null;
  const contentType = part.contentType ?? (filename === null ? null : 'application/octet-stream');
  if (contentType !== null && hasControlCharacter(contentType)) throw new TypeError('not a content type');
  const file = filename === null ? '' : `; filename="${escapeName(filename)}"`;
  const type = contentType === null ? '' : `Content-Type: ${contentType}\r\n`;
  return Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(part.name)}"${file}\r\n${type}\r\n`,
  );
}

/** WHATWG HTML, multipart/form-data encoding algorithm; other control characters are escaped in the same way. */
function escapeName(name: string): string {
  let escaped = '';
  for (const character of name) {
    const isEscaped = character === '"' || character < ' ' || character === '\x7f';
    escaped += isEscaped ? encodeURIComponent(character) : character;
  }
  return escaped;
}

function lengthOf(parts: readonly OutgoingPart[], boundary: string): number | null {
  let length = closing(boundary).length;
  for (const part of parts) {
    const { body } = part;
    const size = typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.byteLength(body) : part.sizeBytes;
    if (size === undefined) return null;
    length += headOf(part, boundary).length + size + CRLF.length;
  }
  return length;
}
