import { type MultipartPart, readField } from './multipart.ts';
import { hasControlCharacter } from './multipart-headers.ts';

const CRLF = Buffer.from('\r\n');
/** Contents up to this size leave in one piece with their headers. */
const JOIN_BYTES = 65_536;

/** A part as it is sent. */
type OutgoingPart = Pick<MultipartPart, 'name' | 'filename' | 'contentType'> & {
  readonly body: string | Buffer | AsyncIterable<Buffer>;
};

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
 * Sends parts on in their order as they are read: contents byte for byte, headers written anew from what was understood of
 * them, so that the receiver cannot understand them otherwise, and under a boundary of our own; names are escaped as
 * browsers do it (RFC 7578). `replace` changes fields. Reading throws what reading the parts throws, HttpError
 * `request_too_large` for a field over the limit, and TypeError for a content type with control characters.
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

async function* writePart(part: OutgoingPart, boundary: string): AsyncGenerator<Buffer> {
  const head = headOf(part, boundary);
  const body = typeof part.body === 'string' ? Buffer.from(part.body) : part.body;
  if (Buffer.isBuffer(body) && body.length <= JOIN_BYTES) {
    yield Buffer.concat([head, body, CRLF]);
    return;
  }
  yield head;
  if (Buffer.isBuffer(body)) yield body;
  else yield* body;
  yield CRLF;
}

function closing(boundary: string): Buffer {
  return Buffer.from(`--${boundary}--\r\n`);
}

function headOf(part: OutgoingPart, boundary: string): Buffer {
  const { filename } = part;
  const contentType = part.contentType ?? (filename === null ? null : 'application/octet-stream');
  if (contentType !== null && hasControlCharacter(contentType)) throw new TypeError('not a content type');
  const file = filename === null ? '' : `; filename="${escapeName(filename)}"`;
  const type = contentType === null ? '' : `Content-Type: ${contentType}\r\n`;
  return Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(part.name)}"${file}\r\n${type}\r\n`,
  );
}

/**
 * WHATWG HTML, multipart/form-data encoding algorithm. Other control characters are escaped in the same way, and so is
 * the backslash, which some readers take for an escape and others for itself.
 */
function escapeName(name: string): string {
  let escaped = '';
  for (const character of name) {
    const isEscaped = character === '"' || character === '\\' || character < ' ' || character === '\x7f';
    escaped += isEscaped ? encodeURIComponent(character) : character;
  }
  return escaped;
}
