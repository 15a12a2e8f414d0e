import type { CancelSignal } from '../cancellation.ts';
import type { StreamRenderer } from '../dialects/dialect.ts';
import type { RenderedAnswer } from '../protocols/transcription.ts';
import type { AdapterCall } from '../providers/adapter.ts';
import type { ConfigView } from '../store/store.ts';
import type { CallRecord } from './record.ts';
import type { FoundModel } from './routing.ts';
import type { Translation } from './translation.ts';

/** A client's call to a model: the part for the adapter, the caller, and the wanted form of the answer. */
export interface Call extends AdapterCall {
  /** The config view by which the call was authorised; routing uses the same view. */
  readonly view: ConfigView;
  /** The model that serves the name that the client asked for. */
  readonly found: FoundModel;
  /** Who calls: a key, or a session's owner. */
  readonly caller: string;
  /** The user or key whose share of memory and connections the call uses; a share is half. */
  readonly consumer: string;
  /** The client asked for an event stream. */
  readonly stream: boolean;
  /** The client asked for the usage at the end of the stream. */
  readonly includeUsage: boolean;
  /** For embeddings, the encoding of vectors that the client wants; else null. */
  readonly encodingFormat: 'float' | 'base64' | null;
  /** Makes the answer from the provider's JSON; null: the provider's response passes. */
  readonly render: ((response: Buffer, providerId: string) => RenderedAnswer) | null;
  /** Makes the answer's events from the provider's chat chunks; null: the provider's stream passes. */
  readonly streamRenderer: (() => StreamRenderer) | null;
  /** For targets that do not speak the client's protocol; null: all of them do. */
  readonly translation: Translation | null;
  /** The caller has limits of their own, so the provider's are not told. */
  readonly hidesRateLimits: boolean;
  readonly signal: CancelSignal;
  readonly record: CallRecord;
}
