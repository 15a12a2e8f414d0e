import type { UpstreamTimeouts } from '../config.ts';
import { HttpError } from '../errors.ts';
import { FairShare } from '../fair-share.ts';
import type { Provider } from '../store/entities.ts';
import { addressRefused, createGuardedLookup, isHostAllowed } from './address-policy.ts';
import { createDestination, type Destination } from './upstream/destination.ts';
import { MAX_SOCKETS } from './upstream/pool.ts';

/** How many requests one consumer (a user, or a key without a user) may have at one provider. */
const MAX_REQUESTS_PER_CONSUMER = MAX_SOCKETS / 2;

/** The connections to one provider. */
export interface Connection extends Destination {
  /**
   * Counts one more request of a consumer, running or waiting for a free connection, until `giveShare`.
   * @throws HttpError `server_overloaded` if the consumer is at the limit.
   */
  takeShare(consumer: string): void;
  /** Ends the count of one request, see `takeShare`. */
  giveShare(consumer: string): void;
}

export interface ConnectionOptions {
  /** The server's timeouts; a provider's own timeouts override them. */
  readonly timeouts: UpstreamTimeouts;
  /** Refuse connections to loopback and private addresses. */
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
  // Connections to a literal address never ask `lookup`.
  if (!isHostAllowed(baseUrl, blockPrivate)) throw addressRefused(provider.id);
  const shares = new FairShare(MAX_REQUESTS_PER_CONSUMER);
  const destination = createDestination(baseUrl, {
    id: provider.id,
    timeouts: { ...timeouts, ...provider.options },
    lookup: createGuardedLookup(provider.id, blockPrivate),
  });
  return {
    ...destination,
    takeShare(consumer) {
      if (!shares.take(consumer)) throw tooManyRequests(provider.id);
    },
    giveShare: (consumer) => shares.give(consumer),
  };
}

function tooManyRequests(providerId: string): HttpError {
  const message =
    `You already have ${MAX_REQUESTS_PER_CONSUMER} requests running at provider ${providerId}, the most that one user or key ` +
    'may have. Try again when some have finished.';
  return new HttpError('server_overloaded', message, { headers: { 'retry-after': '2' } });
}
