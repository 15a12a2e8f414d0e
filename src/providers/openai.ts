import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import { createBoundary, multipartContentType, relayMultipart } from '../http/multipart.ts';
import { firstMatch, type Patch, splice } from '../json/scan.ts';
import type { Provider } from '../store/entities.ts';
import type {
  AdapterCall,
  Amendment,
  EndpointPath,
  FormCallBody,
  JsonCallBody,
  MadeCallBody,
  ProviderAdapter,
  UpstreamRequest,
} from './adapter.ts';
import { joinUrl, requireBaseUrl } from './base-url.ts';

/** The standard adapter: any provider that speaks OpenAI's API. */
export const openaiAdapter: ProviderAdapter = {
  buildRequest(call) {
    const { body } = call;
    if (body.kind === 'form') return formRequest(call, body);
    return body.kind === 'json' ? jsonRequest(call, body) : madeRequest(call, body);
  },
  amend: amendEncodingFormat,
  translator: () => null,
};

/** Without the client's parameters: a provider that believed a charset would read another document than was checked here. */
const JSON_TYPE = { 'content-type': 'application/json' };

/** The body as it came, but for its patches and the model's name. */
export function jsonRequest(call: AdapterCall, body: JsonCallBody): UpstreamRequest {
  const pieces = splice(body.bytes, withModelPatch(call, body));
  return postTo(call, { headers: upstreamHeaders(call, JSON_TYPE), body: { kind: 'pieces', pieces } });
}

function madeRequest(call: AdapterCall, { pieces }: MadeCallBody): UpstreamRequest {
  const headers = upstreamHeaders(call, { accept: 'application/json', ...JSON_TYPE });
  return postTo(call, { headers, body: { kind: 'pieces', pieces } });
}

const FIELD_LIMIT_BYTES = 1024 * 1024;

/** The form as it came, sent on while it arrives, but for the model's name. */
function formRequest(call: AdapterCall, { parts }: FormCallBody): UpstreamRequest {
  const boundary = createBoundary(randomBytes);
  const replace = new Map([['model', call.upstreamModel]]);
  const chunks = relayMultipart(parts, { boundary, replace, fieldLimitBytes: FIELD_LIMIT_BYTES });
  const stream = Readable.from(chunks, { objectMode: false });
  const headers = upstreamHeaders(call, { 'content-type': multipartContentType(boundary) });
  return postTo(call, { headers, body: { kind: 'stream', stream } });
}

function postTo(
  call: AdapterCall,
  { headers, body }: Pick<UpstreamRequest, 'headers' | 'body'>,
): UpstreamRequest {
  const { provider, query } = call;
  const path = withQuery(endpointPath(provider, call.path), query);
  return { provider, method: 'POST', path, headers, body };
}

/** The base URL may have brought a query along (Azure's `api-version`). */
function withQuery(path: string, query: string): string {
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

/** The request for a provider's own list of models. */
export function listModelsRequest(provider: Provider, path: string): UpstreamRequest {
  const headers = ['accept', 'application/json', ...providerHeaders(provider)];
  return { provider, method: 'GET', path, headers, body: { kind: 'none' } };
}

const NOTHING_OWN: Readonly<Record<string, string>> = {};

/** The client's headers that pass, but for those that `own` replaces, then ours. */
export function upstreamHeaders(call: AdapterCall, own = NOTHING_OWN): string[] {
  const list = [...providerHeaders(call.provider), 'x-ipin-hops', String(call.hops)];
  for (const name in call.headers) {
    if (own[name] === undefined) list.push(name, call.headers[name] ?? '');
  }
  for (const name in own) list.push(name, own[name] ?? '');
  return list;
}

/** Visible ASCII and spaces (RFC 9110 section 5.5); the panel takes no other keys, but files from elsewhere may hold some. */
const IN_HEADER = /^[\x20-\x7e]*$/;
const headersByProvider = new WeakMap<Provider, readonly string[]>();

/** What every request to a provider has: its key, where it has one, and a plea for answers that are not compressed. */
function providerHeaders(provider: Provider): readonly string[] {
  const known = headersByProvider.get(provider);
  if (known !== undefined) return known;
  if (provider.apiKey !== null && !IN_HEADER.test(provider.apiKey)) {
    const message = `The key of provider ${provider.id} holds signs that no HTTP header can carry. Enter it again in the panel.`;
    throw new HttpError('provider_not_configured', message, { headers: { 'x-should-retry': 'false' } });
  }
  const key = provider.apiKey === null ? [] : ['authorization', `Bearer ${provider.apiKey}`];
  const list = [...key, 'accept-encoding', 'identity', 'user-agent', 'ipin-proxy'];
  headersByProvider.set(provider, list);
  return list;
}

const pathsByProvider = new WeakMap<Provider, Map<string, string>>();

/** Path and query of an endpoint at a provider, joined once and remembered. */
export function endpointPath(provider: Provider, tail: EndpointPath | 'models'): string {
  const paths = pathsByProvider.get(provider) ?? new Map<string, string>();
  pathsByProvider.set(provider, paths);
  const known = paths.get(tail);
  if (known !== undefined) return known;
  const url = joinUrl(requireBaseUrl(provider), tail, provider.options.pathMode);
  const path = `${url.pathname}${url.search}`;
  paths.set(tail, path);
  return path;
}

/** The patches, and one that swaps the model's name in where the provider knows it by another one. */
function withModelPatch(call: AdapterCall, { scan, patches }: JsonCallBody): readonly Patch[] {
  const match = call.upstreamModel === call.model ? undefined : firstMatch(scan, 'model');
  if (match === undefined) return patches;
  const bytes = Buffer.from(JSON.stringify(call.upstreamModel));
  return [...patches, { start: match.start, end: match.end, bytes }];
}

/** Some servers refuse `encoding_format`; both SDKs send it unasked. Asked again for floats, which are then encoded here. */
export function amendEncodingFormat(call: AdapterCall, status: number, errorText: string): Amendment | null {
  const { body } = call;
  if (call.path !== 'embeddings' || body.kind !== 'json' || (status !== 400 && status !== 422)) return null;
  const match = firstMatch(body.scan, 'encoding_format');
  if (match === undefined || !errorText.includes('encoding_format')) return null;
  const patch = { start: match.start, end: match.end, bytes: Buffer.from('"float"') };
  if (body.patches.some(({ start }) => start === match.start)) return null;
  const amended = { ...call, body: { ...body, patches: [...body.patches, patch] } };
  return { call: amended, onProven: null };
}
