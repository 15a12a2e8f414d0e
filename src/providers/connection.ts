import { type Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { UpstreamTimeouts } from '../config.ts';
import { HttpError } from '../errors.ts';
import { FairShare } from '../fair-share.ts';
import type { Provider } from '../store/entities.ts';
import { addressRefused, createGuardedLookup, isAddressAllowed } from './address-policy.ts';
import { KeepAliveHttpAgent, KeepAliveHttpsAgent, MAX_SOCKETS } from './keep-alive-agents.ts';

/** How many of a provider's connections one holder (a user, or a key without one) may use. */
const SHARE_OF_HOLDER = MAX_SOCKETS / 2;

/** The connections to one provider. */
export interface Connection {
  readonly agent: Agent;
  /** How many requests each holder has here. */
  readonly shares: FairShare;
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly hostname: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly timeouts: UpstreamTimeouts;
}

export interface ConnectionOptions {
  /** The server's timeouts, where the provider sets none of its own. */
  readonly timeouts: UpstreamTimeouts;
  readonly blockPrivate: boolean;
}

/**
 * Makes a provider's pool of connections; none is opened yet. A pool that is dropped needs no ending: its idle
 * connections end by themselves within seconds.
 * @throws HttpError `upstream_unreachable` where the base URL is an address that is refused.
 */
export function createConnection(
  provider: Provider,
  baseUrl: URL,
  { timeouts, blockPrivate }: ConnectionOptions,
): Connection {
  const hostname = baseUrl.hostname.replace(/^\[|\]$/g, '');
  // Connections to a literal address never ask `lookup`.
  if (isIP(hostname) !== 0 && !isAddressAllowed(hostname, blockPrivate)) throw addressRefused(provider.id);
  const lookup = createGuardedLookup(provider.id, blockPrivate);
  const isTls = baseUrl.protocol === 'https:';
  return {
    agent: isTls ? new KeepAliveHttpsAgent(lookup) : new KeepAliveHttpAgent(lookup),
    shares: new FairShare(SHARE_OF_HOLDER),
    request: isTls ? httpsRequest : httpRequest,
    hostname,
    port: baseUrl.port === '' ? (isTls ? 443 : 80) : Number(baseUrl.port),
    hostHeader: baseUrl.host,
    timeouts: { ...timeouts, ...provider.options },
  };
}

/**
 * Counts one more request of a holder, running or waiting for a free connection; `giveShare` takes it back.
 * @throws HttpError `server_overloaded` where the holder has all that one may have.
 */
export function takeShare(connection: Connection, providerId: string, holder: string): void {
  if (connection.shares.take(holder)) return;
  const message =
    `You already have ${SHARE_OF_HOLDER} requests running at provider ${providerId}, the most that one user or key ` +
    'may have. Try again when some have finished.';
  throw new HttpError('server_overloaded', message, { headers: { 'retry-after': '2' } });
}

/** Takes back what `takeShare` counted. */
export function giveShare(connection: Connection, holder: string): void {
  connection.shares.give(holder);
}
