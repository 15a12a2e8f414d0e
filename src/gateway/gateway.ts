import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import type { AdapterCall, ProviderAdapter } from '../providers/adapter.ts';
import { readBounded } from '../providers/read-bounded.ts';
import { adapterFor } from '../providers/registry.ts';
import type { Upstreams } from '../providers/upstream.ts';
import { type ShapedAnswer, shapeAnswer, translateAnswer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Target } from './routing.ts';
import { type GatewayAnswer, reachedHeaders, upstreamError } from './upstream-answer.ts';

/** What a client asks of a model: everything an adapter needs but the target. */
export interface GatewayCall extends Omit<AdapterCall, 'provider' | 'upstreamModel' | 'path'> {
  readonly target: Target;
  readonly endpoint: Endpoint;
  /** The client asked for an event stream, and for the usage at its end. */
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Embeddings: in which form the client wants the vectors. */
  readonly encodingFormat?: 'float' | 'base64';
  readonly signal: AbortSignal;
}

export interface Gateway {
  /**
   * Sends a call to its target and shapes the answer for the client.
   * @throws HttpError for everything that is no success, with `x-ipin-provider` and `x-ipin-attempts` once an upstream
   * was tried; the signal's reason when the client went away.
   */
  execute(call: GatewayCall): Promise<ShapedAnswer>;
}

const ERROR_BODY_BYTES = 256 * 1024;

export function createGateway(upstreams: Upstreams): Gateway {
  return {
    async execute(call) {
      const adapter = adapterFor(call.target.provider);
      const adapterCall = { ...call, ...call.target, path: call.endpoint.path };
      try {
        const context = { upstreams, adapter, signal: call.signal, target: call.target };
        const answer = await attempt(context, adapterCall);
        const translate = adapter.translator(adapterCall);
        return translate === null
          ? await shapeAnswer(answer, call)
          : await translateAnswer(answer, translate);
      } catch (error) {
        if (!(error instanceof HttpError) || error.headers['x-ipin-attempts'] !== undefined) throw error;
        throw error.withHeaders(reachedHeaders(call.target, 1));
      }
    },
  };
}

interface AttemptContext {
  readonly upstreams: Upstreams;
  readonly adapter: ProviderAdapter;
  readonly signal: AbortSignal;
  readonly target: Target;
}

async function attempt(context: AttemptContext, call: AdapterCall, attempts = 1): Promise<GatewayAnswer> {
  const { upstreams, adapter, signal, target } = context;
  const response = await upstreams.send(adapter.buildRequest(call), signal);
  if (response.status < 400) return { ...response, target, attempts };
  const text = await readErrorText(response.body);
  const amended = attempts === 1 ? adapter.amend(call, response.status, text) : null;
  if (amended !== null) return attempt(context, amended, attempts + 1);
  throw upstreamError(response, text, target).withHeaders(reachedHeaders(target, attempts));
}

async function readErrorText(body: Readable): Promise<string> {
  const read = await readBounded(body, ERROR_BODY_BYTES);
  if (!read.whole) body.destroy();
  return read.bytes.toString('utf8');
}
