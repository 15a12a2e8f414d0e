import { ENDPOINTS } from '../gateway/endpoints.ts';
import type { PathMode } from '../store/entities.ts';

/** Endpoints that people paste along with a base URL; the longest that fits counts. */
const PASTED = [...ENDPOINTS.map(({ upstreamPath }) => upstreamPath), 'models', 'messages'];
const PASTED_SUFFIX = new RegExp(`/(?:${PASTED.toSorted((a, b) => b.length - a.length).join('|')})$`);
/** `v1`, `v4`, `v1beta`, `v1beta2`. */
const VERSION_SEGMENT = /^v\d+(?:[a-z]+\d*)?$/;
/** What follows a bare host, of vendors whose API is not under `/v1`. */
const BARE_HOSTS: ReadonlyMap<string, string> = new Map([
  ['api.perplexity.ai', ''],
  ['models.inference.ai.azure.com', ''],
  ['api.lepton.ai', '/api/v1'],
]);

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
