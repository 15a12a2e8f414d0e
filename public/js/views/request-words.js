/** What the API's codes say, in plain words. */

/** @type {ReadonlyMap<string, string>} */
const CODES = new Map(
  Object.entries({
    rate_limit_exceeded: 'rate limit',
    insufficient_quota: 'budget used up',
    upstream_auth_failed: 'key refused',
    upstream_unreachable: 'not reachable',
    upstream_timeout: 'too slow',
    upstream_invalid_response: 'no valid answer',
    client_closed_request: 'client left',
    invalid_api_key: 'unknown key',
    model_not_found: 'unknown model',
    model_not_allowed: 'model not allowed',
    model_not_priced: 'no price',
    provider_not_configured: 'provider off',
    ip_not_allowed: 'address not allowed',
    server_overloaded: 'too much at once',
  }),
);

/** @type {Record<string, 'ok' | 'warn' | 'bad' | 'off'>} */
const KINDS = {
  ok: 'ok',
  clientErrors: 'warn',
  limited: 'warn',
  providerErrors: 'bad',
  broken: 'bad',
  cancelled: 'off',
};

/** The kind of dot for an outcome. @param {string} outcome */
export function kindOf(outcome) {
  return Object.hasOwn(KINDS, outcome) ? KINDS[outcome] : 'off';
}

/** `budget used up`, `invalid value`; empty for a success. @param {string | null} code */
export function codeText(code) {
  if (code === null) return '';
  return CODES.get(code) ?? (/^[\w.-]+$/.test(code) ? code.replaceAll('_', ' ') : code);
}

/** Why a request failed, in a few words; empty for a success. @param {{ outcome: string, code: string | null }} request */
export function reasonOf({ outcome, code }) {
  return outcome === 'broken' ? 'broke off' : codeText(code);
}

/**
 * What an attempt that failed means.
 * @param {import('./traffic-types.js').Attempt} attempt
 */
export function attemptText({ status, code }) {
  if (status === 429) return 'Too many requests for this key.';
  if (status === 401 || status === 403) return 'The provider refused this key.';
  if (status === 402) return 'The account at the provider is used up.';
  if (status === 404) return 'The provider does not know this address or model.';
  if (status === 529 || status === 503) return 'The provider is overloaded.';
  if (status === null && code === 'upstream_timeout') return 'The provider did not answer in time.';
  if (status === null && code === 'upstream_unreachable') return 'The provider could not be reached.';
  if (status === null) return 'No answer came.';
  if (status >= 500) return 'The provider failed.';
  return status >= 400 ? 'The provider refused the request.' : 'The answer could not be used.';
}
