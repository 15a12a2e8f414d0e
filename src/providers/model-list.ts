import type { CancelSignal } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import { parseJson } from '../json/value.ts';
import { readError } from '../protocols/upstream-errors.ts';
import type { Provider } from '../store/entities.ts';
import type { CompiledProvider, Target } from './adapter.ts';
import { requireBaseUrl } from './base-url.ts';
import { compileProvider } from './compile.ts';
import type { ConnectionOptions } from './connection.ts';
import { joinUrl } from './join-url.ts';
import { type ListedModel, readListedModels } from './listed-models.ts';
import { listModelsRequest } from './openai.ts';
import { readBounded } from './read-bounded.ts';
import type { Upstreams } from './upstream.ts';
import { firstKeyOf, noUsableKey } from './usable-key.ts';

export interface ModelListOptions extends ConnectionOptions {
  readonly upstreams: Upstreams;
  readonly signal: CancelSignal;
  /** The longest wait for a response; 20 s if absent. Shorter timeouts of the provider still apply. */
  readonly timeoutMs?: number;
}

/** One step of a provider's test; `ms` is its duration. */
export interface ModelListStep {
  readonly name: 'connect' | 'authenticate' | 'models';
  readonly ok: boolean;
  readonly ms: number;
  readonly message: string;
}

const LIMIT_BYTES = 16 * 1024 * 1024;
/** Only the admin requests lists. */
const CONSUMER = 'admin';
const TIMEOUT_MS = 20_000;
const ERROR_BYTES = 64 * 1024;
const SAID_LENGTH = 500;
/** Gemini and xAI respond to a wrong key with status 400. */
const ABOUT_KEY = /(?<![a-z])(?:api)?(?:key|token)s?(?![a-z])|credential|authenti|unauthori[sz]ed/i;

/** The provider that is asked, and the key that it is asked with. */
type Asked = Pick<Target, 'provider' | 'key'>;

/** The models, or why there are none: `key` says that the provider's key is at fault. */
type ListResult =
  | { readonly kind: 'list'; readonly models: readonly ListedModel[] }
  | { readonly kind: 'key' | 'no list'; readonly status: number; readonly message: string };

/**
 * Fetches a provider's models, with the prices that it tells.
 * @throws HttpError as `Upstreams.send`; `upstream_auth_failed`; `upstream_invalid_response` for anything but a list.
 */
export async function fetchListedModels(
  provider: Provider,
  options: ModelListOptions,
): Promise<readonly ListedModel[]> {
  const compiled = compileSeparately(provider, options);
  const asked = { provider: compiled, key: firstKeyOf(compiled) };
  const result = await requestList(asked, compiled.pathOf('models'), options);
  if (result.kind === 'list') return result.models;
  const code = result.kind === 'key' ? 'upstream_auth_failed' : 'upstream_invalid_response';
  throw new HttpError(code, result.message);
}

/** What a test shows about a provider. */
export interface ProbeEvidence {
  /** The key that was sent; null: none. */
  readonly keyId: string | null;
  /** How long the provider took to respond, or to fail. */
  readonly ms: number;
  /** null: the provider works. Its status is null if there was no response. */
  readonly error: {
    readonly status: number | null;
    readonly code: string | null;
    readonly message: string;
  } | null;
}

/** The steps of a provider's test, and what they show; null: nothing. */
export interface Probe {
  readonly steps: readonly ModelListStep[];
  readonly evidence: ProbeEvidence | null;
}

/**
 * Tests a provider: can it be reached, does it accept the key, does it list models. Stops at the first failure. There is no
 * `authenticate` step if the response says nothing about the key.
 */
export async function probeProvider(
  provider: Provider,
  options: ModelListOptions & { readonly now: () => number },
): Promise<Probe> {
  const started = options.now();
  const elapsed = (): number => options.now() - started;
  let asked: Asked | null = null;
  let result: ListResult;
  try {
    const compiled = compileSeparately(provider, options);
    const [key = null] = compiled.keys;
    if (key === null && compiled.hasKeys) {
      const { message } = noUsableKey(provider);
      return { steps: [{ name: 'authenticate', ok: false, ms: 0, message }], evidence: null };
    }
    asked = { provider: compiled, key };
    result = await requestList(asked, compiled.pathOf('models'), options);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const step: ModelListStep = { name: 'connect', ok: false, ms: elapsed(), message: error.message };
    return { steps: [step], evidence: asked === null ? null : faultOf(asked, error, step.ms) };
  }
  const ms = elapsed();
  const evidence = evidenceOf(asked, result, ms);
  const connected: ModelListStep = { name: 'connect', ok: true, ms, message: 'The provider answers.' };
  const otherMode =
    result.kind === 'no list' && result.status === 404 ? await findOtherMode(asked, options) : null;
  return { steps: [connected, ...stepsOf(asked, result, { otherMode, ms: elapsed() - ms })], evidence };
}

/** The steps after the first. `ms` is the time that they took. */
function stepsOf(
  asked: Asked,
  result: ListResult,
  { otherMode, ms }: { readonly otherMode: string | null; readonly ms: number },
): ModelListStep[] {
  if (result.kind === 'list') {
    const { length } = result.models;
    const message = length === 1 ? '1 model is listed.' : `${length} models are listed.`;
    return [
      { name: 'authenticate', ok: true, ms: 0, message: acceptanceMessage(asked) },
      { name: 'models', ok: true, ms, message },
    ];
  }
  if (result.kind === 'key') return [{ name: 'authenticate', ok: false, ms: 0, message: result.message }];
  return [{ name: 'models', ok: false, ms, message: otherMode ?? result.message }];
}

/** A provider that lists no models may still serve requests; one that is busy or broken does not. */
function evidenceOf({ key }: Asked, result: ListResult, ms: number): ProbeEvidence | null {
  const keyId = key?.id ?? null;
  if (result.kind === 'list') return { keyId, ms, error: null };
  const { status, message } = result;
  if (result.kind === 'key') return { keyId, ms, error: { status, code: 'upstream_auth_failed', message } };
  return status === 429 || status >= 500 ? { keyId, ms, error: { status, code: null, message } } : null;
}

/** An overload of this server says nothing about the provider. */
function faultOf({ key }: Asked, { error, message }: HttpError, ms: number): ProbeEvidence | null {
  const { code } = error;
  if (code === 'server_overloaded') return null;
  return { keyId: key?.id ?? null, ms, error: { status: null, code, message } };
}

function acceptanceMessage({ key }: Asked): string {
  return key === null
    ? 'No key is set, and the provider lists its models without one.'
    : 'The provider lists its models. The first chat will show whether the key works for chats.';
}

/** Why the key is at fault; null if neither the status nor the provider's message mentions it. */
function keyProblem({ key }: Asked, status: number, said: string): string | null {
  if (status === 401 || ((status === 400 || status === 403) && ABOUT_KEY.test(said))) {
    return key === null
      ? `The provider asks for an API key (status ${status}). Enter one.`
      : `The provider refuses the API key (status ${status}). Enter the right one.`;
  }
  if (status !== 403) return null;
  return 'The provider refuses access (status 403). The API key may be wrong, or this server may be blocked.';
}

function noListMessage(status: number): string {
  if (status === 429) return 'The provider is busy (status 429). Try again later.';
  if (status === 200) return 'The provider lists no models: its response is not a list. Check the base URL.';
  return `The provider lists no models (status ${status}). It may still serve requests.`;
}

/** The provider's own message, to append to ours, which states the status; empty if there is none. */
function providerMessage(bytes: Buffer, secrets: readonly string[]): string {
  const { message } = readError(null, bytes.subarray(0, ERROR_BYTES).toString(), secrets);
  const said = message.slice(0, SAID_LENGTH).trim();
  return said === '' ? '' : ` It says: ${said}`;
}

/** After a 404: tries the other path modes; returns a message that names the mode that works, or null. */
async function findOtherMode(asked: Asked, options: ModelListOptions): Promise<string | null> {
  const { provider } = asked;
  const base = requireBaseUrl(provider.record);
  for (const mode of ['exact', 'append-v1'] as const) {
    const url = joinUrl(base, 'models', mode);
    const path = `${url.pathname}${url.search}`;
    if (path === provider.pathOf('models')) continue;
    const other = await requestList(asked, path, options).catch(() => null);
    if (other?.kind === 'list') {
      return `Not found here, but found with the path mode "${mode}". Set it in the provider's options.`;
    }
  }
  return null;
}

async function requestList(asked: Asked, path: string, options: ModelListOptions): Promise<ListResult> {
  const request = listModelsRequest(asked, path);
  const { status, body } = await options.upstreams.send(request, {
    signal: options.signal,
    consumer: CONSUMER,
  });
  const { isWhole, bytes } = await readBounded(body, LIMIT_BYTES);
  if (!isWhole) body.destroy();
  const { hostname } = asked.provider.connection;
  const models = status === 200 ? readListedModels(parseJson(bytes), hostname) : null;
  if (models !== null) return { kind: 'list', models };
  const said = providerMessage(bytes, asked.provider.secrets);
  const refusal = keyProblem(asked, status, said);
  return refusal === null
    ? { kind: 'no list', status, message: `${noListMessage(status)}${said}` }
    : { kind: 'key', status, message: `${refusal}${said}` };
}

/** Compiles a provider with its own connections and shorter timeouts, because a person waits. */
function compileSeparately(provider: Provider, options: ModelListOptions): CompiledProvider {
  const mostMs = options.timeoutMs ?? TIMEOUT_MS;
  const { headersTimeoutMs = mostMs, idleTimeoutMs = mostMs } = provider.options;
  const timeouts = {
    headersTimeoutMs: Math.min(headersTimeoutMs, mostMs),
    idleTimeoutMs: Math.min(idleTimeoutMs, mostMs),
  };
  return compileProvider({ ...provider, options: { ...provider.options, ...timeouts } }, options);
}
