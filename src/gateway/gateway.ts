import type { Readable } from 'node:stream';
import type { CancelSignal } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { AdapterCall, Amendment, ProviderAdapter, TranslatedAnswer } from '../providers/adapter.ts';
import { readBounded } from '../providers/read-bounded.ts';
import { adapterFor } from '../providers/registry.ts';
import type { Upstreams } from '../providers/upstream.ts';
import { type ShapedAnswer, shapeAnswer, translateAnswer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Target } from './routing.ts';
import { type GatewayAnswer, reachedHeaders, upstreamError } from './upstream-answer.ts';

/** What a client asks of a model, and of whom: an adapter's call, and what the answer must be shaped by. */
export interface GatewayCall extends AdapterCall {
  readonly endpoint: Endpoint;
  /** The client asked for an event stream, and for the usage at its end. */
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Embeddings: in which form the client wants the vectors. Null for all else. */
  readonly encodingFormat: 'float' | 'base64' | null;
  /** Makes the client's answer from the provider's JSON; null: the provider's answer passes. */
  readonly render: ((answer: Buffer) => TranslatedAnswer) | null;
  readonly signal: CancelSignal;
}

export interface Gateway {
  /**
   * Sends a call to its target and shapes the answer for the client. Until it resolves it owns the upstream's body, and
   * ends it on every throw; then the caller does.
   * @throws HttpError for everything that is no success, with `x-ipin-provider` and `x-ipin-attempts` once an upstream
   * was tried; the signal's reason when the client went away.
   */
  execute(call: GatewayCall): Promise<ShapedAnswer>;
}

const ERROR_BODY_BYTES = 256 * 1024;

/**
 * Makes the gateway; a call is tried a second time only in a form that its adapter amends. Answers that are held count
 * against the budget.
 */
export function createGateway(upstreams: Upstreams, budget: InflightBudget): Gateway {
  return {
    async execute(call) {
      const adapter = adapterFor(call.provider);
      // Not the call itself: an answer that streams for minutes would hold on to the request's body.
      const target = { provider: call.provider, upstreamModel: call.upstreamModel };
      const answer = await attempt({ upstreams, adapter, signal: call.signal, target }, call);
      const lease = budget.open(call.holder);
      try {
        const translate = adapter.translator(call);
        // Written out: a spread costs V8 more than all the rest here.
        const { status, headers, body, attempts } = answer;
        const held = { status, headers, body, target, attempts, lease };
        return await (translate === null ? shapeAnswer(held, call) : translateAnswer(held, translate));
      } catch (error) {
        answer.body.destroy();
        lease.release();
        throw reached(error, target, answer.attempts);
      }
    },
  };
}

interface AttemptContext {
  readonly upstreams: Upstreams;
  readonly adapter: ProviderAdapter;
  readonly signal: CancelSignal;
  readonly target: Target;
}

/** The second attempt, and the error for which it is made. */
interface Second {
  readonly amendment: Amendment;
  readonly firstError: HttpError;
}

async function attempt(
  context: AttemptContext,
  call: AdapterCall,
  second: Second | null = null,
): Promise<GatewayAnswer> {
  const { upstreams, adapter, signal, target } = context;
  const attempts = second === null ? 1 : 2;
  const request = adapter.buildRequest(call);
  let next: Second;
  try {
    const { status, headers, body } = await upstreams.send(request, signal, call.holder);
    if (status < 400) {
      second?.amendment.onProven?.();
      return { status, headers, body, target, attempts };
    }
    const text = await readErrorText(body);
    const error = upstreamError({ status, headers, body }, text, target);
    if (second !== null) throw second.amendment.onProven === null ? error : second.firstError;
    const amendment = adapter.amend(call, status, text);
    if (amendment === null) throw error;
    next = { amendment, firstError: error };
  } catch (error) {
    // Refused before anything was sent.
    if (error instanceof HttpError && error.error.code === 'server_overloaded') throw error;
    throw reached(error, target, attempts);
  }
  return attempt(context, next.amendment.call, next);
}

/** An error of which the client is told where it came from. */
function reached(error: unknown, target: Target, attempts: number): unknown {
  return error instanceof HttpError ? error.withHeaders(reachedHeaders(target, attempts)) : error;
}

async function readErrorText(body: Readable): Promise<string> {
  try {
    return (await readBounded(body, ERROR_BODY_BYTES)).bytes.toString('utf8');
  } finally {
    body.destroy();
  }
}
