import { shownText } from './shown-text.ts';

/**
 * Every error of `/v1` and `/api`: name -> status, type, code. The name equals the code, unless the code is null.
 */
export const ERRORS = {
  missing_api_key: { status: 401, type: 'invalid_request_error', code: null },
  invalid_api_key: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  not_signed_in: { status: 401, type: 'invalid_request_error', code: 'not_signed_in' },
  invalid_credentials: { status: 401, type: 'invalid_request_error', code: 'invalid_credentials' },
  forbidden: { status: 403, type: 'invalid_request_error', code: 'forbidden' },
  cross_origin_refused: { status: 403, type: 'invalid_request_error', code: 'cross_origin_refused' },
  default_password_refused: { status: 403, type: 'invalid_request_error', code: 'default_password_refused' },
  too_many_attempts: { status: 429, type: 'rate_limit_error', code: 'too_many_attempts' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  insufficient_quota: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  ip_not_allowed: { status: 403, type: 'invalid_request_error', code: 'ip_not_allowed' },
  model_not_allowed: { status: 403, type: 'invalid_request_error', code: 'model_not_allowed' },
  model_not_priced: { status: 403, type: 'invalid_request_error', code: 'model_not_priced' },
  model_not_found: { status: 404, type: 'invalid_request_error', code: 'model_not_found' },
  provider_not_configured: { status: 503, type: 'server_error', code: 'provider_not_configured' },
  invalid_request_target: { status: 400, type: 'invalid_request_error', code: 'invalid_request_target' },
  invalid_json: { status: 400, type: 'invalid_request_error', code: 'invalid_json' },
  invalid_body: { status: 400, type: 'invalid_request_error', code: 'invalid_body' },
  missing_required_parameter: {
    status: 400,
    type: 'invalid_request_error',
    code: 'missing_required_parameter',
  },
  invalid_value: { status: 400, type: 'invalid_request_error', code: 'invalid_value' },
  unsupported_parameter: { status: 400, type: 'invalid_request_error', code: 'unsupported_parameter' },
  previous_response_not_found: {
    status: 400,
    type: 'invalid_request_error',
    code: 'previous_response_not_found',
  },
  loop_detected: { status: 400, type: 'invalid_request_error', code: 'loop_detected' },
  not_found: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  already_exists: { status: 409, type: 'invalid_request_error', code: 'already_exists' },
  provider_in_use: { status: 409, type: 'invalid_request_error', code: 'provider_in_use' },
  managed_by_environment: { status: 409, type: 'invalid_request_error', code: 'managed_by_environment' },
  api_key_required: { status: 400, type: 'invalid_request_error', code: 'api_key_required' },
  master_key_protected: { status: 403, type: 'invalid_request_error', code: 'master_key_protected' },
  passphrase_required: { status: 400, type: 'invalid_request_error', code: 'passphrase_required' },
  invalid_passphrase: { status: 400, type: 'invalid_request_error', code: 'invalid_passphrase' },
  unsupported_content_type: { status: 415, type: 'invalid_request_error', code: 'unsupported_content_type' },
  request_too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  file_too_large: { status: 413, type: 'invalid_request_error', code: 'file_too_large' },
  request_timeout: { status: 408, type: 'invalid_request_error', code: 'request_timeout' },
  image_validation_failed: { status: 400, type: 'invalid_request_error', code: 'image_validation_failed' },
  server_overloaded: { status: 503, type: 'server_error', code: 'server_overloaded' },
  upstream_unreachable: { status: 502, type: 'server_error', code: 'upstream_unreachable' },
  upstream_timeout: { status: 504, type: 'server_error', code: 'upstream_timeout' },
  upstream_auth_failed: { status: 502, type: 'server_error', code: 'upstream_auth_failed' },
  upstream_invalid_response: { status: 502, type: 'server_error', code: 'upstream_invalid_response' },
  unknown_url: { status: 404, type: 'invalid_request_error', code: 'unknown_url' },
  method_not_supported: { status: 405, type: 'invalid_request_error', code: 'method_not_supported' },
  upgrade_required: { status: 426, type: 'invalid_request_error', code: 'upgrade_required' },
  storage_unavailable: { status: 503, type: 'server_error', code: 'storage_unavailable' },
  starting: { status: 503, type: 'server_error', code: 'starting' },
  draining: { status: 503, type: 'server_error', code: 'draining' },
  internal_error: { status: 500, type: 'server_error', code: 'internal_error' },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
}

export type ErrorName = keyof typeof ERRORS;

/** The `error` object of an answer; all four members are always there, upstreams may add others. */
export interface ErrorObject {
  message: string;
  /** null only in errors of upstreams that name none. */
  type: string | null;
  param: string | null;
  code: string | null;
  [extra: string]: unknown;
}

export interface HttpErrorOptions {
  /** The name of the wrong field, as the client wrote it. */
  readonly param?: string;
  /** Further answer headers, names in lower case, e.g. `{ 'retry-after': '5' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The raw cause: logged where useful, never sent. */
  readonly cause?: unknown;
}

/** The client may have chosen the name, as in a form. */
function shownParam(param: string | undefined): string | null {
  return param === undefined ? null : shownText(param);
}

/**
 * An answer to the client that is not a success. `message` is public: no secret, no stack, no path of the machine.
 * @example throw new HttpError('invalid_value', '`n` must be a number.', { param: 'n' });
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly error: ErrorObject;
  /** Further answer headers: names in lower case and values by turns. */
  readonly headers: readonly string[];

  constructor(kind: ErrorName, message: string, options: HttpErrorOptions = {}) {
    super(message, { cause: options.cause });
    const row = ERRORS[kind];
    this.status = row.status;
    this.error = { message, type: row.type, param: shownParam(options.param), code: row.code };
    this.headers = options.headers === undefined ? [] : Object.entries(options.headers).flat();
  }

  /** The error of an upstream, passed on with its own status in our envelope. */
  static fromUpstream(status: number, error: ErrorObject, headers: readonly string[] = []): HttpError {
    const passed = new HttpError('upstream_invalid_response', error.message);
    return Object.assign(passed, { status, error, headers });
  }

  /** The same error with further answer headers. */
  withHeaders(headers: readonly string[]): HttpError {
    const passed = HttpError.fromUpstream(this.status, this.error, [...this.headers, ...headers]);
    return Object.assign(passed, { cause: this.cause, stack: this.stack });
  }
}
