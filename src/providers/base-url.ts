import { HttpError } from '../errors.ts';
import type { Provider } from '../store/entities.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/]|$)/i;
/**
 * Parses a base URL as people write it: spaces trimmed, `https://` added where no scheme is given, `http://` on the machine
 * itself, where no server of models speaks TLS.
 * Returns null for anything that is no http or https address, or that carries a user name, a password or a fragment.
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
 * @throws HttpError `upstream_unreachable` where it cannot be parsed; the URL is not named: it may hold a password.
 */
export function requireBaseUrl({ id, baseUrl }: Provider): URL {
  const url = parseBaseUrl(baseUrl);
  if (url !== null) return url;
  const message = `The base URL of provider ${id} is not valid. Correct it in the panel.`;
  throw new HttpError('upstream_unreachable', message, { headers: { 'x-should-retry': 'false' } });
}

/** The origin that requests to a base URL go to; null if the URL is not usable. */
export function originOf(baseUrl: string): string | null {
  return parseBaseUrl(baseUrl)?.origin ?? null;
}

/** An address as it is written, with the scheme that it leaves out. */
export function withScheme(address: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return address;
  return `${LOOPBACK.test(address) ? 'http' : 'https'}://${address}`;
}
