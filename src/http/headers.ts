/** The one form of headers inside: names in lower case and values by turns, the form that node:http writes fastest. */
export type HeaderList = readonly string[];

/** The policy of pages: our own scripts and styles, no other host, no HTML from strings (W3C CSP3, Trusted Types). */
const CONTENT_SECURITY_POLICY = [
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

/** The policy of all other answers: a browser may do nothing with them. */
const DATA_POLICY = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Keys, prompts and answers are private: no cache may store them (RFC 9111 section 5.2.2.5). Files have a header of their own. */
const ALWAYS: readonly string[] = [
  'cache-control',
  'no-store',
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
  'cross-origin-opener-policy',
  'same-origin',
];
const PAGE_HEADERS: readonly string[] = [...ALWAYS, 'content-security-policy', CONTENT_SECURITY_POLICY];
const DATA_HEADERS: readonly string[] = [...ALWAYS, 'content-security-policy', DATA_POLICY];

const EXPOSED =
  'x-request-id, request-id, x-ipin-error-code, retry-after, retry-after-ms, x-should-retry, x-ipin-provider, x-ipin-attempts, ' +
  'x-ipin-upstream-request-id, openai-processing-ms, openai-version, x-ratelimit-limit-requests, ' +
  'x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, ' +
  'x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens';

/** The first headers of every answer: security headers, for pages or for data, and the request's id. */
export function baseHeaders(requestId: string, kind: 'page' | 'data'): string[] {
  return [...(kind === 'page' ? PAGE_HEADERS : DATA_HEADERS), 'x-request-id', requestId];
}

/** The headers of every answer, then its own; its own `cache-control` replaces the usual one, which is the first. */
export function withOwnHeaders(base: HeaderList, own: HeaderList): string[] {
  const joined = [...base, ...own];
  for (let index = 0; index < own.length; index += 2) {
    if (own[index] === 'cache-control') return joined.slice(2);
  }
  return joined;
}

const ANY_ORIGIN: HeaderList = ['access-control-allow-origin', '*'];

/** The CORS headers on `/v1`: every origin is allowed, or those listed; never credentials (WHATWG Fetch, CORS protocol). */
export function corsHeaders(origins: '*' | readonly string[], origin: string | undefined): HeaderList {
  if (origins === '*') {
    return origin === undefined ? ANY_ORIGIN : [...ANY_ORIGIN, 'access-control-expose-headers', EXPOSED];
  }
  if (origin === undefined || !origins.includes(origin)) return ['vary', 'origin'];
  return ['access-control-allow-origin', origin, 'vary', 'origin', 'access-control-expose-headers', EXPOSED];
}

/** The further headers of the answer to a preflight, after `corsHeaders`. */
export function preflightHeaders(requestedHeaders: string | undefined): HeaderList {
  const wanted = requestedHeaders ?? '';
  const safe = /^[\w!#$%&'*+.^`|~, -]{1,2048}$/.test(wanted) ? wanted : 'authorization, content-type';
  return [
    'access-control-allow-methods',
    'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers',
    safe,
    'access-control-max-age',
    '86400',
  ];
}
