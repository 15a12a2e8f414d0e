import type { IncomingHttpHeaders } from 'node:http';

/** Flat name-value list, the form that node:http writes fastest. */
export type HeaderList = string[];

/** One policy for every answer: our own scripts and styles, no other host, no HTML from strings (W3C CSP3, Trusted Types). */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SECURITY_HEADERS: readonly string[] = [
  'content-security-policy',
  CONTENT_SECURITY_POLICY,
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
  'cross-origin-opener-policy',
  'same-origin',
];

const EXPOSED =
  'x-request-id, retry-after, retry-after-ms, x-should-retry, x-ipin-provider, x-ipin-attempts, ' +
  'x-ipin-upstream-request-id, openai-processing-ms, openai-version, x-ratelimit-limit-requests, ' +
  'x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, ' +
  'x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens';

/** The headers that every answer begins with: security headers and the request's id. */
export function baseHeaders(requestId: string): HeaderList {
  return [...SECURITY_HEADERS, 'x-request-id', requestId];
}

/** What CORS allows on `/v1`: every origin, or those listed; never credentials (WHATWG Fetch, CORS protocol). */
export function corsHeaders(origins: '*' | readonly string[], origin: string | undefined): HeaderList {
  if (origins === '*') {
    return ['access-control-allow-origin', '*', 'access-control-expose-headers', EXPOSED];
  }
  if (origin === undefined || !origins.includes(origin)) return ['vary', 'origin'];
  return ['access-control-allow-origin', origin, 'vary', 'origin', 'access-control-expose-headers', EXPOSED];
}

/** The answer to a preflight, beside `corsHeaders`. */
export function preflightHeaders(requestedHeaders: string | undefined): HeaderList {
  const wanted = requestedHeaders ?? '';
  const safe = /^[\w!#$%&'*+.^`|~, -]{1,2048}$/.test(wanted) ? wanted : 'authorization, content-type';
  return [
    'access-control-allow-methods',
    'GET, POST, OPTIONS',
    'access-control-allow-headers',
    safe,
    'access-control-max-age',
    '86400',
  ];
}

const REQUEST_ALLOWED = ['accept', 'content-type', 'openai-beta', 'idempotency-key'] as const;

/**
 * The client's headers that an upstream may see. Everything else stays here: cookies, keys, addresses, hop-by-hop
 * fields and whatever `Connection` names (RFC 9110 section 7.6.1).
 */
export function requestHeadersFor(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  const connection = headers.connection;
  for (const name of REQUEST_ALLOWED) {
    const value = headers[name];
    if (typeof value !== 'string' || namedBy(connection, name)) continue;
    passed[name] = value;
  }
  return passed;
}

const RESPONSE_ALLOWED: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'cache-control',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'openai-version',
]);

/**
 * The upstream's headers that a client may see, as a flat list; the upstream's request id under a name of its own.
 * `content-length` passes only with `keepLength`, where the body's bytes pass as they are.
 */
export function responseHeadersFor(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  keepLength: boolean,
): HeaderList {
  const passed: HeaderList = [];
  const connection = headers['connection'];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string' || !isHeaderValue(value)) continue;
    const allowed =
      RESPONSE_ALLOWED.has(name) ||
      name.startsWith('x-ratelimit-') ||
      (keepLength && name === 'content-length');
    if (name === 'x-request-id') passed.push('x-ipin-upstream-request-id', value);
    else if (allowed && !(typeof connection === 'string' && namedBy(connection, name)))
      passed.push(name, value);
  }
  return passed;
}

function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

function namedBy(connection: string | undefined, name: string): boolean {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return false;
  return connection.split(',').some((item) => item.trim().toLowerCase() === name);
}

/** True where an upstream's answer is an event stream. */
export function isEventStream(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^text\/event-stream\s*(;|$)/i.test(contentType);
}

/** True for `application/json` and types ending in `+json`, parameters allowed (RFC 8259 section 11, RFC 6839). */
export function isJsonType(contentType: string | string[] | undefined): boolean {
  return (
    typeof contentType === 'string' && /^\s*application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(contentType)
  );
}
