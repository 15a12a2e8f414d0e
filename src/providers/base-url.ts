import { HttpError } from '../errors.ts';
import type { PathMode, Provider } from '../store/entities.ts';

/** Endpoints that people paste along with a base URL; the longest first. */
const PASTED_SUFFIX =
  /\/(?:chat\/completions|completions|embeddings|models|responses|messages|moderations|rerank|images\/(?:generations|edits|variations)|audio\/(?:transcriptions|translations|speech))$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/]|$)/i;
/** `v1`, `v4`, `v1beta`, `v1beta2`. */
const VERSION_SEGMENT = /^v\d+(?:[a-z]+\d*)?$/;
/** What follows a bare host, of vendors whose API is not under `/v1`. */
const BARE_HOSTS: ReadonlyMap<string, string> = new Map([
  ['api.perplexity.ai', ''],
  ['models.inference.ai.azure.com', ''],
  ['api.lepton.ai', '/api/v1'],
]);

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

/**
 * Joins a provider's base URL and the tail of a path of ours (`chat/completions`), as the vendors document their
 * addresses: a base that names a version gets the tail; a bare host gets `/v1`, but for a few vendors; any other path is
 * taken as it is, but for three vendors whose versionless form is often pasted. `exact` appends the tail whatever the base says,
 * `append-v1` always puts `/v1` between. The base's query is kept (Azure's `api-version`).
 */
export function joinUrl(base: URL, tail: string, mode: PathMode = 'auto'): URL {
  const url = new URL(base);
  const path = url.pathname.replace(/\/+$/, '').replace(PASTED_SUFFIX, '').replace(/\/+$/, '');
  url.pathname = `${path}${versionFor(url.hostname, path, mode)}/${tail}`;
  return url;
}

function versionFor(host: string, path: string, mode: PathMode): string {
  if (mode === 'exact') return '';
  if (mode === 'append-v1') return '/v1';
  if (path.split('/').some((segment) => VERSION_SEGMENT.test(segment))) return '';
  if (path === '') return BARE_HOSTS.get(host) ?? '/v1';
  return isVersionlessVendor(host, path) ? '/v1' : '';
}

function isVersionlessVendor(host: string, path: string): boolean {
  if (host === 'openrouter.ai') return path === '/api';
  if (host === 'api.groq.com') return path === '/openai';
  return host.endsWith('.openai.azure.com') && path === '/openai';
}
