import type { AnswerEnd } from '../http/body-transform.ts';
import type { InflightBudget } from '../inflight-budget.ts';
import { AnswerMeter } from '../protocols/answer-meter.ts';
import type { Quirk, Target, UpstreamResponse } from '../providers/adapter.ts';
import { addsUsage } from '../providers/stream-usage.ts';
import { Answer, renderResponse, shapeResponse } from './answer.ts';
import type { Call } from './call.ts';
import type { CallRecord } from './record.ts';

interface ShapingOptions {
  readonly target: Target;
  /** The quirks that the request respected. */
  readonly quirks: ReadonlySet<Quirk>;
  readonly response: UpstreamResponse;
  /** Counts the bytes of the response that are held. */
  readonly budget: InflightBudget;
  readonly onEnd: (end: AnswerEnd) => void;
}

/** Shapes a successful response into the client's answer, and ends the response on every throw. @throws as `shapeResponse`. */
export async function shapeAnswer(
  call: Call,
  { target, quirks, response, budget, onEnd }: ShapingOptions,
): Promise<Answer> {
  const lease = budget.open(call.consumer);
  try {
    const render = target.provider.adapter.renderFor(call);
    const { status, headers, body } = response;
    const hidesUsage = addsUsage(call, { provider: target.provider, quirks });
    const reachedHeaders = call.record.reachedHeaders();
    const meter = new AnswerMeter(call.endpoint.meter);
    const { requestId } = call.record;
    const held = { status, headers, body, target, requestId, reachedHeaders, lease, hidesUsage, meter };
    const shaped = render === null ? await shapeResponse(held, call) : await renderResponse(held, render);
    call.record.meter = meter;
    return new Answer(shaped, lease, noting(call.record, onEnd));
  } catch (error) {
    response.body.destroy();
    lease.release();
    throw error;
  }
}

/** A separate function, because a closure in `shapeAnswer` would keep the call's body alive while its answer is sent. */
function noting(record: CallRecord, onEnd: (end: AnswerEnd) => void): (end: AnswerEnd) => void {
  return (end) => {
    record.noteEnd(end);
    onEnd(end);
  };
}
