import type { CancelSignal } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../http/json-value.ts';
import type { Provider } from '../store/entities.ts';
import { joinUrl, parseBaseUrl } from './base-url.ts';
import { endpointPath, listModelsRequest } from './openai.ts';
import { readBounded } from './read-bounded.ts';
import type { Upstreams } from './upstream.ts';

export interface AskOptions {
  readonly upstreams: Upstreams;
  readonly signal: CancelSignal;
  /** How long a person waits for an answer at most; 20 s if absent. The provider's own timeouts hold where they are shorter. */
  readonly timeoutMs?: number;
}

/** One step of a provider's test; `ms` is how long it took. */
export interface ModelListStep {
  readonly name: 'connect' | 'authenticate' | 'models';
  readonly ok: boolean;
  readonly ms: number;
  readonly message: string;
}

const LIMIT_BYTES = 16 * 1024 * 1024;
const MODELS_LIMIT = 20_000;
const TIMEOUT_MS = 20_000;

/**
 * Asks a provider for its models.
 * @throws HttpError as `Upstreams.send`; `upstream_auth_failed`; `upstream_invalid_response` for anything but a list.
 */
export async function fetchModelIds(provider: Provider, options: AskOptions): Promise<string[]> {
  const { status, bytes } = await ask(provider, endpointPath(provider, 'models'), options);
  if (status === 401 || status === 403) {
    throw new HttpError(
      'upstream_auth_failed',
      `The provider refuses its API key (${status}). Enter the right one.`,
    );
  }
  const ids = status === 200 ? readModelIds(parseJson(bytes)) : null;
  if (ids !== null) return ids;
  throw new HttpError('upstream_invalid_response', `The provider lists no models (status ${status}).`);
}

/** Tests a provider: can it be reached, does it take the key, does it list models. Stops at the first failure. */
export async function probeProvider(
  provider: Provider,
  options: AskOptions & { readonly now: () => number },
): Promise<ModelListStep[]> {
  if (provider.unreadableApiKey !== null) {
    const message =
      'The stored key cannot be decrypted. Set the right ENCRYPTION_KEY, or enter the key again.';
    return [{ name: 'authenticate', ok: false, ms: 0, message }];
  }
  const started = options.now();
  const elapsed = (): number => options.now() - started;
  let answer: Awaited<ReturnType<typeof ask>>;
  try {
    answer = await ask(provider, endpointPath(provider, 'models'), options);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return [{ name: 'connect', ok: false, ms: elapsed(), message: error.message }];
  }
  const connected: ModelListStep = {
    name: 'connect',
    ok: true,
    ms: elapsed(),
    message: 'The provider answers.',
  };
  if (answer.status === 401 || answer.status === 403) {
    const message = `The provider refuses the API key (status ${answer.status}).`;
    return [connected, { name: 'authenticate', ok: false, ms: 0, message }];
  }
  const keyMessage =
    provider.apiKey === null ? 'No key is set, and none was asked for.' : 'The key is accepted.';
  const authenticated: ModelListStep = { name: 'authenticate', ok: true, ms: 0, message: keyMessage };
  const ids = answer.status === 200 ? readModelIds(parseJson(answer.bytes)) : null;
  const message =
    ids === null ? await explain(provider, answer.status, options) : `${ids.length} models are listed.`;
  return [
    connected,
    authenticated,
    { name: 'models', ok: ids !== null, ms: elapsed() - connected.ms, message },
  ];
}

/** On a 404 the other way of joining base URL and path is tried, and named if it is the right one. */
async function explain(provider: Provider, status: number, options: AskOptions): Promise<string> {
  const base = parseBaseUrl(provider.baseUrl);
  if (status === 404 && base !== null) {
    for (const mode of ['exact', 'append-v1'] as const) {
      const url = joinUrl(base, 'models', mode);
      const path = `${url.pathname}${url.search}`;
      if (path === endpointPath(provider, 'models')) continue;
      const other = await ask(provider, path, options).catch(() => null);
      if (other?.status === 200 && readModelIds(parseJson(other.bytes)) !== null) {
        return `Not found here, but found with the path mode "${mode}". Set it in the provider's options.`;
      }
    }
  }
  return `The provider lists no models (status ${status}). It may serve requests all the same.`;
}

async function ask(
  provider: Provider,
  path: string,
  options: AskOptions,
): Promise<{ status: number; bytes: Buffer }> {
  const impatient = withTimeouts(provider, options.timeoutMs ?? TIMEOUT_MS);
  const response = await options.upstreams.send(listModelsRequest(impatient, path), options.signal);
  const { whole, bytes } = await readBounded(response.body, LIMIT_BYTES);
  if (!whole) response.body.destroy();
  return { status: response.status, bytes };
}

/** Another object than the one that calls use, and so with a connection of its own. */
function withTimeouts(provider: Provider, mostMs: number): Provider {
  const { headersTimeoutMs = mostMs, idleTimeoutMs = mostMs } = provider.options;
  const options = {
    ...provider.options,
    headersTimeoutMs: Math.min(headersTimeoutMs, mostMs),
    idleTimeoutMs: Math.min(idleTimeoutMs, mostMs),
  };
  return { ...provider, options };
}

/** OpenAI's `data`, a bare array (Together), or `models` (Ollama, Gemini); ids may be called `id`, `model` or `name`. */
function readModelIds(value: unknown): string[] | null {
  const list = isRecord(value) ? (value['data'] ?? value['models']) : value;
  if (!Array.isArray(list)) return null;
  const ids = list.flatMap((item: unknown) => {
    const id = isRecord(item) ? (item['id'] ?? item['model'] ?? item['name']) : item;
    return typeof id === 'string' && id !== '' && id.length <= 512 ? [id] : [];
  });
  return [...new Set(ids)].slice(0, MODELS_LIMIT);
}
