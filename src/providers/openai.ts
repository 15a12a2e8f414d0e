import { HttpError } from '../errors.ts';
import { firstMatch, type Patch, splice } from '../http/json-scan.ts';
import type { Provider } from '../store/entities.ts';
import type { AdapterCall, EndpointPath, ProviderAdapter, UpstreamRequest } from './adapter.ts';
import { joinUrl, parseBaseUrl } from './base-url.ts';

/** The standard adapter: any provider that speaks OpenAI's API. */
export const openaiAdapter: ProviderAdapter = {
  buildRequest: (call) => ({
    provider: call.provider,
    method: 'POST',
    path: endpointPath(call.provider, call.path),
    headers: upstreamHeaders(call),
    body: { kind: 'pieces', pieces: splice(call.body.bytes, [...call.body.patches, ...modelPatch(call)]) },
  }),
  amend: amendEncodingFormat,
};

/** The request for a provider's own list of models. */
export function listModelsRequest(
  provider: Provider,
  path = endpointPath(provider, 'models'),
): UpstreamRequest {
  const headers = { accept: 'application/json', ...authorization(provider), ...FIXED_HEADERS };
  return { provider, method: 'GET', path, headers, body: { kind: 'none' } };
}

const FIXED_HEADERS = { 'accept-encoding': 'identity', 'user-agent': 'ipin-proxy' } as const;

/** The client's headers that pass, then ours: they win. */
export function upstreamHeaders(call: AdapterCall): Record<string, string> {
  return {
    ...call.headers,
    ...authorization(call.provider),
    ...FIXED_HEADERS,
    'x-ipin-hops': String(call.hops),
  };
}

/** The `Authorization` of a provider; none where it has no key. */
export function authorization(provider: Provider): Record<string, string> {
  return provider.apiKey === null ? {} : { authorization: `Bearer ${provider.apiKey}` };
}

const pathsByProvider = new WeakMap<Provider, Map<string, string>>();

/** Path and query of an endpoint at a provider, joined once and remembered. */
export function endpointPath(provider: Provider, tail: EndpointPath | 'models'): string {
  const paths = pathsByProvider.get(provider) ?? new Map<string, string>();
  pathsByProvider.set(provider, paths);
  const known = paths.get(tail);
  if (known !== undefined) return known;
  const base = parseBaseUrl(provider.baseUrl);
  if (base === null) {
    throw new HttpError('upstream_unreachable', `The base URL of provider ${provider.id} is not valid.`);
  }
  const url = joinUrl(base, tail, provider.options.pathMode);
  const path = `${url.pathname}${url.search}`;
  paths.set(tail, path);
  return path;
}

/** Swaps the model's name in, where the provider knows it by another one. */
export function modelPatch(call: AdapterCall): Patch[] {
  if (call.upstreamModel === call.model) return [];
  const match = firstMatch(call.body.scan, 'model');
  if (match === undefined) return [];
  return [{ start: match.start, end: match.end, bytes: Buffer.from(JSON.stringify(call.upstreamModel)) }];
}

/** Some servers refuse `encoding_format`; both SDKs send it unasked. Asked again for floats, which are then encoded here. */
function amendEncodingFormat(call: AdapterCall, status: number, errorText: string): AdapterCall | null {
  if (call.path !== 'embeddings' || (status !== 400 && status !== 422)) return null;
  const match = firstMatch(call.body.scan, 'encoding_format');
  if (match === undefined || !errorText.includes('encoding_format')) return null;
  const patch = { start: match.start, end: match.end, bytes: Buffer.from('"float"') };
  if (call.body.patches.some(({ start }) => start === match.start)) return null;
  return { ...call, body: { ...call.body, patches: [...call.body.patches, patch] } };
}
