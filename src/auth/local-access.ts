import type { IncomingMessage } from 'node:http';
import { isLoopback, normalizeAddress } from '../ip-address.ts';
import { createPeerOwners, type PeerOwners } from './peer-owner.ts';

/** Decides who may use the secrets that everybody knows: the default password and the sample keys from documentation. */
export interface LocalAccess {
  /** True for a request made on the machine itself by the user who runs the server, or by root. */
  allows(req: IncomingMessage): Promise<boolean>;
  /** True on Linux if the owners of connections cannot be read: then every local user may. */
  cannotSeeOwners(): Promise<boolean>;
}

export interface LocalAccessOptions {
  readonly trustProxyHops: number;
  /** null: the system does not tell who owns a connection. */
  readonly peers?: PeerOwners | null;
  /** The id of the user who runs the server. */
  readonly ownUid?: number | undefined;
}

/** The parts of an `IncomingMessage` that tell whether it was made on this machine. */
export interface RequestHead {
  /** `remoteAddress` is undefined once the socket is closed. */
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly httpVersion: string;
  /** Names and values by turns, as received. */
  readonly rawHeaders: readonly string[];
}

const ROOT_UID = 0;
/** Narrower than loopback: the names that the server's own pages are opened by. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
/** Origin or Referer with such a host. A user name does not match, as in `http://localhost@evil.example`. */
const LOCAL_URL = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?#]|$)/i;
/** Headers that proxies, load balancers and tunnels add. */
const FORWARDING_HEADER =
  /^(?:forwarded$|x-forwarded-|x-real-ip$|x-client-ip$|x-envoy-|x-original-|via$|cf-|true-client-ip$|fly-|tailscale-)/i;
/** Node silently drops headers beyond a limit: with very many, the one that names a proxy may be missing. */
const MAX_LOCAL_HEADERS = 100;

/**
 * Makes the one decision for the default password and the sample keys. A proxy on this machine may forward requests from
 * the whole internet without a trace in their headers. It usually runs as another user, which Linux tells; a proxy that
 * runs as the same user cannot be recognised.
 */
export function createLocalAccess(options: LocalAccessOptions): LocalAccess {
  const {
    trustProxyHops,
    peers = process.platform === 'linux' ? createPeerOwners() : null,
    ownUid = process.geteuid?.(),
  } = options;
  return {
    async allows(req) {
      if (!isLocalRequest(req, trustProxyHops)) return false;
      if (peers === null) return true;
      const owner = await peers.ownerOf(req.socket);
      return owner === 'unreadable' || owner === ownUid || owner === ROOT_UID;
    },
    cannotSeeOwners: async () => peers !== null && !(await peers.canRead()),
  };
}

/**
 * Tells whether a request looks as if it was made on this machine, by its owner: the peer is a loopback address, Host names
 * this machine, no page of another site sent it, it is HTTP/1.1, no proxy is configured, and no header shows one. It does
 * not tell who holds the other end of the connection: see `createLocalAccess`.
 */
export function isLocalRequest(request: RequestHead, trustProxyHops: number): boolean {
  const { socket, httpVersion, rawHeaders } = request;
  if (trustProxyHops !== 0 || httpVersion !== '1.1') return false;
  if (!isLoopback(normalizeAddress(socket.remoteAddress ?? '') ?? '')) return false;
  if (rawHeaders.length > 2 * MAX_LOCAL_HEADERS) return false;
  let hosts = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!isLocalHeader(name, rawHeaders[index + 1] ?? '')) return false;
    if (name === 'host') hosts += 1;
  }
  return hosts === 1;
}

function isLocalHeader(name: string, value: string): boolean {
  switch (name) {
    case 'host':
      return LOCAL_HOST.test(value);
    case 'origin':
    case 'referer':
      return LOCAL_URL.test(value);
    case 'sec-fetch-site':
      return value === 'same-origin' || value === 'none';
    default:
      return !FORWARDING_HEADER.test(name);
  }
}
