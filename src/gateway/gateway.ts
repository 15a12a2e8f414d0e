import { type CancelSignal, wait } from '../cancellation.ts';
import { HttpError } from '../errors.ts';
import type { BodySource } from '../http/body-source.ts';
import type { AnswerEnd } from '../http/body-transform.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import { conversationDigest } from '../protocols/conversation-start.ts';
import { readError } from '../protocols/upstream-errors.ts';
import type { CompiledProvider, Quirk, Refusal, Target, UpstreamResponse } from '../providers/adapter.ts';
import type { Providers } from '../providers/compile.ts';
import { readBounded } from '../providers/read-bounded.ts';
import type { SendNote, SendOptions, Upstreams } from '../providers/upstream.ts';
import { Answer } from './answer.ts';
import { AttemptPlan, aimOf, type Candidate, type PlannedTarget, type Step } from './attempt-plan.ts';
import type { Call } from './call.ts';
import { Conversations } from './conversations.ts';
import { brokenAnswer, type Failure, responseFailure, thrownFailure } from './failure.ts';
import type { Health } from './health.ts';
import { codeOf } from './record.ts';
import type { BegunAttempt } from './rests.ts';
import { planTargets, withServedFirst } from './routing.ts';
import { beginAttempt, noteResponse, type RunningAttempt, withQuirk } from './running-attempt.ts';
import { shapeAnswer } from './shape-answer.ts';
import { callFor } from './translated-call.ts';

export interface Gateway {
  /**
   * Sends a call to the targets of its model, one after the other, until one answers, and shapes the answer for the client.
   * The gateway owns each provider's response and ends it on every throw. Once the answer is returned, the caller owns it,
   * and settles it when it is sent.
   * @throws HttpError for every failure, with `x-ipin-provider` and `x-ipin-attempts` once a provider was tried; the
   * signal's reason if the client left.
   */
  execute(call: Call): Promise<Answer>;
}

export interface GatewayOptions {
  readonly upstreams: Upstreams;
  readonly providers: Providers;
  readonly health: Health;
  /** The most further attempts of a call after its first. */
  readonly retries: number;
  /** Counts the bytes of responses held in memory. */
  readonly budget: InflightBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** Creates the gateway. */
export function createGateway(options: GatewayOptions): Gateway {
  const conversations = new Conversations(options.now);
  return {
    execute: (call) => new Execution(call, options, conversations).run(),
  };
}

/** One call on its way through its targets. */
class Execution implements SendOptions {
  readonly #call: Call;
  readonly #options: GatewayOptions;
  readonly #conversations: Conversations;
  /** The quirks that providers' refusals of this call have named; null: none has. */
  #quirks: Map<CompiledProvider, Quirk> | null = null;
  /** The digest of the conversation, where somebody must be chosen for it. */
  #digest: string | null = null;

  constructor(call: Call, options: GatewayOptions, conversations: Conversations) {
    this.#call = call;
    this.#options = options;
    this.#conversations = conversations;
  }

  get signal(): CancelSignal {
    return this.#call.signal;
  }

  get consumer(): string {
    return this.#call.consumer;
  }

  get note(): SendNote {
    return this.#call.record;
  }

  async run(): Promise<Answer> {
    const { signal, record } = this.#call;
    try {
      const targets = this.#targets();
      const plan = this.#planFor(targets instanceof Promise ? await targets : targets);
      for (let failure: Failure | null = null; ; ) {
        throwIfGone(signal);
        const step: Step = plan.next();
        if (step.kind === 'wait') {
          await wait(step.ms, signal);
          continue;
        }
        if (step.kind === 'blocked') throw this.#blocked(step);
        if (step.kind === 'end') throw failure?.error ?? new Error('a plan without a candidate');
        const result = await this.#ask(step.candidate);
        if (result instanceof Answer) {
          this.#noteServed(step.candidate);
          return result;
        }
        failure = result;
        plan.noteFailure(step.candidate, failure);
      }
    } catch (error) {
      throw error instanceof HttpError ? error.withHeaders(record.reachedHeaders()) : error;
    }
  }

  #planFor(targets: readonly PlannedTarget[]): AttemptPlan {
    const { health, now, random, retries } = this.#options;
    const attempts = isReadOnce(this.#call.body) ? 1 : 1 + retries;
    return new AttemptPlan({ targets, attempts, health, now, random });
  }

  #noteServed(candidate: Candidate): void {
    this.#call.record.noteFirstByte(this.#options.now());
    if (this.#digest !== null) this.#conversations.remember(this.#digest, aimOf(candidate));
  }

  #targets(): readonly PlannedTarget[] | Promise<readonly PlannedTarget[]> {
    const { providers, health, random } = this.#options;
    const { body } = this.#call;
    const targets = planTargets(this.#call, { providers, health, random });
    return body.kind === 'json' && hasEquals(targets) ? this.#servedFirst(targets, body.bytes) : targets;
  }

  /** The one that served the conversation last comes first. */
  async #servedFirst(targets: readonly PlannedTarget[], body: Buffer): Promise<readonly PlannedTarget[]> {
    const { caller, modelId } = this.#call;
    this.#digest = await conversationDigest(body, `${caller}\n${modelId}`);
    const served = this.#digest === null ? null : this.#conversations.find(this.#digest);
    return served === null ? targets : withServedFirst(targets, served);
  }

  /** Asks one key of one target, and once more if the refusal shows an unknown quirk of the provider. */
  async #ask(candidate: Candidate): Promise<Answer | Failure> {
    const { provider, upstreamModel } = candidate.target;
    const target = { provider, upstreamModel, key: candidate.key };
    this.#call.record.target = candidate.target;
    const learned = this.#quirks?.get(provider);
    const quirks = withQuirk(provider.quirks, learned ?? null);
    const first = await this.#attempt(target, quirks);
    if (first instanceof Answer) return first;
    if (first.refusal === null) return first.failure;
    const asked = { provider, quirks, upstreamModel };
    const suspected = provider.adapter.suspectQuirk(first.call, first.refusal, asked);
    if (suspected === null) return first.failure;
    throwIfGone(this.#call.signal);
    const { quirk, isGuess, isRemembered } = suspected;
    if (!isGuess) {
      this.#quirks ??= new Map();
      this.#quirks.set(provider, quirk);
    }
    const second = await this.#attempt(target, withQuirk(quirks, quirk));
    // A second request that was not answered may have run, whatever the first one was told.
    if (!(second instanceof Answer))
      return isGuess && second.refusal !== null ? first.failure : second.failure;
    if (isRemembered) provider.quirks.add(quirk);
    return second;
  }

  /** Makes one attempt and notes it in the call's record. @throws errors that are this server's own. */
  async #attempt(target: Target, quirks: ReadonlySet<Quirk>): Promise<Answer | FailedAttempt> {
    const { upstreams, health, budget, now } = this.#options;
    const sent = callFor(this.#call, target, { quirks, now });
    const call = sent instanceof Promise ? await sent : sent;
    const request = target.provider.adapter.buildRequest(call, target, quirks);
    const running = beginAttempt({ call, target, quirks }, health);
    try {
      const response = noteResponse(running, await upstreams.send(request, this), now());
      if (response.status >= 400) return await this.#refused(running, response);
      const onEnd = endOf(running.watched, health);
      const answer = await shapeAnswer(call, { target, quirks, response, budget, onEnd });
      this.#noteAnswer(running, answer);
      return answer;
    } catch (error) {
      return this.#thrown(running, error);
    }
  }

  #noteAnswer({ watched, entry }: RunningAttempt, { shaped }: Answer): void {
    const { health, now } = this.#options;
    const isStream = shaped.kind === 'stream';
    health.answered(watched, isStream ? now() - watched.startedAtMs : entry.ms);
    if (!isStream) health.finished(watched);
  }

  /** The failure of an attempt that got an error response. @throws HttpError if that breaks off. */
  async #refused(running: RunningAttempt, response: UpstreamResponse): Promise<FailedAttempt> {
    const { target, watched, entry } = running;
    const { id, secrets } = target.provider;
    const refusal = { status: response.status, text: await readErrorText(response.body) };
    const error = readError(refusal.status, refusal.text, secrets);
    const failure = responseFailure({ ...response, error }, id, this.#options.now());
    entry.result = failure.kind;
    entry.code = codeOf(failure.error);
    this.#options.health.failed(watched, failure);
    return { failure, refusal, call: running.call };
  }

  /** The failure of an attempt that threw an error. @throws the error, if it is this server's own. */
  #thrown({ call, target, watched, entry }: RunningAttempt, error: unknown): FailedAttempt {
    const { health, now } = this.#options;
    const providerId = target.provider.id;
    // A body that ends because the client left looks as if the provider broke it off.
    const failure = this.#call.signal.aborted
      ? null
      : thrownFailure(error, { status: entry.status, providerId, nowMs: now() });
    entry.result = failure?.kind ?? 'dropped';
    entry.code = error instanceof HttpError ? codeOf(error) : null;
    if (entry.status === null) {
      entry.ms = now() - watched.startedAtMs;
      // An overload is refused before anything is sent, so it is not an attempt.
      if (entry.code !== 'server_overloaded') this.#call.record.attempts.push(entry);
    }
    if (failure === null) {
      health.dropped(watched);
      throw error;
    }
    health.failed(watched, failure);
    return { failure, refusal: null, call };
  }

  /** The error of a call for which nobody may be asked. */
  #blocked({ untilMs, error }: Extract<Step, { kind: 'blocked' }>): HttpError {
    const seconds = Math.max(1, Math.ceil((untilMs - this.#options.now()) / 1000));
    return error.withHeaders(['retry-after', String(seconds), 'x-ipin-attempts', '0']);
  }
}

/** Notes how an answer that was passed on ended. */
function endOf(watched: BegunAttempt, health: Health): (end: AnswerEnd) => void {
  return ({ outcome, error }) => {
    if (outcome === 'ok') health.finished(watched);
    else if (outcome === 'broken' && error instanceof HttpError) health.failed(watched, brokenAnswer(error));
    else health.dropped(watched);
  };
}

interface FailedAttempt {
  readonly call: Call;
  readonly failure: Failure;
  /** The provider's error response, if there was one. */
  readonly refusal: Refusal | null;
}

/** The body passes while it arrives, so it cannot be sent again. */
function isReadOnce(body: Call['body']): boolean {
  return body.kind === 'form' ? !body.isHeld : body.kind === 'raw' && body.body !== null;
}

/** Somebody must be chosen among equals: targets that share the load, or several keys of one provider. */
function hasEquals(targets: readonly PlannedTarget[]): boolean {
  return targets[1]?.isShared === true || targets.some(({ keys }) => keys.length > 1);
}

function throwIfGone(signal: CancelSignal): void {
  if (signal.aborted) throw signal.reason;
}

const ERROR_BODY_BYTES = 256 * 1024;

async function readErrorText(body: BodySource): Promise<string> {
  try {
    return (await readBounded(body, ERROR_BODY_BYTES)).bytes.toString('utf8');
  } finally {
    body.destroy();
  }
}
