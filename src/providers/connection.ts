import { type Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { UpstreamTimeouts } from '../config.ts';
import type { Provider } from '../store/entities.ts';
import { addressRefused, createGuardedLookup, isAddressAllowed } from './address-policy.ts';
import { parseBaseUrl } from './base-url.ts';
import { KeepAliveHttpAgent, KeepAliveHttpsAgent } from './keep-alive-agents.ts';

/** What is made once per provider and origin, and used by all its requests. */
export interface Connection {
  readonly agent: Agent;
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
    const url = parseBaseUrl(provider.baseUrl);
    if (url === null) throw addressRefused(provider.baseUrl);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    // Connections to a literal address never ask `lookup`.
    if (isIP(hostname) !== 0 && !isAddressAllowed(hostname, blockPrivate)) throw addressRefused(hostname);
    const lookup = createGuardedLookup(blockPrivate);
    const isTls = url.protocol === 'https:';
    return {
      agent: isTls ? new KeepAliveHttpsAgent(lookup) : new KeepAliveHttpAgent(lookup),
      request: isTls ? httpsRequest : httpRequest,
      hostname,
      port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
      hostHeader: url.host,
      timeouts: { ...timeouts, ...provider.options },
    };
  }
}
