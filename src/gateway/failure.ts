import { HttpError } from '../errors.ts';
import { bodilessHeadersFor } from '../protocols/passed-headers.ts';
import { readError } from '../protocols/upstream-errors.ts';
import type { CompiledProvider, UpstreamResponse } from '../providers/adapter.ts';

/**
 * The error that the client gets for an error response with this body. A 401 or 403 concerns the provider's key, not the
 * caller's: it becomes `upstream_auth_failed`, so that callers do not replace their own keys.
 */
export function upstreamError(
  { status, headers }: UpstreamResponse,
  text: string,
  provider: CompiledProvider,
): HttpError {
  const error = readError(status, text, provider.secrets);
  if (status !== 401 && status !== 403) {
    return HttpError.fromUpstream(status, error, bodilessHeadersFor(headers));
  }
  const passed = bodilessHeadersFor({ 'x-request-id': headers['x-request-id'] });
  const reason = status === 403 ? ` It says: ${error.message}` : '';
  return new HttpError(
    'upstream_auth_failed',
    `The provider ${provider.id} refuses its API key (${status}). The owner must check the key in the panel.${reason}`,
    { headers: { 'x-should-retry': 'false' } },
  ).withHeaders(passed);
}
