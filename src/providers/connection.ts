import { type Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { UpstreamTimeouts } from '../config.ts';
import { HttpError } from '../errors.ts';
import { FairShare } from '../fair-share.ts';
import type { Provider } from '../store/entities.ts';
import { addressRefused, createGuardedLookup, isAddressAllowed } from './address-policy.ts';
import { requireBaseUrl } from './base-url.ts';
import { KeepAliveHttpAgent, KeepAliveHttpsAgent, MAX_SOCKETS } from './keep-alive-agents.ts';

/** How many of a provider's connections one key may use. */
const SHARE_OF_HOLDER = MAX_SOCKETS / 2;

/** What is made once per provider and origin, and used by all its requests. */
export interface Connection {
  readonly agent: Agent;
  /** Requests by their holders. */
  readonly running: FairShare;
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly hostname: string;
  readonly port: number;
  readonly hostHeader: string;
  /** The server's, where the provider sets none of its own. */
  readonly timeouts: UpstreamTimeouts;
}

export interface ConnectionsOptions {
  readonly timeouts: UpstreamTimeouts;
  readonly blockPrivate: boolean;
}

/**
 * Keeps one keep-alive agent per provider. A provider object is never mutated, so a changed provider is a new object
 * and gets a new agent; the old one's idle connections end by themselves within seconds.
 */
export class Connections {
  readonly #byProvider = new WeakMap<Provider, Connection>();
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** @throws HttpError `upstream_unreachable` where the base URL is an address that is refused. */
  of(provider: Provider): Connection {
    const known = this.#byProvider.get(provider);
    if (known !== undefined) return known;
    const made = this.#make(provider);
    this.#byProvider.set(provider, made);
    return made;
  }

  #make(provider: Provider): Connection {
    const { blockPrivate, timeouts } = this.#options;
    const url = requireBaseUrl(provider);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    // Connections to a literal address never ask `lookup`.
    if (isIP(hostname) !== 0 && !isAddressAllowed(hostname, blockPrivate)) throw addressRefused(provider.id);
    const lookup = createGuardedLookup(provider.id, blockPrivate);
    const isTls = url.protocol === 'https:';
    return {
      agent: isTls ? new KeepAliveHttpsAgent(lookup) : new KeepAliveHttpAgent(lookup),
      running: new FairShare(SHARE_OF_HOLDER),
      request: isTls ? httpsRequest : httpRequest,
      hostname,
      port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
      hostHeader: url.host,
      timeouts: { ...timeouts, ...provider.options },
    };
  }
}

/**
 * Counts one request more of a holder, running or waiting for a free connection; `connection.running.give` takes it back.
 * @throws HttpError `server_overloaded` where the holder has all that one may have.
 */
export function takeShare(connection: Connection, providerId: string, holder: string): void {
  if (!connection.running.take(holder)) throw shareUsedUp(providerId);
}

function shareUsedUp(providerId: string): HttpError {
  const message =
    `${SHARE_OF_HOLDER} requests of this key run at the provider ${providerId}, the most that one key may have there ` +
    'at a time. Try again when some have ended.';
  return new HttpError('server_overloaded', message, { headers: { 'retry-after': '2' } });
}
