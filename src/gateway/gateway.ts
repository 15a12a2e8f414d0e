import type { Readable } from 'node:stream';
import type { CancelSignal } from '../cancellation.ts';
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
  readonly signal: CancelSignal;
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
      const { target } = call;
      const answer = await attempt({ upstreams, adapter, signal: call.signal, target }, adapterCall);
      const translate = adapter.translator(adapterCall);
      const shaped = translate === null ? shapeAnswer(answer, call) : translateAnswer(answer, translate);
      return shaped.catch((error: unknown) => {
        throw reached(error, target, answer.attempts);
      });
    },
  };
}

interface AttemptContext {
  readonly upstreams: Upstreams;
  readonly adapter: ProviderAdapter;
  readonly signal: CancelSignal;
  readonly target: Target;
}

async function attempt(context: AttemptContext, call: AdapterCall, attempts = 1): Promise<GatewayAnswer> {
  const { upstreams, adapter, signal, target } = context;
  const request = adapter.buildRequest(call);
  try {
    const response = await upstreams.send(request, signal);
    if (response.status < 400) return { ...response, target, attempts };
    const text = await readErrorText(response.body);
    const amended = attempts === 1 ? adapter.amend(call, response.status, text) : null;
    if (amended === null) throw upstreamError(response, text, target);
    call = amended;
  } catch (error) {
    throw reached(error, target, attempts);
  }
  return attempt(context, call, attempts + 1);
}

/** An error of which the client is told where it came from. */
function reached(error: unknown, target: Target, attempts: number): unknown {
  return error instanceof HttpError ? error.withHeaders(reachedHeaders(target, attempts)) : error;
}

async function readErrorText(body: Readable): Promise<string> {
  const read = await readBounded(body, ERROR_BODY_BYTES);
  if (!read.whole) body.destroy();
  return read.bytes.toString('utf8');
}
