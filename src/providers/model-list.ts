import type { CancelSignal } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import { isRecord, parseJson } from '../json/value.ts';
import type { Provider } from '../store/entities.ts';
import type { CompiledProvider } from './adapter.ts';
import { requireBaseUrl } from './base-url.ts';
import { type CompileOptions, compileProvider } from './compile.ts';
import { readError } from './error-cleaning.ts';
import { joinUrl } from './join-url.ts';
import { listModelsRequest } from './openai.ts';
import { readBounded } from './read-bounded.ts';
import type { Upstreams } from './upstream.ts';

export interface AskOptions extends CompileOptions {
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
/** Lists are asked for by the admin alone. */
const HOLDER = 'admin';
const TIMEOUT_MS = 20_000;
const ERROR_BYTES = 64 * 1024;
const SAID_CHARS = 500;
/** What `toErrorObject` says of its own: the status is told here anyway. */
const NOT_SAID = /^The provider answered with status \d+(?:: | and no readable error\.$)/;
/** Gemini and xAI answer 400 to a wrong key. */
const ABOUT_KEY = /(?<![a-z])(?:api)?(?:key|token)s?(?![a-z])|credential|authenti|unauthori[sz]ed/i;

interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
}

/**
 * Asks a provider for its models.
 * @throws HttpError as `Upstreams.send`; `upstream_auth_failed`; `upstream_invalid_response` for anything but a list.
 */
export async function fetchModelIds(provider: Provider, options: AskOptions): Promise<string[]> {
  const compiled = compileApart(provider, options);
  const answer = await ask(compiled, compiled.pathOf('models'), options);
  const ids = readList(answer);
  if (ids !== null) return ids;
  const said = whatItSays(compiled, answer);
  const refusal = refusalOf(provider, answer.status, said);
  if (refusal !== null) throw new HttpError('upstream_auth_failed', `${refusal}${said}`);
  throw new HttpError('upstream_invalid_response', `${missingList(answer.status)}${said}`);
}

/**
 * Tests a provider: can it be reached, does it refuse the key, does it list models. Stops at the first failure, and says
 * nothing of the key where the answer tells nothing of it.
 */
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
  let compiled: CompiledProvider;
  let answer: Answer;
  try {
    compiled = compileApart(provider, options);
    answer = await ask(compiled, compiled.pathOf('models'), options);
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
  const ids = readList(answer);
  if (ids !== null) {
    const keyMessage =
      provider.apiKey === null
        ? 'No key is set, and the list was given without one.'
        : 'The list was given. Whether the key works for chats shows at the first one.';
    const message = ids.length === 1 ? '1 model is listed.' : `${ids.length} models are listed.`;
    return [
      connected,
      { name: 'authenticate', ok: true, ms: 0, message: keyMessage },
      { name: 'models', ok: true, ms: elapsed() - connected.ms, message },
    ];
  }
  const said = whatItSays(compiled, answer);
  const refusal = refusalOf(provider, answer.status, said);
  if (refusal !== null)
    return [connected, { name: 'authenticate', ok: false, ms: 0, message: `${refusal}${said}` }];
  const otherMode = answer.status === 404 ? await findOtherMode(compiled, options) : null;
  const message = otherMode ?? `${missingList(answer.status)}${said}`;
  return [connected, { name: 'models', ok: false, ms: elapsed() - connected.ms, message }];
}

/** Why the key is at fault, or null where neither the status nor the provider speaks of it. */
function refusalOf(provider: Provider, status: number, said: string): string | null {
  if (status === 401 || ((status === 400 || status === 403) && ABOUT_KEY.test(said))) {
    return provider.apiKey === null
      ? `The provider asks for an API key (status ${status}). Enter one.`
      : `The provider refuses the API key (status ${status}). Enter the right one.`;
  }
  if (status !== 403) return null;
  return 'The provider refuses access (status 403). The API key may be wrong, or this server may be blocked.';
}

function missingList(status: number): string {
  if (status === 429) return 'The provider is busy (status 429). Try again later.';
  if (status === 200)
    return 'The provider lists no models: its answer is something else. Check the base URL.';
  return `The provider lists no models (status ${status}). It may serve requests all the same.`;
}

/** The provider's own sentence, to be put behind ours; empty where it gives none. */
function whatItSays({ secrets }: CompiledProvider, { status, bytes }: Answer): string {
  const { message } = readError(status, bytes.subarray(0, ERROR_BYTES).toString(), secrets);
  const said = message.replace(NOT_SAID, '').slice(0, SAID_CHARS).trim();
  return said === '' ? '' : ` It says: ${said}`;
}

/** On a 404 the other way of joining base URL and path is tried, and named if it is the right one. */
async function findOtherMode(provider: CompiledProvider, options: AskOptions): Promise<string | null> {
  const base = requireBaseUrl(provider.record);
  for (const mode of ['exact', 'append-v1'] as const) {
    const url = joinUrl(base, 'models', mode);
    const path = `${url.pathname}${url.search}`;
    if (path === provider.pathOf('models')) continue;
    const other = await ask(provider, path, options).catch(() => null);
    if (other !== null && readList(other) !== null) {
      return `Not found here, but found with the path mode "${mode}". Set it in the provider's options.`;
    }
  }
  return null;
}

async function ask(provider: CompiledProvider, path: string, options: AskOptions): Promise<Answer> {
  const response = await options.upstreams.send(listModelsRequest(provider, path), options.signal, HOLDER);
  const { whole, bytes } = await readBounded(response.body, LIMIT_BYTES);
  if (!whole) response.body.destroy();
  return { status: response.status, bytes };
}

/** A provider with connections apart from those of the calls, which have shorter timeouts: a person waits. */
function compileApart(provider: Provider, options: AskOptions): CompiledProvider {
  const mostMs = options.timeoutMs ?? TIMEOUT_MS;
  const { headersTimeoutMs = mostMs, idleTimeoutMs = mostMs } = provider.options;
  const timeouts = {
    headersTimeoutMs: Math.min(headersTimeoutMs, mostMs),
    idleTimeoutMs: Math.min(idleTimeoutMs, mostMs),
  };
  return compileProvider({ ...provider, options: { ...provider.options, ...timeouts } }, options);
}

function readList({ status, bytes }: Answer): string[] | null {
  return status === 200 ? readModelIds(parseJson(bytes)) : null;
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
