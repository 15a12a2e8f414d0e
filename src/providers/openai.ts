import { randomBytes } from 'node:crypto';
import { CHAT } from '../gateway/endpoints.ts';
import type { HeaderList } from '../http/headers.ts';
import { createBoundary, multipartContentType, relayMultipart } from '../http/multipart-writer.ts';
import { firstMatch } from '../json/matches.ts';
import { type Patch, splice } from '../json/splice.ts';
import { withModelOptions } from '../protocols/model-options.ts';
import type {
  AdapterCall,
  FormCallBody,
  JsonCallBody,
  MadeCallBody,
  ProviderAdapter,
  Quirk,
  RawCallBody,
  Refusal,
  SuspectedQuirk,
  Target,
  UpstreamRequest,
} from './adapter.ts';
import { suspectNoProtocol } from './protocol-way.ts';
import { addsUsage, suspectNoStreamOptions, withUsage } from './stream-usage.ts';

/** The standard adapter: any provider that speaks OpenAI's API. */
export const openaiAdapter: ProviderAdapter = {
  buildRequest(call, target, quirks) {
    const { body } = call;
    if (body.kind === 'form') return formRequest(call, body, target);
    if (body.kind === 'made') return madeRequest(call, body, target);
    if (body.kind === 'raw') return rawRequest(call, body, target);
    if (addsUsage(call, { provider: target.provider, quirks }))
      return jsonRequest(call, withUsage(body), target);
    const isFloat = call.endpoint.hasVectors && quirks.has('floats_only');
    return jsonRequest(call, isFloat ? withFloatFormat(body) : body, target);
  },
  suspectQuirk(call, refusal, asked) {
    return (
      suspectFloatsOnly(call, refusal, asked.quirks) ??
      suspectNoStreamOptions(call, refusal, asked) ??
      suspectNoProtocol(call, refusal, asked)
    );
  },
  renderFor: () => null,
};

/** Without the client's parameters: with another charset, the provider would read another document than was checked here. */
const JSON_TYPE: HeaderList = ['content-type', 'application/json'];

/** The request with the client's body, its patches applied, with the model's options, and the model's name replaced. */
function jsonRequest(call: AdapterCall, body: JsonCallBody, target: Target): UpstreamRequest {
  const patches = withModelPatch(call, body, target);
  const pieces = splice(body.bytes, withModelOptions({ ...body, patches }, call.options));
  return postTo(call, target, { own: JSON_TYPE, body: { kind: 'pieces', pieces } });
}

/** Headers of a request with a body built here; they replace the client's `accept`. */
export const MADE_JSON: HeaderList = ['accept', 'application/json', ...JSON_TYPE];

function madeRequest(call: AdapterCall, { make }: MadeCallBody, target: Target): UpstreamRequest {
  return postTo(call, target, {
    own: MADE_JSON,
    body: { kind: 'pieces', pieces: make(target.upstreamModel, call.options) },
  });
}

/** The request with the client's form, written part by part, with the model's name replaced. */
function formRequest(call: AdapterCall, body: FormCallBody, target: Target): UpstreamRequest {
  const boundary = createBoundary(randomBytes);
  // For the default provider's own model, which is not known here, there is no other name.
  const replace = new Map(call.modelId === '' ? [] : [['model', target.upstreamModel] as const]);
  const stream = relayMultipart(body.parts(), { boundary, replace });
  const own = ['content-type', multipartContentType(boundary)];
  return postTo(call, target, { own, body: { kind: 'stream', stream } });
}

/** The request with the client's body as it arrives. A model in the query is replaced. */
function rawRequest(call: AdapterCall, { contentType, body }: RawCallBody, target: Target): UpstreamRequest {
  const own = contentType === null ? [] : ['content-type', contentType];
  const query = call.query.replace(/(^|&)model=[^&]*/, (match, before: string) => {
    return target.upstreamModel === call.modelId
      ? match
      : `${before}model=${encodeURIComponent(target.upstreamModel)}`;
  });
  return postTo({ ...call, query }, target, {
    own,
    body: body === null ? { kind: 'none' } : { kind: 'stream', stream: body },
  });
}

interface PostOptions {
  /** The headers that the adapter sets; they replace the client's of the same name. */
  readonly own: HeaderList;
  readonly body: UpstreamRequest['body'];
  /** Path and query, if not those of the call's endpoint. */
  readonly path?: string;
}

/** A request to a target with the provider's headers, the client's headers to pass on, and the adapter's own. */
export function postTo(call: AdapterCall, { provider, key }: Target, options: PostOptions): UpstreamRequest {
  const { own, body } = options;
  const path = options.path ?? withQuery(provider.pathOf(call.endpoint.upstreamPath), call.query);
  // Anthropic's host takes chat completions in OpenAI's form, everything else in its own.
  const isOwn = call.endpoint !== CHAT;
  const keyHeaders = isOwn ? key?.ownHeaders : key?.headers;
  const headers = [...(keyHeaders ?? []), ...provider.headers, 'x-ipin-hops', String(call.hops)];
  if (isOwn) pushMissing(headers, provider.ownHeaders, call.headers);
  for (let index = 0; index < call.headers.length; index += 2) {
    const name = call.headers[index] ?? '';
    if (!own.includes(name)) headers.push(name, call.headers[index + 1] ?? '');
  }
  headers.push(...own);
  return { provider, method: call.method, path, headers, body };
}

/** Adds the headers that the client has not sent. */
function pushMissing(headers: string[], own: HeaderList, sent: HeaderList): void {
  for (let index = 0; index < own.length; index += 2) {
    const name = own[index] ?? '';
    if (!sent.includes(name)) headers.push(name, own[index + 1] ?? '');
  }
}

/** Appends the client's query; the base URL may already have one (Azure's `api-version`). */
function withQuery(path: string, query: string): string {
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

/** The request for a provider's own list of models. */
export function listModelsRequest(
  { provider, key }: Pick<Target, 'provider' | 'key'>,
  path: string,
): UpstreamRequest {
  const own = [...(key?.ownHeaders ?? []), ...provider.headers, ...provider.ownHeaders];
  const headers = ['accept', 'application/json', ...own];
  return { provider, method: 'GET', path, headers, body: { kind: 'none' } };
}

/** The body's patches, and one that replaces the model's id if the provider has another name for it. */
function withModelPatch(
  { modelId }: AdapterCall,
  { scan, patches }: JsonCallBody,
  { upstreamModel }: Target,
): readonly Patch[] {
  const match = upstreamModel === modelId ? undefined : firstMatch(scan, 'model');
  if (match === undefined) return patches;
  const bytes = Buffer.from(JSON.stringify(upstreamModel));
  return [...patches, { start: match.start, end: match.end, bytes }];
}

/** Some servers refuse `encoding_format`, which both OpenAI SDKs send by default. Ask them for floats and encode here. */
function suspectFloatsOnly(
  { endpoint, body }: AdapterCall,
  { status, text }: Refusal,
  quirks: ReadonlySet<Quirk>,
): SuspectedQuirk | null {
  if (!endpoint.hasVectors || body.kind !== 'json' || (status !== 400 && status !== 422)) return null;
  if (quirks.has('floats_only') || !text.includes('encoding_format')) return null;
  if (firstMatch(body.scan, 'encoding_format') === undefined) return null;
  // The refusal may concern this model alone.
  return { quirk: 'floats_only', isGuess: false, isRemembered: false };
}

/** The body with `encoding_format` set to `float`, if the client sent one. */
function withFloatFormat(body: JsonCallBody): JsonCallBody {
  const match = firstMatch(body.scan, 'encoding_format');
  if (match === undefined) return body;
  const patch = { start: match.start, end: match.end, bytes: Buffer.from('"float"') };
  return { ...body, patches: [...body.patches, patch] };
}
