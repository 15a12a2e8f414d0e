import type { IncomingHttpHeaders } from 'node:http';
import type { HeaderList } from '../http/headers.ts';
import { sha256Hex } from '../sha256.ts';

export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

const REQUEST_ALLOWED = [
  'accept',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'idempotency-key',
] as const;

/**
 * The client's headers that an upstream may see. All others are dropped: cookies, keys, addresses, hop-by-hop fields and
 * fields named by `Connection` (RFC 9110 section 7.6.1). The code that writes the body sets the content type.
 * @param caller who makes the request; it becomes part of an idempotency key, so no caller gets another caller's answer
 */
export function requestHeadersFor(headers: IncomingHttpHeaders, caller: string): HeaderList {
  const passed: string[] = [];
  const connection = headers.connection;
  for (const name of REQUEST_ALLOWED) {
    const value = headers[name];
    if (typeof value !== 'string' || namedBy(connection, name)) continue;
    if (name !== 'idempotency-key') passed.push(name, value);
    else if (value !== '') passed.push(name, ownIdempotencyKey(value, caller));
  }
  return passed;
}

/** A length that providers accept; Stripe documents it as the limit. */
const IDEMPOTENCY_KEY_CHARS = 255;
const CALLER_CHARS = 16;

/** The same key for the same caller and value, another key for any other caller. */
function ownIdempotencyKey(value: string, caller: string): string {
  const prefix = sha256Hex(caller).slice(0, CALLER_CHARS);
  const isShort = prefix.length + 1 + value.length <= IDEMPOTENCY_KEY_CHARS;
  return `${prefix}-${isShort && /^[\x21-\x7e]+$/.test(value) ? value : sha256Hex(value)}`;
}

const RESPONSE_ALLOWED: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'openai-version',
]);

/**
 * The upstream's headers that a client may see, as a flat list. The upstream's request id becomes
 * `x-ipin-upstream-request-id`. `content-length` passes only with `keepLength`, for a body whose bytes pass unchanged.
 */
export function responseHeadersFor(headers: UpstreamHeaders, keepLength: boolean): HeaderList {
  const passed: string[] = [];
  const connection = headers['connection'];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string') continue;
    const allowed =
      RESPONSE_ALLOWED.has(name) ||
      name.startsWith('x-ratelimit-') ||
      (keepLength && name === 'content-length');
    if (name === 'x-request-id' || (name === 'request-id' && headers['x-request-id'] === undefined))
      pushSound(passed, 'x-ipin-upstream-request-id', value);
    else if (allowed && !(typeof connection === 'string' && namedBy(connection, name)))
      pushSound(passed, name, value);
  }
  return passed;
}

/** The same response without what the provider tells of its own limits. */
export function withoutRateLimits<T extends { readonly headers: UpstreamHeaders }>(response: T): T {
  const kept: Record<string, string | string[] | undefined> = {};
  for (const name in response.headers) {
    if (!name.startsWith('x-ratelimit-')) kept[name] = response.headers[name];
  }
  return { ...response, headers: kept };
}

/** Leaves out what no header may have as its value. */
function pushSound(headers: string[], name: string, value: string): void {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) headers.push(name, value);
}

function namedBy(connection: string | undefined, name: string): boolean {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return false;
  return connection.split(',').some((item) => item.trim().toLowerCase() === name);
}

/** The upstream's headers for an answer with a new body: headers that describe the upstream's body are dropped. */
export function bodilessHeadersFor(headers: UpstreamHeaders): HeaderList {
  const list = responseHeadersFor(headers, false);
  const passed: string[] = [];
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] ?? '';
    if (!name.startsWith('content-')) passed.push(name, list[index + 1] ?? '');
  }
  return passed;
}
