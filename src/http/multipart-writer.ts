import { type MultipartPart, readField } from './multipart.ts';
import { hasControlCharacter, type PartHeaders } from './multipart-headers.ts';

const CRLF = Buffer.from('\r\n');

export interface RelayOptions {
  readonly boundary: string;
  /** Values to send instead of the clients', by the exact name of the field. */
  readonly replace: ReadonlyMap<string, string>;
  /** The longest field, in bytes; `FIELD_LIMIT_BYTES` if absent. */
  readonly fieldLimitBytes?: number;
}

/** A boundary of 128 random bits, which no content contains by chance. `random` returns that many random bytes. */
export function createBoundary(random: (bytes: number) => Buffer): string {
  return `----ipin-${random(16).toString('hex')}`;
}

/** The Content-Type of a body with a boundary of `createBoundary`. */
export function multipartContentType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`;
}

/**
 * Writes parts in the order in which they are read. Contents stay byte for byte; headers are written anew from their parsed
 * values, so that the receiver cannot understand them differently; the boundary is ours; names are escaped as browsers do
 * (RFC 7578). Reading throws what reading the parts throws, HttpError `request_too_large` for a field over the limit, and
 * TypeError for a content type with control characters.
 */
export async function* relayMultipart(
  parts: AsyncIterable<MultipartPart>,
  { boundary, replace, fieldLimitBytes }: RelayOptions,
): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    const head = headOf(part, boundary);
    if (part.isFile) {
      yield head;
      for await (const chunk of part.body) yield chunk;
      yield CRLF;
    } else {
      const sent = await readField(part, fieldLimitBytes);
      const value = replace.get(part.name);
      yield Buffer.concat([head, value === undefined ? sent : Buffer.from(value), CRLF]);
    }
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

function headOf(part: PartHeaders, boundary: string): Buffer {
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
 * WHATWG HTML, multipart/form-data encoding algorithm. Escapes the other control characters too, and the backslash, which
 * some readers take for an escape and others for itself.
 */
function escapeName(name: string): string {
  let escaped = '';
  for (const character of name) {
    const isEscaped = character === '"' || character === '\\' || character < ' ' || character === '\x7f';
    escaped += isEscaped ? encodeURIComponent(character) : character;
  }
  return escaped;
}
