import type { IncomingHttpHeaders } from 'node:http';
import { normalizeAddress } from '../ip-address.ts';

/**
 * What headers tell about the client: its address and TLS through trusted proxies, and whether our own page sent it.
 */

/** The parts of an `IncomingMessage` that name the client. */
export interface ForwardedRequest {
  /** `remoteAddress` is undefined once the socket is closed. */
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * The normalised address of the client; `unknown` once the socket is closed. Each of the `trustProxyHops` proxies in front
 * appends the peer that it saw to X-Forwarded-For, so the client is that many entries from the right; the client may have
 * made up all entries to the left. With fewer entries than hops it is the leftmost entry. Where the entry is not an
 * address, it is the peer.
 */
export function clientAddress({ socket, headers }: ForwardedRequest, trustProxyHops: number): string {
  const peer = normalizeAddress(socket.remoteAddress ?? '') ?? 'unknown';
  const entry = trustedEntry(headers['x-forwarded-for'], trustProxyHops);
  if (entry === null) return peer;
  return normalizeAddress(withoutPort(entry)) ?? peer;
}

/** Tells whether the client speaks TLS to the outermost trusted proxy, by the same entry of X-Forwarded-Proto. */
export function isSecure({ headers }: Pick<ForwardedRequest, 'headers'>, trustProxyHops: number): boolean {
  return trustedEntry(headers['x-forwarded-proto'], trustProxyHops)?.toLowerCase() === 'https';
}

/**
 * Tells whether a request with a cookie comes from our own pages, so that the cookie counts. Sec-Fetch-Site decides if it
 * is present: `same-origin`, or `none` for GET and HEAD (an address typed by hand); else Origin, whose host and port must
 * equal Host. Without either header (GET of older browsers, scripts) the cookie counts: SameSite=Strict already keeps it
 * out of other sites' requests.
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

/** `1.2.3.4:5678`, `[2001:db8::1]:5678`, `[2001:db8::1]` -> the address; anything else is returned unchanged. */
function withoutPort(entry: string): string {
  const match = /^"?(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?"?$/.exec(entry);
  return match?.[1] ?? match?.[2] ?? entry;
}

/** A browser omits the scheme's default port in Origin; a proxy may have added it to Host. */
function withoutDefaultPort(host: string, scheme: string): string {
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  const lower = host.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
