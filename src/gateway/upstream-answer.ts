import { type ErrorObject, HttpError } from '../errors.ts';
import { redact } from '../logger.ts';
import { bodilessHeadersFor } from '../protocols/passed-headers.ts';
import { toErrorObject } from '../protocols/upstream-errors.ts';
import type { UpstreamResponse } from '../providers/adapter.ts';
import type { Provider } from '../store/entities.ts';
import type { Target } from './routing.ts';

/** A successful answer, its body not yet read. */
export interface GatewayAnswer extends UpstreamResponse {
  readonly target: Target;
  readonly attempts: number;
}

/**
 * A refused key of ours is no matter of the caller's key, so it is not passed on as one (401 would make them change
 * theirs).
 */
export function upstreamError(response: UpstreamResponse, text: string, target: Target): HttpError {
  const { status } = response;
  const { provider } = target;
  const error = readError(status, text, provider);
  if (status !== 401 && status !== 403) {
    return HttpError.fromUpstream(status, error, bodilessHeadersFor(response.headers));
  }
  const passed = bodilessHeadersFor({ 'x-request-id': response.headers['x-request-id'] });
  const reason = status === 403 ? ` It says: ${error.message}` : '';
  return new HttpError(
    'upstream_auth_failed',
    `The provider ${provider.id} refuses its API key (${status}). The owner must check the key in the panel.${reason}`,
    { headers: { ...passed, 'x-should-retry': 'false' } },
  );
}

/** An upstream's error body as an error object without the provider's key. */
export function readError(status: number, body: string, provider: Provider): ErrorObject {
  // Before anything is cut: half a key is not recognised any more.
  return cleanError(toErrorObject(status, redact(body, secretsOf(provider))), provider);
}

/** Deeper than any error that tells something; what lies deeper is left out. */
const ERROR_DEPTH = 8;

/** An upstream's error without the provider's key, wherever in it the key may stand. */
export function cleanError(error: ErrorObject, provider: Provider): ErrorObject {
  const secrets = secretsOf(provider);
  const { message, type, param, code, ...extra } = error;
  const clean = (text: string | null): string | null => (text === null ? null : redact(text, secrets));
  return {
    ...cleanMembers(extra, secrets, ERROR_DEPTH),
    message: redact(message, secrets),
    type: clean(type),
    param: clean(param),
    code: clean(code),
  };
}

/** Bytes of an upstream's answer without the provider's key; they are copied only where it stands in them. */
export function withoutKey(bytes: Buffer, provider: Provider): Buffer {
  let text: string | null = null;
  for (const secret of secretsOf(provider)) {
    if (secret.length < SHORTEST_KEY || !bytes.includes(secret)) continue;
    text = (text ?? bytes.toString('utf8')).replaceAll(secret, '[redacted]');
  }
  return text === null ? bytes : Buffer.from(text);
}

/** A shorter text stands anywhere by chance. */
const SHORTEST_KEY = 8;

/** Its key as it is, inside JSON, and as forms and `encodeURIComponent` write it: they differ in space and in `!'()~`. */
function secretsOf({ apiKey: key }: Provider): string[] {
  if (key === null) return [];
  const inForm = new URLSearchParams([['', key]]).toString().slice(1);
  const inUrl = inForm.replaceAll('+', '%20').replaceAll(/%(?:2[1789]|7E)/g, decodeURIComponent);
  return [key, JSON.stringify(key).slice(1, -1), inForm, inUrl];
}

function cleanValue(value: unknown, secrets: readonly string[], depth: number): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => cleanValue(item, secrets, depth - 1));
  return cleanMembers(value, secrets, depth);
}

function cleanMembers(object: object, secrets: readonly string[], depth: number): Record<string, unknown> {
  const entries = Object.entries(object).map(([name, item]) => [
    redact(name, secrets),
    cleanValue(item, secrets, depth - 1),
  ]);
  return Object.fromEntries(entries);
}

/** Which provider was tried, and how often: on every answer that reached an upstream. */
export function reachedHeaders(target: Target, attempts: number): Record<string, string> {
  return { 'x-ipin-provider': headerText(target.provider.id), 'x-ipin-attempts': String(attempts) };
}

/** The same as a flat list of names and values. */
export function reachedList(target: Target, attempts: number): string[] {
  return ['x-ipin-provider', headerText(target.provider.id), 'x-ipin-attempts', String(attempts)];
}

/** The panel makes ids of ASCII only, but files from elsewhere hold any text, of which a header takes little (RFC 9110 section 5.5). */
function headerText(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, (sign) => encodeURIComponent(Buffer.from(sign).toString()));
}
