import type { CancelSignal } from '../cancellation.ts';
import type { CallRecord } from '../gateway/record.ts';
import type { Exchange } from '../http/reply.ts';
import type { Params } from '../http/router.ts';
import type { Principal } from '../store/entities.ts';

/** One request, as a route sees it. */
export interface Context extends Exchange {
  /** The path of the route's usual spelling, still percent-encoded. */
  readonly path: string;
  /** The query without its `?`. */
  readonly query: string;
  readonly params: Params;
  readonly principal: Principal;
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean;
  /** Aborted when the client goes away before its answer is finished. */
  readonly signal: CancelSignal;
  /** What is known of the request; the guard has put its principal in. */
  readonly record: CallRecord;
}

export type Handler = (context: Context) => void | Promise<void>;
