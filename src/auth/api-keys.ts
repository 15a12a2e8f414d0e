import { hash, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../errors.ts';
import type { MasterKey } from '../store/entities.ts';

export type PresentedKey =
  /** No header that could hold a key. */
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  /** `message` says what to do instead, without repeating what came. */
  | { readonly kind: 'invalid'; readonly message: string };

const KEY_BYTES = 32;
const MIN_CUSTOM_LENGTH = 24;
const MAX_CUSTOM_LENGTH = 256;

/** Credentials of a proxy in front (HTTP authentication schemes of RFC 7617, 7616, 4559), not a key of ours. */
const FOREIGN_SCHEMES: readonly string[] = ['basic', 'digest', 'negotiate', 'ntlm'];
const KEY_QUERY_NAMES: readonly string[] = ['key', 'api_key', 'api-key', 'apikey', 'access_token'];

const NONE: PresentedKey = { kind: 'none' };
const EMPTY: PresentedKey = { kind: 'invalid', message: 'The API key is empty.' };
const BAD_SCHEME: PresentedKey = {
  kind: 'invalid',
  message: 'The Authorization header must be "Bearer", a space and the API key.',
};
const CONFLICT: PresentedKey = {
  kind: 'invalid',
  message: 'The request has two different API keys; send one.',
};
const IN_QUERY: PresentedKey = {
  kind: 'invalid',
  message:
    'API keys are not accepted in the URL, where logs would keep them; send "Authorization: Bearer KEY".',
};

/** Makes a key: `sk-` and 256 random bits in base64url, 46 characters. */
export function generateKey(randomBytes: (size: number) => Buffer): string {
  return `sk-${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * The form in which a key is stored and looked up: SHA-256 in lower-case hex. A fast hash is enough, since a key of 256
 * random bits cannot be guessed; the whole key goes in, never a part of it.
 */
export function digestKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Compares two digests without showing by time how much of them agrees. */
export function isSameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What people recognise a key by: up to 6 first and 4 last characters, never more than a third of it: `sk-abc...wxyz`. */
export function keyHint(key: string): string {
  const visible = Math.min(10, Math.floor(key.length / 3));
  const last = Math.min(4, Math.floor(visible / 2));
  return `${key.slice(0, visible - last)}...${key.slice(key.length - last)}`;
}

/** What is stored in a key's place. */
export function describeKey(key: string): MasterKey {
  return { digest: digestKey(key), keyHint: keyHint(key) };
}

/**
 * Checks a key that somebody chose: 24-256 printable ASCII characters, no space at either end (a header cannot carry it).
 * @throws HttpError `invalid_value`, `param` `key`; the message never holds the key
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

/** Tells whether a time (ISO 8601; null: never) has come. One that cannot be read counts as come. */
export function isExpired(expiresAt: string | null, nowMs: number): boolean {
  return expiresAt !== null && !(nowMs < Date.parse(expiresAt));
}

/**
 * Reads the API key of a request to `/v1/*`: `Authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY`. The same
 * key may come several times, two different ones may not, and none may come in the query.
 * @param rawHeaders names and values by turns, as Node received them: `headers` drops a second Authorization, and
 *   `headersDistinct` throws at a header named `__proto__` (CVE-2026-21710)
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

/** Reads the token of a request to `/api/*` or `/metrics`: `Authorization: Bearer TOKEN` and no other header. */
export function readBearerToken(rawHeaders: readonly string[]): PresentedKey {
  const authorization: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (isNamed(name, 'authorization')) authorization.push(name, rawHeaders[index + 1] ?? '');
  }
  return authorization.length === 0 ? NONE : readPresentedKey(authorization, '');
}

/** The key in a trimmed Authorization header: null where it is of another kind, or a complaint. */
function keyOfAuthorization(value: string): string | PresentedKey | null {
  const space = value.search(/[ \t]/);
  const scheme = (space === -1 ? value : value.slice(0, space)).toLowerCase();
  if (scheme === 'bearer') return space === -1 ? '' : value.slice(space).trim();
  if (scheme === '') return '';
  return FOREIGN_SCHEMES.includes(scheme) ? null : BAD_SCHEME;
}

/** Compares the length first: of all headers of a request only one or two are made lower-case. */
function isNamed(name: string, lowerCaseName: string): boolean {
  return name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName;
}

/** Escapes are decoded first: `?%6bey=` is a key too. */
function hasKeyInQuery(query: string): boolean {
  for (const name of new URLSearchParams(query).keys()) {
    if (KEY_QUERY_NAMES.includes(name.toLowerCase())) return true;
  }
  return false;
}
