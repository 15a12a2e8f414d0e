import { HttpError } from '../errors.ts';
import { isLoopbackHost } from '../ip-address.ts';
import type { Provider } from '../store/entities.ts';

/**
 * Parses a base URL as people write it. Trims spaces. Adds a missing scheme: `http://` for loopback addresses, where model
 * servers do not speak TLS, else `https://`.
 * Returns null for anything but an http(s) URL, and for a URL with a user name, a password or a fragment.
 */
export function parseBaseUrl(text: string): URL | null {
  const trimmed = text.trim();
  const schemed = withScheme(trimmed);
  if (trimmed === '' || /^\/|[\s\\]/.test(trimmed) || !URL.canParse(schemed)) return null;
  const url = new URL(schemed);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (url.username !== '' || url.password !== '' || url.hash !== '' || url.hostname === '') return null;
  return url;
}

/**
 * The parsed base URL of a provider.
 * @throws HttpError `upstream_unreachable` for an invalid URL. The message does not show the URL: it may hold a password.
 */
export function requireBaseUrl({ id, baseUrl }: Provider): URL {
  const url = parseBaseUrl(baseUrl);
  if (url !== null) return url;
  const message = `The base URL of provider ${id} is not valid. Correct it in the panel.`;
  throw new HttpError('upstream_unreachable', message, { headers: { 'x-should-retry': 'false' } });
}

/** The origin of a base URL; null if the URL is not valid. */
export function originOf(baseUrl: string): string | null {
  return parseBaseUrl(baseUrl)?.origin ?? null;
}

/** Adds the scheme to an address that has none: `http` on this machine, `https` elsewhere. */
export function withScheme(address: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return address;
  const [host = ''] = /^(?:\[[^\]]*\]|[^:/]*)(?=[:/]|$)/.exec(address) ?? [];
  return `${isLoopbackHost(host) ? 'http' : 'https'}://${address}`;
}
