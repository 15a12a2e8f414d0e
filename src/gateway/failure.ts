import { type ErrorObject, HttpError } from '../errors.ts';
import { bodilessHeadersFor, type UpstreamHeaders } from '../protocols/passed-headers.ts';
import { UpstreamFailure } from '../providers/upstream-failures.ts';
import { ReportedError } from './reported-error.ts';

/**
 * What a failed attempt says, and so what may be tried next. `caller`: the request is wrong, everywhere. `not_here`: this
 * target does not have it. `key`: the key is refused or has no credit left. `busy`: ask again later. `fault`: the provider
 * is broken. `may_have_run`: the provider got the whole request and may have run and billed it.
 */
export type FailureKind = 'caller' | 'not_here' | 'key' | 'busy' | 'fault' | 'may_have_run';

/** What the owner of a provider reads about a failure. */
export interface FailureReason {
  /** The status of the provider's response; null if there was none. */
  readonly status: number | null;
  readonly code: string | null;
  readonly message: string;
}

/** A failed attempt. */
export interface Failure {
  readonly kind: FailureKind;
  /** The error that the client gets if this attempt is the last. */
  readonly error: HttpError;
  /** What happened, in the provider's words where it had any. */
  readonly reason: FailureReason;
  /** How long the provider asks to wait; null: it does not say. */
  readonly retryAfterMs: number | null;
}

/** An error that a provider answered with. */
export interface ErrorResponse {
  /** For an error inside a successful response: the status that its code gives, else 400 or 502. */
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** Without the provider's secrets. */
  readonly error: ErrorObject;
}

/** The attempt that threw an error. */
export interface ThrownBy {
  readonly providerId: string;
  /** The status of the response; null: there was none. */
  readonly status: number | null;
  readonly nowMs: number;
}

/** The failure for a provider's error response. `nowMs` is in milliseconds since the epoch, to read a date as a time to wait. */
export function responseFailure(response: ErrorResponse, providerId: string, nowMs: number): Failure {
  const { status, headers, error } = response;
  const kind = kindOfResponse(response);
  return {
    kind,
    reason: { status, code: error.code || error.type || null, message: error.message },
    error: clientError(response, kind, providerId),
    retryAfterMs: readRetryAfter(headers, nowMs),
  };
}

/** The failure for an error thrown by an attempt; null: the error is this server's own and ends the call. */
export function thrownFailure(error: unknown, { status, providerId, nowMs }: ThrownBy): Failure | null {
  if (error instanceof ReportedError) {
    const response = { status: error.reportedStatus, headers: {}, error: error.error };
    return responseFailure(response, providerId, nowMs);
  }
  if (!(error instanceof UpstreamFailure)) return null;
  return { kind: error.mayHaveRun ? 'may_have_run' : 'fault', ...failureOf(error, status) };
}

/** The failure for an answer that broke off, or ended with an error, after its first content. */
export function brokenAnswer(error: HttpError): Failure {
  return { kind: 'may_have_run', ...failureOf(error, null) };
}

function failureOf(error: HttpError, status: number | null): Omit<Failure, 'kind'> {
  const { code, type, message } = error.error;
  return { error, reason: { status, code: code || type || null, message }, retryAfterMs: null };
}

const NO_CREDIT = /^(insufficient_quota$|billing_|credit_)/;
const TOO_BUSY = /^(rate_limit|overloaded)/;

/** Code and type count more than the status: vendors send "quota exceeded" with 400, 402, 403 and 429. */
function kindOfResponse({ status, error }: ErrorResponse): FailureKind {
  if (isNamed(error, NO_CREDIT)) return 'key';
  if (isNamed(error, TOO_BUSY)) return 'busy';
  return kindOfStatus(status);
}

function isNamed({ code, type }: ErrorObject, names: RegExp): boolean {
  return names.test(code ?? '') || names.test(type ?? '');
}

/** The kind of failure that a status of 400 or more stands for. */
function kindOfStatus(status: number): FailureKind {
  switch (status) {
    case 401:
    case 402:
    case 403:
      return 'key';
    case 404:
    case 405:
    case 410:
    case 501:
    case 505:
      return 'not_here';
    case 429:
    case 503:
    case 529:
      return 'busy';
    case 408:
    case 425:
      return 'fault';
    default:
      return status < 500 ? 'caller' : 'fault';
  }
}

const NO_RETRY = ['x-should-retry', 'false'] as const;

/**
 * A refused key is the owner's concern, not the caller's: it becomes `upstream_auth_failed`, so that callers do not replace
 * their own keys. An account without credit stays what it is, but clients need not ask again.
 */
function clientError(
  { status, headers, error }: ErrorResponse,
  kind: FailureKind,
  providerId: string,
): HttpError {
  const isRefused = (status === 401 || status === 403) && !isNamed(error, NO_CREDIT);
  if (!isRefused) {
    const passed = bodilessHeadersFor(headers);
    return HttpError.fromUpstream(
      status,
      error,
      kind === 'key' ? [...withoutRetryHint(passed), ...NO_RETRY] : passed,
    );
  }
  const passed = bodilessHeadersFor({ 'x-request-id': headers['x-request-id'] });
  const reason = status === 403 ? ` It says: ${error.message}` : '';
  return new HttpError(
    'upstream_auth_failed',
    `The provider ${providerId} refuses its API key (${status}). The owner must check the key in the panel.${reason}`,
  ).withHeaders([...NO_RETRY, ...passed]);
}

function withoutRetryHint(headers: readonly string[]): string[] {
  return headers.filter((_, index) => headers[index - (index % 2)] !== 'x-should-retry');
}

/** The longest time that a provider's request to wait is followed. */
export const RETRY_AFTER_LIMIT_MS = 10 * 60 * 1000;

/**
 * How long the provider asks to wait: `retry-after-ms` (OpenAI), or `Retry-After` in seconds or as a date (RFC 9110 section
 * 10.2.3). At most 10 minutes; null if it does not say.
 */
export function readRetryAfter(headers: UpstreamHeaders, nowMs: number): number | null {
  const exact = readNumber(headers['retry-after-ms']);
  if (exact !== null) return Math.min(exact, RETRY_AFTER_LIMIT_MS);
  const seconds = readNumber(headers['retry-after']);
  if (seconds !== null) return Math.min(seconds * 1000, RETRY_AFTER_LIMIT_MS);
  const date = headers['retry-after'];
  // Without this, `Date.parse` takes almost any number for a date.
  const dateMs = typeof date === 'string' && WEEKDAY_FIRST.test(date) ? Date.parse(date) : Number.NaN;
  return Number.isNaN(dateMs) ? null : Math.min(Math.max(dateMs - nowMs, 0), RETRY_AFTER_LIMIT_MS);
}

const WEEKDAY_FIRST = /^\s*[A-Z][a-z]+,? /;

function readNumber(value: string | readonly string[] | undefined): number | null {
  return typeof value === 'string' && /^\s*\d{1,9}(\.\d{1,9})?\s*$/.test(value) ? Number(value) : null;
}
