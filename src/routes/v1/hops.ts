import { HttpError } from '../../errors.ts';

/** A request may pass this many iPin proxies. More than that is a provider whose base URL leads back to the proxy. */
const MAX_HOPS = 3;

/**
 * Reads `x-ipin-hops` and returns the number of hops including this server.
 * @throws HttpError `loop_detected` at the fourth hop.
 */
export function nextHop(header: string | string[] | undefined): number {
  const hops = typeof header === 'string' && /^\d{1,3}$/.test(header) ? Number(header) : 0;
  if (hops < MAX_HOPS) return hops + 1;
  throw new HttpError(
    'loop_detected',
    'The request came back to this server: the base URL of a provider leads to the proxy itself. Correct it in the panel.',
  );
}
