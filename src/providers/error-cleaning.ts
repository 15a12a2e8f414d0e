import type { ErrorObject } from '../errors.ts';
import { redact } from '../redaction.ts';
import { toErrorObject } from '../protocols/upstream-errors.ts';

/** An upstream's error body as an error object without the provider's key. */
export function readError(status: number, body: string, secrets: readonly string[]): ErrorObject {
  // Before anything is cut: half a key is not recognised any more.
  return cleanError(toErrorObject(status, redact(body, secrets)), secrets);
}

/** Deeper than any error that tells something; what lies deeper is left out. */
const ERROR_DEPTH = 8;

/** An upstream's error without the provider's key, wherever in the error the key may stand. */
export function cleanError(error: ErrorObject, secrets: readonly string[]): ErrorObject {
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

/** Bytes of a response without the provider's key; they are copied only where the key stands in them. */
export function withoutSecrets(bytes: Buffer, secrets: readonly string[]): Buffer {
  let text: string | null = null;
  for (const secret of secrets) {
    if (secret.length < SHORTEST_KEY || !bytes.includes(secret)) continue;
    text = (text ?? bytes.toString('utf8')).replaceAll(secret, '[redacted]');
  }
  return text === null ? bytes : Buffer.from(text);
}

/** A shorter text stands anywhere by chance. */
const SHORTEST_KEY = 8;

/** A key as it is, inside JSON, and as forms and `encodeURIComponent` write it: they differ in space and in `!'()~`. */
export function secretsOf(key: string | null): string[] {
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
