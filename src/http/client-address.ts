import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback, normalizeAddress } from '../ip-address.ts';

/** What a request says about where it came from. An IncomingMessage has all of it but the first. */
export interface RequestOrigin {
  /** The socket's peer; undefined once it is closed. */
  readonly remoteAddress: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values by turns, as received. */
  readonly rawHeaders: readonly string[];
}

const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
/** The value of Origin or Referer: an address of such a host. User names, as in `http://localhost@evil.example`, do not fit. */
const LOCAL_URL = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?#]|$)/i;
/** What proxies, load balancers and tunnels add. */
const FORWARDING_HEADER =
  /^(?:forwarded$|x-forwarded-|x-real-ip$|x-client-ip$|x-envoy-|x-original-|via$|cf-|true-client-ip$|fly-|tailscale-)/i;
/** Node silently drops headers after the first thousand or so: with very many, the one that tells may be among those. */
const MAX_LOCAL_HEADERS = 100;

/** What a request says about where it came from. */
export function requestOrigin({ socket, httpVersion, headers, rawHeaders }: IncomingMessage): RequestOrigin {
  return { remoteAddress: socket.remoteAddress, httpVersion, headers, rawHeaders };
}

/**
 * The address of the client, normalised; `unknown` where the socket is closed already. With `trustProxyHops` proxies in
 * front, each of which appends the peer it saw to X-Forwarded-For, it is that many entries from the right; what stands
 * left of it was written by the client and is not believed. Fewer entries than hops: the leftmost. An entry that is not
 * an address: the peer.
 */
export function clientAddress(origin: RequestOrigin, trustProxyHops: number): string {
  const peer = normalizeAddress(origin.remoteAddress ?? '') ?? 'unknown';
  const entry = trustedEntry(origin.headers['x-forwarded-for'], trustProxyHops);
  if (entry === null) return peer;
  return normalizeAddress(withoutPort(entry)) ?? peer;
}

/** Tells whether the client speaks TLS to the outermost trusted proxy, by X-Forwarded-Proto, counted as above. */
export function isSecure(origin: Pick<RequestOrigin, 'headers'>, trustProxyHops: number): boolean {
  return trustedEntry(origin.headers['x-forwarded-proto'], trustProxyHops)?.toLowerCase() === 'https';
}

/**
 * Tells whether a request looks as if it was made on this machine, by its owner: the peer is a loopback address, Host names
 * one, no page of another site sent it, it is HTTP/1.1, no proxy is expected, and no proxy left a mark. Who holds the
 * other end of the connection is a question of its own: see `createLocalAccess`.
 */
export function isLocalRequest(origin: RequestOrigin, trustProxyHops: number): boolean {
  if (trustProxyHops !== 0 || origin.httpVersion !== '1.1') return false;
  if (!isLoopback(normalizeAddress(origin.remoteAddress ?? '') ?? '')) return false;
  const { rawHeaders } = origin;
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

/**
 * Tells whether a request that carries a cookie comes from our own pages, and so whether the cookie counts. By
 * Sec-Fetch-Site where it is sent: `same-origin`, or `none` for GET and HEAD (an address typed by hand); else by Origin
 * where it is sent: its host and port must be those of Host. With neither (older browsers' GET, scripts), it counts:
 * SameSite=Strict has kept the cookie from other sites' requests already.
 */
export function isSameOrigin(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    return site === 'same-origin' || (site === 'none' && (method === 'GET' || method === 'HEAD'));
  }
  const { origin, host } = headers;
  if (origin === undefined) return true;
  const match = /^(https?):\/\/([^/?#@\s]+)$/i.exec(origin);
  const [, scheme = '', originHost = ''] = match ?? [];
  if (host === undefined || originHost === '') return false;
  return withoutDefaultPort(originHost, scheme) === withoutDefaultPort(host, scheme);
}

function trustedEntry(header: string | string[] | undefined, hops: number): string | null {
  if (hops <= 0 || header === undefined) return null;
  const entries = String(header).split(',');
  return (entries[Math.max(0, entries.length - hops)] ?? '').trim();
}

/** `1.2.3.4:5678`, `[2001:db8::1]:5678`, `[2001:db8::1]` -> the address; others as they are. */
function withoutPort(entry: string): string {
  const match = /^"?(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?"?$/.exec(entry);
  return match?.[1] ?? match?.[2] ?? entry;
}

/** A browser leaves the scheme's own port out of Origin; a proxy may have put it into Host. */
function withoutDefaultPort(host: string, scheme: string): string {
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  const lower = host.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
