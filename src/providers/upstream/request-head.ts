import type { HeaderList } from '../../http/headers.ts';

/** A request body: pieces, sent in order without a copy, or a stream, which can be sent only once. */
export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'pieces'; readonly pieces: readonly Buffer[] }
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<Buffer> };

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface OutgoingRequest {
  readonly method: HttpMethod;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case and values by turns, without those of host, length and connection. */
  readonly headers: HeaderList;
  readonly body: UpstreamBody;
}

/** Servers expect a body of these, and may refuse a request that does not say that it has none (RFC 9110 section 8.6). */
const EMPTY_BODY: ReadonlySet<HttpMethod> = new Set(['POST', 'PUT', 'PATCH']);
/** Visible ASCII without spaces (RFC 9112 section 3.2). */
const PATH = /^[\x21-\x7e]+$/;
const NAME = /^[!#$%&'*+.^_`|~\da-z-]+$/;
/** RFC 9110 section 5.5. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The head of a request, in Latin-1. @throws TypeError for a character that would end a line or a field. */
export function requestHead(
  { method, path, headers, body }: OutgoingRequest,
  { host, isKept }: { readonly host: string; readonly isKept: boolean },
): string {
  if (!PATH.test(path)) throw new TypeError('a character that no path may have');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!NAME.test(name) || !VALUE.test(value)) throw new TypeError(`a character that no header may have`);
    head += `${name}: ${value}\r\n`;
  }
  if (body.kind === 'pieces') head += `content-length: ${lengthOf(body.pieces)}\r\n`;
  else if (body.kind === 'stream') head += 'transfer-encoding: chunked\r\n';
  else if (EMPTY_BODY.has(method)) head += 'content-length: 0\r\n';
  return `${head}connection: ${isKept ? 'keep-alive' : 'close'}\r\n\r\n`;
}

/** In bytes. */
export function lengthOf(pieces: readonly Buffer[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}
