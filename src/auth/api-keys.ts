import { timingSafeEqual } from 'node:crypto';
import { HttpError } from '../errors.ts';
import { keyHint } from '../redaction.ts';
import { sha256Hex } from '../sha256.ts';
import type { MasterKey } from '../store/entities.ts';

export type PresentedKey =
  /** No header holds a key. */
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  /** `message` says what to do, without repeating what the client sent. */
  | { readonly kind: 'invalid'; readonly message: string };

const KEY_BYTES = 32;
const MIN_CUSTOM_LENGTH = 24;
const MAX_CUSTOM_LENGTH = 256;

/** Schemes of a proxy in front (RFC 7617, 7616, 4559): such an Authorization header holds none of our keys. */
const FOREIGN_SCHEMES: readonly string[] = ['basic', 'digest', 'negotiate', 'ntlm'];
const KEY_QUERY_NAMES: readonly string[] = ['key', 'api_key', 'api-key', 'apikey', 'access_token'];

const NONE: PresentedKey = { kind: 'none' };
const EMPTY: PresentedKey = {
  kind: 'invalid',
  message: 'The API key is empty. Send it as Authorization: Bearer YOUR_KEY.',
};
const BAD_SCHEME: PresentedKey = {
  kind: 'invalid',
  message: 'The Authorization header must be "Bearer", a space and the API key.',
};
const CONFLICT: PresentedKey = {
  kind: 'invalid',
  message: 'The request has two different API keys. Send only one.',
};
const IN_QUERY: PresentedKey = {
  kind: 'invalid',
  message:
    'API keys are not accepted in the URL, because logs would keep them. Send "Authorization: Bearer YOUR_KEY".',
};

/** Generates a key of 46 characters: `sk-` and 256 random bits in base64url. */
export function generateKey(randomBytes: (size: number) => Buffer): string {
  return `sk-${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * The digest under which a key is stored and looked up: SHA-256 of the whole key, in lower-case hex. A fast hash is
 * enough, because nobody can guess a key of 256 random bits.
 */
export function digestKey(key: string): string {
  return sha256Hex(key);
}

/** Compares two digests in constant time. */
export function isSameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What the store keeps instead of a key. */
export function describeKey(key: string): MasterKey {
  return { digest: digestKey(key), keyHint: keyHint(key) };
}

/**
 * Checks a key that a person chose: 24 to 256 printable ASCII characters, no space at the ends (a header cannot carry it).
 * @throws HttpError `invalid_value`, `param` `key`; the message never contains the key.
 */
export function parseCustomKey(value: unknown): string {
  if (typeof value !== 'string')
    throw new HttpError('invalid_value', 'key must be a string.', { param: 'key' });
  const isLongEnough = value.length >= MIN_CUSTOM_LENGTH && value.length <= MAX_CUSTOM_LENGTH;
  if (!isLongEnough || !/^[!-~][ -~]*[!-~]$/.test(value)) {
    const message = `key must have ${MIN_CUSTOM_LENGTH} to ${MAX_CUSTOM_LENGTH} printable ASCII characters, with no space at either end.`;
    throw new HttpError('invalid_value', message, { param: 'key' });
  }
  return value;
}

/** True if a key has expired. `expiresAt` is ISO 8601, or null: never. A time that cannot be parsed counts as past. */
export function isExpired(expiresAt: string | null, nowMs: number): boolean {
  return expiresAt !== null && !(nowMs < Date.parse(expiresAt));
}

/**
 * Reads the API key of a request to `/v1/*`: `Authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY`. The same
 * key may come several times; two different keys, and keys in the query, are invalid.
 * @param rawHeaders names and values in turn, as Node received them. (`headers` drops a second Authorization, and
 *   `headersDistinct` throws on a header named `__proto__`, CVE-2026-21710.)
 * @param target the request target, `/v1/models?...`
 */
export function readPresentedKey(rawHeaders: readonly string[], target: string): PresentedKey {
  const question = target.indexOf('?');
  if (question !== -1 && hasKeyInQuery(target.slice(question + 1))) return IN_QUERY;
  let key: string | null = null;
  let authorization: string | PresentedKey | null | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const isAuthorization = isNamed(name, 'authorization');
    if (!isAuthorization && !isNamed(name, 'x-api-key') && !isNamed(name, 'api-key')) continue;
    const value = (rawHeaders[index + 1] ?? '').trim();
    const found = isAuthorization ? keyOfAuthorization(value) : value;
    if (isAuthorization && authorization !== undefined && authorization !== found) return CONFLICT;
    if (isAuthorization) authorization = found;
    if (found === null || (found === '' && key !== null)) continue;
    if (typeof found !== 'string') return found;
    if (key !== null && key !== '' && key !== found) return CONFLICT;
    key = found;
  }
  if (key === null) return NONE;
  return key === '' ? EMPTY : { kind: 'key', key };
}

/** The headers of a request without those named Authorization. */
export function withoutAuthorization(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !isNamed(rawHeaders[index - (index % 2)] ?? '', 'authorization'));
}

/** Reads the token of a request to `/api/*` or `/metrics` from `Authorization: Bearer TOKEN`, the only header that counts. */
export function readBearerToken(rawHeaders: readonly string[]): PresentedKey {
  const authorization: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (isNamed(name, 'authorization')) authorization.push(name, rawHeaders[index + 1] ?? '');
  }
  return authorization.length === 0 ? NONE : readPresentedKey(authorization, '');
}

/** The key in a trimmed Authorization header; null if the scheme is that of a proxy; `BAD_SCHEME` for other schemes. */
function keyOfAuthorization(value: string): string | PresentedKey | null {
  const space = value.search(/[ \t]/);
  const scheme = (space === -1 ? value : value.slice(0, space)).toLowerCase();
  if (scheme === 'bearer') return space === -1 ? '' : value.slice(space).trim();
  if (scheme === '') return '';
  return FOREIGN_SCHEMES.includes(scheme) ? null : BAD_SCHEME;
}

/** Compares the lengths first, so that only one or two headers of a request are converted to lower case. */
function isNamed(name: string, lowerCaseName: string): boolean {
  return name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName;
}

/** Decodes percent escapes first: `?%6bey=` holds a key too. */
function hasKeyInQuery(query: string): boolean {
  for (const name of new URLSearchParams(query).keys()) {
    if (KEY_QUERY_NAMES.includes(name.toLowerCase())) return true;
  }
  return false;
}
