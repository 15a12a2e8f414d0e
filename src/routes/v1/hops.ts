import { HttpError } from '../../errors.ts';

/** A request may pass so many proxies of this kind; one more is surely a provider that leads back here. */
const MAX_HOPS = 3;

/**
 * Reads `x-ipin-hops` and counts this server in.
 * @throws HttpError `loop_detected` at the fourth hop.
 */
export function nextHop(header: string | string[] | undefined): number {
  const passed = typeof header === 'string' && /^\d{1,3}$/.test(header) ? Number(header) : 0;
  if (passed < MAX_HOPS) return passed + 1;
  throw new HttpError(
    'loop_detected',
    'The request came back to this server: the base URL of a provider leads to the proxy itself. Correct it in the panel.',
  );
}
