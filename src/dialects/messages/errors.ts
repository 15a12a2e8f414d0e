import type { HttpError } from '../../errors.ts';
import type { RenderedError } from '../dialect.ts';
import { typedRecord } from '../render-record.ts';
import { tooLongPrompt } from './too-long.ts';

/** Types of errors by status (Anthropic API reference, Errors). */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};
const ANTHROPIC_TYPES: readonly string[] = [...Object.values(TYPES), 'invalid_request_error', 'api_error'];
/** Anthropic's status for a server that has too much to do. */
const OVERLOADED = 529;

interface Told {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

/** The answer with an error in the form of the Messages API. */
export function renderError(error: HttpError, requestId: string): RenderedError {
  const told = toldOf(error);
  const { code, type } = error.error;
  const isFinal = isFinalFor(error);
  const headers = isFinal ? withoutRetryHint(error.headers) : [...error.headers];
  if (isFinal) headers.push('x-should-retry', 'false');
  const name = code ?? type;
  if (name !== null && /^[\x21-\x7e]{1,128}$/.test(name)) headers.push('x-ipin-error-code', name);
  return { status: told.status, headers, body: bodyOf(error, told, requestId) };
}

/** The record that ends a stream with an error. */
export function failedStream(error: HttpError, requestId: string): string {
  return typedRecord(bodyOf(error, toldOf(error), requestId));
}

function bodyOf({ error }: HttpError, { type, message }: Told, requestId: string) {
  const { details } = error;
  return {
    type: 'error',
    error: { type, message, ...(details === undefined ? {} : { details }) },
    request_id: requestId,
  };
}

function toldOf(error: HttpError): Told {
  const { message, code, param } = error.error;
  const tooLong = tooLongPrompt(error);
  if (tooLong !== null) return { status: 400, type: 'invalid_request_error', message: tooLong };
  const status = statusOf(error);
  const isMissing = code === 'missing_required_parameter' && param !== null;
  return { status, type: typeOf(status, error), message: isMissing ? `${param}: Field required` : message };
}

/** `provider_not_configured` stays 503, because to ask again does not help. */
function statusOf({ status, error: { code } }: HttpError): number {
  if (code === 'provider_not_configured') return status;
  return status === 503 ? OVERLOADED : status;
}

/** A provider of this protocol, and an error within a stream, say the type themselves. */
function typeOf(status: number, { error: { type } }: HttpError): string {
  if (status === 502 && type !== null && ANTHROPIC_TYPES.includes(type)) return type;
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

/** Clients repeat a refused key for minutes, unless they are told that it does not help. */
function isFinalFor({ status, error: { code, type } }: HttpError): boolean {
  return status === 401 || status === 403 || code === 'insufficient_quota' || type === 'insufficient_quota';
}

function withoutRetryHint(headers: readonly string[]): string[] {
  return headers.filter((_, index) => headers[index - (index % 2)] !== 'x-should-retry');
}
