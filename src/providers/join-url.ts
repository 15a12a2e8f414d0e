import { ENDPOINTS } from '../gateway/endpoints.ts';
import type { PathMode } from '../store/entities.ts';

/** Endpoints that people paste along with a base URL; the longest match is removed. */
const PASTED = [...ENDPOINTS.map(({ upstreamPath }) => upstreamPath), 'models'];
const PASTED_SUFFIX = new RegExp(`/(?:${PASTED.toSorted((a, b) => b.length - a.length).join('|')})$`);
/** `v1`, `v4`, `v1beta`, `v1beta2`. */
const VERSION_SEGMENT = /^v\d+(?:[a-z]+\d*)?$/;
/** The API's path at bare hosts of vendors that do not use `/v1`. */
const BARE_HOSTS: ReadonlyMap<string, string> = new Map([
  ['api.perplexity.ai', ''],
  ['models.inference.ai.azure.com', ''],
  ['api.lepton.ai', '/api/v1'],
]);

/**
 * Joins a provider's base URL and an endpoint's path (`chat/completions`), following the vendors' documentation. Mode `auto`:
 * a base with a version gets just the endpoint's path; a bare host gets `/v1` first, except for a few vendors; any other path
 * is kept, except for three vendors whose path is often pasted without its version, and for base URLs of Anthropic's clients. `exact` never adds a version, `append-v1`
 * always adds `/v1`. The base's query is kept (Azure's `api-version`).
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
  // Base URLs for Anthropic's clients, which add `/v1` themselves (DeepSeek, Z.ai, Moonshot).
  if (path.endsWith('/anthropic')) return true;
  if (host === 'openrouter.ai') return path === '/api';
  if (host === 'api.groq.com') return path === '/openai';
  return host.endsWith('.openai.azure.com') && path === '/openai';
}
