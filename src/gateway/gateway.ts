import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { Quirk, Refusal, Target, UpstreamResponse } from '../providers/adapter.ts';
import type { Providers } from '../providers/compile.ts';
import { readBounded } from '../providers/read-bounded.ts';
import { addsUsage } from '../providers/stream-usage.ts';
import type { Upstreams } from '../providers/upstream.ts';
import { Answer, renderResponse, shapeResponse } from './answer.ts';
import type { Call } from './call.ts';
import { upstreamError } from './failure.ts';
import { codeOf } from './record.ts';
import { routeOf } from './routing.ts';

export interface Gateway {
  /**
   * Sends a call to its model's provider and shapes the answer for the client. The gateway owns the provider's response
   * and ends it on every throw. Once the answer is returned, the caller owns it, and settles it when it is sent.
   * @throws HttpError for every failure, with `x-ipin-provider` and `x-ipin-attempts` once a provider was tried; the
   * signal's reason if the client left.
   */
  execute(call: Call): Promise<Answer>;
}

export interface GatewayOptions {
  readonly upstreams: Upstreams;
  readonly providers: Providers;
  /** Counts the bytes of responses held in memory. */
  readonly budget: InflightBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Creates the gateway. */
export function createGateway(options: GatewayOptions): Gateway {
  return {
    async execute(call) {
      const { provider, upstreamModel } = routeOf(call.view, call.modelId);
      call.record.providerId = provider.id;
      try {
        const target = { provider: options.providers.of(provider), upstreamModel };
        return await shape(call, await send(call, target, options), options.budget);
      } catch (error) {
        throw error instanceof HttpError ? error.withHeaders(call.record.reachedHeaders()) : error;
      }
    },
  };
}

interface TargetResponse {
  readonly target: Target;
  readonly response: UpstreamResponse;
  /** The quirks that the request respected. */
  readonly quirks: ReadonlySet<Quirk>;
}

async function shape(
  call: Call,
  { target, response, quirks }: TargetResponse,
  budget: InflightBudget,
): Promise<Answer> {
  const lease = budget.open(call.consumer);
  try {
    const render = target.provider.adapter.renderFor(call);
    const { status, headers, body } = response;
    const hidesUsage = addsUsage(call, { provider: target.provider, quirks });
    const reachedHeaders = call.record.reachedHeaders();
    const held = { status, headers, body, target, reachedHeaders, lease, hidesUsage };
    const shaped = render === null ? await shapeResponse(held, call) : await renderResponse(held, render);
    return new Answer(shaped, lease, call.record);
  } catch (error) {
    response.body.destroy();
    lease.release();
    throw error;
  }
}

const ERROR_BODY_BYTES = 256 * 1024;

/** An error response, and the error that the client gets for it. */
interface Refused extends Refusal {
  readonly error: HttpError;
}

/**
 * Sends a call to its target, and a second time if the refusal shows an unknown quirk of the provider. The caller owns the
 * body of the returned response.
 * @throws HttpError for every response that is not a success, and as `Upstreams.send`.
 */
async function send(call: Call, target: Target, options: GatewayOptions): Promise<TargetResponse> {
  const { provider } = target;
  const { adapter } = provider;
  // Other calls may add to the provider's own set meanwhile.
  const quirks = new Set(provider.quirks);
  const first = await attempt(call, { target, quirks }, options);
  if (!('error' in first)) return { target, response: first, quirks };
  const suspected = adapter.suspectQuirk(call, first, { provider, quirks });
  if (suspected === null) throw first.error;
  const { quirk, isGuess, isRemembered } = suspected;
  const respected = new Set(quirks).add(quirk);
  const second = await attempt(call, { target, quirks: respected }, options);
  if ('error' in second) throw isGuess ? first.error : second.error;
  if (isRemembered) provider.quirks.add(quirk);
  return { target, response: second, quirks: respected };
}

interface AttemptAim {
  readonly target: Target;
  /** The quirks to respect. */
  readonly quirks: ReadonlySet<Quirk>;
}

/** Makes one attempt and notes it in the call's record. @throws HttpError as `Upstreams.send`, and if an error body breaks off. */
async function attempt(
  call: Call,
  { target, quirks }: AttemptAim,
  { upstreams, now }: GatewayOptions,
): Promise<UpstreamResponse | Refused> {
  const { provider, upstreamModel } = target;
  const request = provider.adapter.buildRequest(call, target, quirks);
  const sentAtMs = now();
  let status: number | null = null;
  let ms = 0;
  const note = (code: string | null): void => {
    call.record.attempts.push({ providerId: provider.id, upstreamModel, status, code, ms });
  };
  try {
    const response = await upstreams.send(request, call.signal, call.consumer);
    status = response.status;
    ms = now() - sentAtMs;
    if (status < 400) {
      note(null);
      return response;
    }
    const text = await readErrorText(response.body);
    const error = upstreamError(response, text, provider);
    note(codeOf(error));
    return { status, text, error };
  } catch (error) {
    if (status === null) ms = now() - sentAtMs;
    const code = error instanceof HttpError ? codeOf(error) : null;
    // An overload is refused before anything is sent, so it is not an attempt.
    if (code !== 'server_overloaded') note(code);
    throw error;
  }
}

async function readErrorText(body: Readable): Promise<string> {
  try {
    return (await readBounded(body, ERROR_BODY_BYTES)).bytes.toString('utf8');
  } finally {
    body.destroy();
  }
}
