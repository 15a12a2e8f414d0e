import type { ShapedAnswer } from '../../gateway/answer.ts';
import type { Endpoint } from '../../gateway/endpoint.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { findModel, findTarget } from '../../gateway/routing.ts';
import { readBody } from '../../http/body.ts';
import { pump } from '../../http/pump.ts';
import { sendBytes } from '../../http/reply.ts';
import type { InflightBudget, InflightLease } from '../../inflight-budget.ts';
import { checkImageParts } from '../../protocols/image-parts.ts';
import { requestHeadersFor } from '../../protocols/passed-headers.ts';
import type { ConfigView } from '../../store/store.ts';
import type { Context, Handler } from '../context.ts';
import { requireJsonType } from '../json-body.ts';
import { noteEnd } from '../request-facts.ts';
import { nextHop } from './hops.ts';
import { refuseModelPickers, refusePickerQuery } from './model-pickers.ts';
import { callerOf, holderOf, isRestricted, requireModel } from './model-rights.ts';
import { parseJsonRequest, readEncodingFormat, readFlag } from './request-body.ts';

export interface RelayOptions {
  readonly gateway: Gateway;
  readonly budget: InflightBudget;
  readonly view: () => ConfigView;
  readonly maxBodyBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The one handler of all JSON endpoints: read, check in the contract's order, send on, answer. */
export function relayJson(endpoint: Endpoint, options: RelayOptions): Handler {
  return async (context) => {
    requireJsonType(context);
    const hops = nextHop(context.req.headers['x-ipin-hops']);
    const holder = holderOf(context.principal);
    const lease = options.budget.open(holder);
    let answer: ShapedAnswer;
    try {
      answer = await ask(endpoint, { context, holder, hops, lease }, options);
    } finally {
      // The answer may stream for minutes, in which nothing holds the body any more.
      lease.release();
    }
    await sendAnswer(context, answer);
  };
}

interface Asked {
  readonly context: Context;
  readonly holder: string;
  readonly hops: number;
  readonly lease: InflightLease;
}

async function ask(
  endpoint: Endpoint,
  { context, holder, hops, lease }: Asked,
  options: RelayOptions,
): Promise<ShapedAnswer> {
  const { req, principal } = context;
  const bytes = await readBody(context, { limitBytes: options.maxBodyBytes, lease });
  const request = await parseJsonRequest(bytes);
  context.facts.model = request.model;
  const view = options.view();
  const model = findModel(view, request.model);
  requireModel(principal, model.id, { view, nowMs: options.now() });
  if (isRestricted(principal)) {
    refuseModelPickers(request.scan);
    refusePickerQuery(context.query);
  }
  const stream = readFlag(request, 'stream');
  const includeUsage = readFlag(request, 'stream_options.include_usage');
  const encodingFormat = endpoint.path === 'embeddings' ? readEncodingFormat(request) : null;
  const patches = await checkImageParts(bytes, request.scan);
  const target = findTarget(view, model);
  context.facts.provider = target.provider.id;
  return options.gateway.execute({
    endpoint,
    path: endpoint.path,
    provider: target.provider,
    upstreamModel: target.upstreamModel,
    model: model.id,
    body: { kind: 'json', bytes, scan: request.scan, patches },
    headers: requestHeadersFor(req.headers, callerOf(principal)),
    holder,
    hops,
    stream,
    includeUsage,
    encodingFormat,
    render: null,
    query: context.query,
    signal: context.signal,
  });
}

/** So much of an answer may wait in its connection uncounted. */
const SMALL_BYTES = 16 * 1024;

/** Sends what the gateway gave, whole or as it comes. */
export async function sendAnswer(context: Context, answer: ShapedAnswer): Promise<void> {
  const { facts, res } = context;
  const { lease } = answer;
  if (answer.kind === 'stream') {
    const { status, headers, body, transform } = answer;
    await pump(context, { status, headers, body, transform, onEnd: (end) => noteEnd(facts, end) }).finally(
      () => lease.release(),
    );
    return;
  }
  sendBytes(context, answer.status, answer.body, answer.headers);
  // A large answer is held until the client has taken it.
  if (res.destroyed || answer.body.length <= SMALL_BYTES) lease.release();
  else res.once('close', () => lease.release());
}
