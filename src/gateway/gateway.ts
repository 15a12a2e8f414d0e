import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import type { Quirk, SuspectedQuirk, Target, UpstreamResponse } from '../providers/adapter.ts';
import type { Providers } from '../providers/compile.ts';
import { readBounded } from '../providers/read-bounded.ts';
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
        const response = await attempt(call, target, options);
        return await shape(call, { target, response }, options.budget);
      } catch (error) {
        throw error instanceof HttpError ? error.withHeaders(call.record.reachedHeaders()) : error;
      }
    },
  };
}

interface TargetResponse {
  readonly target: Target;
  readonly response: UpstreamResponse;
}

async function shape(
  call: Call,
  { target, response }: TargetResponse,
  budget: InflightBudget,
): Promise<Answer> {
  const lease = budget.open(call.consumer);
  try {
    const render = target.provider.adapter.renderFor(call);
    const { status, headers, body } = response;
    const held = { status, headers, body, target, reachedHeaders: call.record.reachedHeaders(), lease };
    const shaped = render === null ? await shapeResponse(held, call) : await renderResponse(held, render);
    return new Answer(shaped, lease, call.record);
  } catch (error) {
    response.body.destroy();
    lease.release();
    throw error;
  }
}

/** Why a call is sent to the same provider once more. */
interface Retry {
  readonly suspected: SuspectedQuirk;
  /** The error of the first attempt. */
  readonly firstError: HttpError;
}

const ERROR_BODY_BYTES = 256 * 1024;

/**
 * Sends a call to its target, and a second time if the refusal shows an unknown quirk of the provider. Notes every attempt
 * in the call's record. The caller owns the body of the returned response.
 * @throws HttpError for every response that is not a success, and as `Upstreams.send`.
 */
async function attempt(
  call: Call,
  target: Target,
  options: GatewayOptions,
  retry: Retry | null = null,
): Promise<UpstreamResponse> {
  const { provider } = target;
  const quirks = retry === null ? provider.quirks : new Set(provider.quirks).add(retry.suspected.quirk);
  const request = provider.adapter.buildRequest(call, target, quirks);
  const startedAtMs = options.now();
  const note = (status: number | null, code: string | null): void => {
    const ms = options.now() - startedAtMs;
    call.record.attempts.push({
      providerId: provider.id,
      upstreamModel: target.upstreamModel,
      status,
      code,
      ms,
    });
  };
  let response: UpstreamResponse;
  try {
    response = await options.upstreams.send(request, call.signal, call.consumer);
  } catch (error) {
    const code = error instanceof HttpError ? codeOf(error) : null;
    // An overload is refused before anything is sent, so it is not an attempt.
    if (code !== 'server_overloaded') note(null, code);
    throw error;
  }
  if (response.status < 400) {
    note(response.status, null);
    // Only a guessed quirk is kept. A refusal that names a field may concern this model alone.
    if (retry?.suspected.isGuess === true) provider.quirks.add(retry.suspected.quirk);
    return response;
  }
  const next = await refused(call, target, { response, quirks, retry, note });
  return attempt(call, target, options, next);
}

interface RefusedAttempt {
  readonly response: UpstreamResponse;
  readonly quirks: ReadonlySet<Quirk>;
  readonly retry: Retry | null;
  readonly note: (status: number, code: string | null) => void;
}

/** Returns the reason to try a refused call once more. @throws HttpError, for the client, if there is none. */
async function refused(call: Call, { provider }: Target, attempted: RefusedAttempt): Promise<Retry> {
  const { response, quirks, retry, note } = attempted;
  const { status } = response;
  const text = await readErrorText(response.body).catch((error: unknown) => {
    note(status, error instanceof HttpError ? codeOf(error) : null);
    throw error;
  });
  const error = upstreamError(response, text, provider);
  note(status, codeOf(error));
  if (retry !== null) throw retry.suspected.isGuess ? retry.firstError : error;
  const suspected = provider.adapter.suspectQuirk(call, { status, text }, quirks);
  if (suspected === null) throw error;
  return { suspected, firstError: error };
}

async function readErrorText(body: Readable): Promise<string> {
  try {
    return (await readBounded(body, ERROR_BODY_BYTES)).bytes.toString('utf8');
  } finally {
    body.destroy();
  }
}
