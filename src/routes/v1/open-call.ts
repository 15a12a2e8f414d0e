import { callerOf, consumerOf } from '../../auth/consumer.ts';
import type { DialectName } from '../../dialects/dialect.ts';
import type { Answer } from '../../gateway/answer.ts';
import type { Call } from '../../gateway/call.ts';
import type { Endpoint } from '../../gateway/endpoints.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { findModel, type ModelWays, waysOf } from '../../gateway/routing.ts';
import { costOfEstimate } from '../../gateway/target-prices.ts';
import { type OpenBody, openBody, readBody } from '../../http/body.ts';
import type { InflightBudget, InflightLease } from '../../inflight-budget.ts';
import type { Gate, Reservation } from '../../limits/limits.ts';
import { keyOf, type LimitedOwner, userOf } from '../../limits/owner.ts';
import { estimateUse, type RequestSize } from '../../limits/use-estimate.ts';
import { audioSeconds } from '../../protocols/audio-duration.ts';
import { requestHeadersFor } from '../../protocols/passed-headers.ts';
import type { Providers } from '../../providers/compile.ts';
import type { HttpMethod } from '../../providers/upstream/request-head.ts';
import type { ModelOptions, Principal } from '../../store/entities.ts';
import { newModel } from '../../store/new-records.ts';
import type { ConfigView } from '../../store/store.ts';
import type { Context, Handler } from '../context.ts';
import { hasDefaultProvider, mayPassThrough } from './default-provider.ts';
import { nextHop } from './hops.ts';
import { missingModel } from './json-request.ts';
import { refusePickerQuery } from './model-pickers.ts';
import { isRestricted, requireCurrent, requireModel, requirePrice } from './model-rights.ts';
import { EarlyStream, type StreamTimes, sendAnswer } from './send-answer.ts';

export interface CallOptions extends StreamTimes {
  readonly gateway: Gateway;
  readonly providers: Providers;
  readonly budget: InflightBudget;
  readonly view: () => ConfigView;
  readonly maxBodyBytes: number;
  readonly limits: Gate;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The part of a call that its body determines. */
export type AskedCall = Pick<Call, 'body'> &
  Partial<Pick<Call, 'stream' | 'includeUsage' | 'encodingFormat' | 'render' | 'translation'>>;

/**
 * Reads a request's body and returns the part of the call that the body determines. Calls `authorise` and `admit` as soon as the
 * model is known, before it checks any other field. @throws HttpError for an invalid body.
 */
export type ReadCall = (open: OpenCall) => Promise<AskedCall>;

/** A call whose body is being read: the checks that every kind of body must pass, and the resources held meanwhile. */
export class OpenCall {
  readonly context: Context;
  readonly endpoint: Endpoint;
  readonly lease: InflightLease;
  /** The user or key whose share of memory and connections the call uses. */
  readonly consumer: string;
  readonly #options: CallOptions;
  #isRestricted: boolean;
  readonly #hops: number;
  #body: OpenBody | null = null;
  #authorised: Pick<Call, 'modelId' | 'found' | 'view'> | null = null;
  /** The principal with its current records. */
  #principal: Principal;

  /** @throws HttpError `loop_detected`. */
  constructor(context: Context, endpoint: Endpoint, options: CallOptions) {
    this.context = context;
    this.endpoint = endpoint;
    this.#options = options;
    this.#hops = nextHop(context.req.headers['x-ipin-hops']);
    this.#isRestricted = isRestricted(context.principal);
    this.#principal = context.principal;
    this.consumer = consumerOf(context.principal);
    this.lease = options.budget.open(this.consumer);
  }

  /** The caller may use certain models only, so the body must not pick others. */
  get isRestricted(): boolean {
    return this.#isRestricted;
  }

  /** The largest body that this endpoint accepts. */
  get limitBytes(): number {
    const { form, isUnread } = this.endpoint;
    if (isUnread) return UNREAD_BYTES;
    return Math.max(this.#options.maxBodyBytes, form?.minFormBytes ?? 0);
  }

  /** Reads the whole body. @throws HttpError as `readBody`. */
  readWhole(): Promise<Buffer> {
    return readBody(this.context, { limitBytes: this.#options.maxBodyBytes, lease: this.lease });
  }

  /** The body's bytes as they arrive, to be read once. @throws HttpError as `openBody`. */
  readPieces(): AsyncIterable<Buffer> {
    this.#body = openBody(this.context, this.limitBytes);
    return this.#body.chunks;
  }

  /**
   * Checks that the caller may use the model.
   * @throws HttpError `model_not_found`, `model_not_allowed`, `model_not_priced`; `invalid_body` for a query that picks another
   * model.
   */
  authorise(modelId: string): void {
    const { principal, query, record } = this.context;
    record.modelId = modelId;
    const view = this.#options.view();
    const found = findModel(view, modelId);
    const current = requireModel(principal, modelId, { view, nowMs: this.#options.now() });
    this.#principal = current;
    requirePrice(current, modelId, { found, view });
    this.#isRestricted ||= isRestricted(current);
    if (this.#isRestricted && this.endpoint.isRelayed) refusePickerQuery(query);
    this.#authorised = { modelId, found, view };
  }

  /**
   * Chooses the provider for requests that name no model. Only for those who may pass through.
   * @throws HttpError `invalid_api_key`, `not_signed_in`; for a restricted key `missing_required_parameter` where the path has
   * a row, `invalid_body` for a query that picks a model.
   */
  useDefaultProvider(): void {
    const view = this.#options.view();
    this.#principal = requireCurrent(this.context.principal, { view, nowMs: this.#options.now() });
    this.#isRestricted ||= isRestricted(this.#principal);
    if (this.#isRestricted) {
      if (!this.endpoint.isUnread) throw missingModel();
      refusePickerQuery(this.context.query);
    }
    const providerId = view.settings.defaultProviderId ?? '';
    const found = { model: newModel({ id: providerId, name: providerId, providerId }, ''), wildcard: null };
    this.#authorised = { modelId: '', found, view };
  }

  /** The request may leave out its model. */
  get mayLackModel(): boolean {
    return mayPassThrough(this.#principal) && hasDefaultProvider(this.#options.view());
  }

  /** The call may go on at the provider without its client, who can ask for the answer later, and has no limits to count for. */
  get mayRunOn(): boolean {
    const hasLimits = keyOf(this.#principal)?.limits != null || userOf(this.#principal)?.limits != null;
    return mayPassThrough(this.#principal) && !hasLimits;
  }

  /**
   * Lets the call through, as far as the limits of its key and user allow. Call it after `authorise`; to call it again does
   * nothing. Returns a promise where the limits are asked for elsewhere.
   * @throws HttpError (or rejects with one) `rate_limit_exceeded`, `insufficient_quota`; the signal's reason if the client left.
   */
  admit(size: RequestSize): Promise<void> | undefined {
    const { record, signal } = this.context;
    if (record.reservation !== null || this.#authorised === null) return undefined;
    // The record is closed then: nobody would settle the reservation.
    if (signal.aborted) throw signal.reason;
    const { found } = this.#authorised;
    record.modelPrice = found.model.price;
    const key = keyOf(this.#principal);
    const user = userOf(this.#principal);
    const use = estimateUse(this.endpoint.meter, size, found.model.options.maxOutputTokens);
    record.estimate = use;
    const admitted = this.#options.limits.admit({
      key,
      user,
      tokens: use.promptTokens + use.answerTokens,
      costNanoUsd: hasMoneyLimit(key) || hasMoneyLimit(user) ? costOfEstimate(use, this.#authorised) : 0,
    });
    if (admitted instanceof Promise) return admitted.then((reservation) => this.#take(reservation));
    this.#take(admitted);
    return undefined;
  }

  /** @throws the signal's reason if the client left meanwhile. */
  #take(reservation: Reservation): void {
    const { record, headers, signal } = this.context;
    if (signal.aborted) {
      this.#options.limits.settle(reservation, null);
      throw signal.reason;
    }
    record.reservation = reservation;
    if (reservation.headers.length > 0) headers.push(...reservation.headers);
  }

  /** How the targets of the model serve a protocol. Call it after `authorise`. */
  waysOf(name: DialectName): ModelWays {
    if (this.#authorised === null) throw new Error('The call was not authorised.');
    return waysOf(this.#authorised, name, this.#options.providers);
  }

  /** Takes the size of a file that was read to its end: before, it is only known how large it may be. */
  noteFile(head: Buffer, bytes: number): void {
    if (this.endpoint.meter !== 'audio') return;
    const { record } = this.context;
    record.estimate = { ...record.estimate, audioSeconds: audioSeconds(head, bytes) };
  }

  /** The call that the body asks for. */
  toCall(asked: AskedCall): Call {
    if (this.#authorised === null) throw new Error('The call was not authorised.');
    const { context, endpoint, consumer } = this;
    const { principal, req, query, signal, record } = context;
    // A call that was not admitted would be counted nowhere.
    if (record.reservation === null && endpoint.isCounted) throw new Error('The call was not admitted.');
    const { modelId, found, view } = this.#authorised;
    const caller = callerOf(principal);
    record.stream = asked.stream ?? false;
    const { body, stream = false, includeUsage = false, encodingFormat = null, render = null } = asked;
    const { translation = null } = asked;
    // Member by member: a spread would cost more than the rest of this function.
    return {
      view,
      found,
      modelId,
      method: req.method as HttpMethod,
      // They say what a model takes as chat.
      options: endpoint.dialect === null ? found.model.options : NO_OPTIONS,
      endpoint,
      caller,
      body,
      stream,
      includeUsage,
      encodingFormat,
      render,
      streamRenderer: null,
      translation,
      query: endpoint.isRelayed ? query : '',
      headers: endpoint.isRelayed ? requestHeadersFor(req.headers, caller) : [],
      consumer,
      hops: this.#hops,
      hidesRateLimits: hasLimits(this.#principal),
      signal,
      record,
    };
  }

  /** Releases the body and its memory. Calling it again does nothing. */
  close(): void {
    this.#body?.stop();
    this.lease.release();
  }
}

const NO_OPTIONS: ModelOptions = {};
/** A body that passes unread is not held. OpenAI's largest upload is half of it. */
const UNREAD_BYTES = 1024 * 1024 * 1024;

function hasMoneyLimit(owner: LimitedOwner | null): boolean {
  return owner !== null && owner.limits !== null && owner.limits.budgetUsd !== null;
}

function hasLimits(principal: Principal): boolean {
  return (keyOf(principal)?.limits ?? userOf(principal)?.limits ?? null) !== null;
}

/** Creates the handler of an endpoint: reads the call, sends it through the gateway and passes the answer on. */
export function serveCall(endpoint: Endpoint, read: ReadCall, options: CallOptions): Handler {
  return async (context) => {
    const open = new OpenCall(context, endpoint, options);
    try {
      const answer = await execute(open, read, options);
      // A JSON body was read whole and has been sent. Its answer may stream for minutes, so release the memory now.
      if (endpoint.body === 'json') open.close();
      const sent = answer === null ? undefined : sendAnswer(context, answer, options);
      if (sent !== undefined) await sent;
    } finally {
      open.close();
    }
  };
}

/**
 * The answer to a call; null if the client's stream began early and has ended with an error. A separate function, so that no
 * variable keeps the body alive while the answer is sent.
 */
async function execute(open: OpenCall, read: ReadCall, options: CallOptions): Promise<Answer | null> {
  const call = open.toCall(await read(open));
  const mayBeEarly = call.stream && options.earlyStreamMs > 0 && open.endpoint.streamEnd !== null;
  if (!mayBeEarly) return await options.gateway.execute(call);
  return await executeEarly(call, new EarlyStream(open.context, open.endpoint, options), options.gateway);
}

async function executeEarly(call: Call, early: EarlyStream, gateway: Gateway): Promise<Answer | null> {
  early.start();
  try {
    const answer = await gateway.execute(call);
    return early.takes(answer) ? answer : null;
  } catch (error) {
    if (early.fail(error)) return null;
    throw error;
  }
}
