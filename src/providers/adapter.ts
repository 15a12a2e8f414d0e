import type { Readable } from 'node:stream';
import type { Provider } from '../store/entities.ts';

/** What a call asks for, by the last words of its path: `chat/completions`, `embeddings`, ... */
export type EndpointPath =
  | 'chat/completions'
  | 'completions'
  | 'responses'
  | 'moderations'
  | 'rerank'
  | 'images/generations'
  | 'images/edits'
  | 'images/variations'
  | 'audio/speech'
  | 'audio/transcriptions'
  | 'audio/translations'
  | 'embeddings';

/** A body in pieces that are sent one after another (no copy is made), or a stream that can be sent only once. */
export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'pieces'; readonly pieces: readonly Buffer[] }
  | { readonly kind: 'stream'; readonly stream: Readable; readonly contentLength: number | null };

/** One request to an upstream, ready to be sent. */
export interface UpstreamRequest {
  readonly provider: Provider;
  readonly method: 'GET' | 'POST';
  /** Absolute, as made by the join rule; query included. */
  readonly url: URL;
  /** Names in lower case; no host, no content-length, no connection headers: those are upstream.ts's. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: UpstreamBody;
}

/** What came back, once its headers are there. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes as they come, nothing decoded. Errors with an HttpError when the upstream breaks off or stalls. */
  readonly body: Readable;
}
