import { type Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { UpstreamTimeouts } from '../config.ts';
import { HttpError } from '../errors.ts';
import { FairShare } from '../fair-share.ts';
import type { Provider } from '../store/entities.ts';
import { addressRefused, createGuardedLookup, isAddressAllowed } from './address-policy.ts';
import { KeepAliveHttpAgent, KeepAliveHttpsAgent, MAX_SOCKETS } from './keep-alive-agents.ts';

/** How many requests one consumer (a user, or a key without a user) may have at one provider. */
const MAX_REQUESTS_PER_CONSUMER = MAX_SOCKETS / 2;

/** The connections to one provider. */
export interface Connection {
  readonly agent: Agent;
  /** Counts the requests of each consumer. */
  readonly shares: FairShare;
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly hostname: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly timeouts: UpstreamTimeouts;
}

export interface ConnectionOptions {
  /** The server's timeouts; the provider's own timeouts override them. */
  readonly timeouts: UpstreamTimeouts;
  readonly blockPrivate: boolean;
}

/**
 * Creates a provider's connection pool; opens no connection yet. A dropped pool needs no clean-up: its idle connections time
 * out within seconds.
 * @throws HttpError `upstream_unreachable` if the base URL holds a refused IP address.
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
    shares: new FairShare(MAX_REQUESTS_PER_CONSUMER),
    request: isTls ? httpsRequest : httpRequest,
    hostname,
    port: baseUrl.port === '' ? (isTls ? 443 : 80) : Number(baseUrl.port),
    hostHeader: baseUrl.host,
    timeouts: { ...timeouts, ...provider.options },
  };
}

/**
 * Counts one more request of a consumer, running or waiting for a free connection, until `giveShare`.
 * @throws HttpError `server_overloaded` if the consumer is at the limit.
 */
export function takeShare(connection: Connection, providerId: string, consumer: string): void {
  if (connection.shares.take(consumer)) return;
  const message =
    `You already have ${MAX_REQUESTS_PER_CONSUMER} requests running at provider ${providerId}, the most that one user or key ` +
    'may have. Try again when some have finished.';
  throw new HttpError('server_overloaded', message, { headers: { 'retry-after': '2' } });
}

/** Ends the count of one request, see `takeShare`. */
export function giveShare(connection: Connection, consumer: string): void {
  connection.shares.give(consumer);
}
