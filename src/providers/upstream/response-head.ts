/** Names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>;

/** The body has chunks (RFC 9112 section 7.1). */
export const CHUNKED = -1;
/** The end of the connection ends the body. */
export const UNTIL_CLOSE = -2;

export interface ResponseHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The length of the body in bytes, `CHUNKED` or `UNTIL_CLOSE`. */
  readonly bodyBytes: number;
  /** The connection may be used for another request. */
  readonly isKept: boolean;
}

/** A response that is not HTTP/1.1 as RFC 9112 has it. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
  readonly code = 'INVALID_HTTP';
}

/** CR and LF come only together, and no other control character but the tab. */
const HEAD = /^HTTP\/1\.[01] \d{3}(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[\t\x20-\x7e\x80-\xff]*)*$/;
const STATUS_LINE = /^HTTP\/1\.[01] \d{3}(?: |\r|$)/;
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** More digits are no exact number. */
const LENGTH = /^\d{1,15}$/;
const SPACE = 0x20;
const TAB = 0x09;

/** Headers that have one value: a second one is dropped. The values of all others are joined. */
const SINGLE: ReadonlySet<string> = new Set([
  'age',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);
/** Headers that say where the body ends: a second one is an attack or an error. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/**
 * Reads the head of a response: its status line and its headers, each line but the last with its line end, in Latin-1.
 * @throws ResponseError for anything that two readers could understand differently (RFC 9112 sections 4, 5 and 6).
 */
export function parseHead(text: string): ResponseHead {
  if (!HEAD.test(text)) {
    const isBegun = STATUS_LINE.test(text);
    throw new ResponseError(isBegun ? 'a character that no head may have' : 'no status line of HTTP/1.1');
  }
  const status = Number(text.slice(9, 12));
  const headers = parseHeaders(text, lineEnd(text, 0) + 2);
  const isOld = text[7] === '0';
  const bodyBytes = bodyBytesOf(status, headers);
  // HTTP/1.0 has no chunks; who sends them all the same may not know where they end (RFC 9112 section 6.1).
  const isDoubtful = bodyBytes === UNTIL_CLOSE || (isOld && bodyBytes === CHUNKED);
  return { status, headers, bodyBytes, isKept: !isDoubtful && isKept(headers, isOld) };
}

function lineEnd(text: string, from: number): number {
  const found = text.indexOf('\r\n', from);
  return found === -1 ? text.length : found;
}

function parseHeaders(text: string, from: number): ResponseHeaders {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (let at = from; at < text.length; ) {
    const end = lineEnd(text, at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon >= end) throw new ResponseError('a header without a colon');
    const name = nameOf(text.slice(at, colon));
    const value = trimmed(text, colon + 1, end);
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (FRAMING.has(name)) throw new ResponseError(`a second ${name}`);
    else if (!SINGLE.has(name)) headers[name] = `${known}, ${value}`;
    at = end + 2;
  }
  return headers;
}

/** The names that providers send, as they spell them: to look one up costs less than to check it. */
const NAMES = new Map<string, string>(
  [
    'Access-Control-Allow-Origin',
    'Access-Control-Expose-Headers',
    'Alt-Svc',
    'CF-Cache-Status',
    'CF-RAY',
    'Cache-Control',
    'Connection',
    'Content-Encoding',
    'Content-Length',
    'Content-Type',
    'Date',
    'ETag',
    'Keep-Alive',
    'Retry-After',
    'Server',
    'Set-Cookie',
    'Strict-Transport-Security',
    'Transfer-Encoding',
    'Vary',
    'Via',
    'X-Content-Type-Options',
    'X-Request-ID',
    'X-Request-Id',
    'openai-organization',
    'openai-processing-ms',
    'openai-version',
    'x-ratelimit-limit-requests',
    'x-ratelimit-limit-tokens',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-requests',
    'x-ratelimit-reset-tokens',
  ].flatMap((name) => {
    const lower = name.toLowerCase();
    return [
      [name, lower],
      [lower, lower],
    ];
  }),
);

/** A line that begins with a space continues the header before it (obs-fold): it is no name, and refused. */
function nameOf(spelled: string): string {
  const known = NAMES.get(spelled);
  if (known !== undefined) return known;
  if (!TOKEN.test(spelled)) throw new ResponseError('a header with a bad name');
  return spelled.toLowerCase();
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** RFC 9112 section 6.3, without its leniency. */
function bodyBytesOf(status: number, headers: ResponseHeaders): number {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    if (length !== undefined) throw new ResponseError('a length and chunks');
    if (coding.toLowerCase() !== 'chunked') throw new ResponseError('an unknown transfer-encoding');
  }
  if (length !== undefined && !LENGTH.test(length)) throw new ResponseError('a bad content-length');
  if (status === 101) return UNTIL_CLOSE;
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return CHUNKED;
  return length === undefined ? UNTIL_CLOSE : Number(length);
}

/** RFC 9112 section 9.3. */
function isKept({ connection }: ResponseHeaders, isOld: boolean): boolean {
  if (connection === undefined) return !isOld;
  if (connection === 'keep-alive') return true;
  const options = connection.toLowerCase().split(',');
  const has = (wanted: string): boolean => options.some((option) => option.trim() === wanted);
  return !has('close') && (!isOld || has('keep-alive'));
}
