import type { LookupFunction } from 'node:net';
import type { UpstreamTimeouts } from '../../config.ts';
import { hostOf } from '../../ip-address.ts';
import { Pool } from './pool.ts';

/** Where transfers go: one origin, with its connections. */
export interface Destination {
  /** The provider's id, for messages. */
  readonly id: string;
  readonly hostname: string;
  readonly pool: Pool;
  readonly hostHeader: string;
  readonly timeouts: UpstreamTimeouts;
}

export interface DestinationOptions {
  readonly id: string;
  readonly timeouts: UpstreamTimeouts;
  /** Resolves names, and refuses addresses; by default the system's. */
  readonly lookup?: LookupFunction;
}

/** The origin of a URL. Opens no connection yet. A dropped one needs no clean-up: its idle connections end within seconds. */
export function createDestination(url: URL, { id, timeouts, lookup }: DestinationOptions): Destination {
  const isTls = url.protocol === 'https:';
  const hostname = hostOf(url);
  const pool = new Pool({
    isTls,
    host: hostname,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    lookup,
    idleTimeoutMs: timeouts.idleTimeoutMs,
  });
  return { id, hostname, pool, hostHeader: url.host, timeouts };
}
