import type { CancelSignal } from '../cancellation.ts';
import type { AdapterCall, RenderedAnswer } from '../providers/adapter.ts';
import type { ConfigView } from '../store/store.ts';
import type { CallRecord } from './record.ts';

/** What a client asks of a model: an adapter's call, by whom it is made, and what its answer must be like. */
export interface Call extends AdapterCall {
  /** The configuration in which the call was allowed; routing uses the same one. */
  readonly view: ConfigView;
  /** The user or key that connections and held memory are counted for; each may use half. */
  readonly holder: string;
  /** The client asked for an event stream, and for the usage at its end. */
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Embeddings: the encoding of vectors that the client wants. null for all else. */
  readonly encodingFormat: 'float' | 'base64' | null;
  /** Makes the client's answer from the provider's JSON; null: the provider's response passes. */
  readonly render: ((response: Buffer, providerId: string) => RenderedAnswer) | null;
  readonly signal: CancelSignal;
  readonly record: CallRecord;
}
