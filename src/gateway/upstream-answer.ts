import { type ErrorObject, HttpError } from '../errors.ts';
import { redact } from '../logger.ts';
import { errorHeadersFor } from '../protocols/passed-headers.ts';
import { toErrorObject } from '../protocols/upstream-errors.ts';
import type { UpstreamResponse } from '../providers/adapter.ts';
import type { Provider } from '../store/entities.ts';
import type { Target } from './routing.ts';

/** A successful answer, its body not yet read. */
export interface GatewayAnswer extends UpstreamResponse {
  readonly target: Target;
  readonly attempts: number;
}

/** A refused key of ours is no matter of the caller's key, so it is not passed on as one (401 would make him change his). */
export function upstreamError(response: UpstreamResponse, text: string, target: Target): HttpError {
  const { status } = response;
  const { provider } = target;
  const error = cleanError(toErrorObject(status, text), provider);
  if (status !== 401 && status !== 403) {
    return HttpError.fromUpstream(status, error, errorHeadersFor(response.headers));
  }
  const reason = status === 403 ? ` It says: ${error.message}` : '';
  return new HttpError(
    'upstream_auth_failed',
    `The provider ${provider.id} refuses its API key (${status}). The owner must check the key in the panel.${reason}`,
    { headers: { 'x-should-retry': 'false' } },
  );
}

/** An upstream's error without the provider's key, wherever in it the key may stand. */
export function cleanError(error: ErrorObject, provider: Provider): ErrorObject {
  const secrets = provider.apiKey === null ? [] : [provider.apiKey];
  return JSON.parse(redact(JSON.stringify(error), secrets));
}

/** Which provider was tried, and how often: on every answer that reached an upstream. */
export function reachedHeaders(target: Target, attempts: number): Record<string, string> {
  return { 'x-ipin-provider': target.provider.id, 'x-ipin-attempts': String(attempts) };
}
