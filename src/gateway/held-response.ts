import type { HeaderList } from '../http/headers.ts';
import type { InflightLease } from '../inflight-budget.ts';
import type { AnswerMeter } from '../protocols/answer-meter.ts';
import type { Target, UpstreamResponse } from '../providers/adapter.ts';
import type { Call } from './call.ts';

/** A successful response with an unread body, and the lease that counts the bytes held from it. */
export interface HeldResponse extends UpstreamResponse {
  readonly target: Target;
  readonly requestId: string;
  /** Headers for the answer that say which provider was reached. */
  readonly reachedHeaders: HeaderList;
  readonly lease: InflightLease;
  /** The usage in its stream was asked for by `addsUsage`, not by the client. */
  readonly hidesUsage: boolean;
  /** Looks at all that the provider sends. */
  readonly meter: AnswerMeter;
}

/** The members of a call that shape its answer. */
export type ShapeOptions = Pick<
  Call,
  'endpoint' | 'modelId' | 'stream' | 'includeUsage' | 'encodingFormat' | 'render' | 'streamRenderer'
>;

/** The answer names another model than the one that the client asked for. */
export function needsRename(response: HeldResponse, options: ShapeOptions): boolean {
  return options.endpoint.namesModel && response.target.upstreamModel !== options.modelId;
}
