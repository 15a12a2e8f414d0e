import type { Readable } from 'node:stream';
import type { MultipartPart } from '../http/multipart.ts';
import type { JsonScan, Patch } from '../json/scan.ts';
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

/** A JSON body as it came, what the scan found in it, and what is to differ when it is sent. */
export interface JsonCallBody {
  readonly kind: 'json';
  readonly bytes: Buffer;
  readonly scan: JsonScan;
  readonly patches: readonly Patch[];
}

/** A form, read part by part as it arrives. */
export interface FormCallBody {
  readonly kind: 'form';
  /** All parts in their order, to be read once. Reading throws an HttpError where a later part turns out wrong. */
  readonly parts: AsyncIterable<MultipartPart>;
  /** The fields that are no files, as far as they were read: all of them once `parts` has ended. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A JSON body that was made here for this very target: nothing in it has to differ. */
export interface MadeCallBody {
  readonly kind: 'made';
  readonly pieces: readonly Buffer[];
}

/** An answer that had to be read whole and put into another form. */
export interface TranslatedAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

/** A call for one provider, as its adapter sees it. */
export interface AdapterCall {
  readonly path: EndpointPath;
  readonly provider: Provider;
  /** The model as the client named it, and as the provider does. */
  readonly model: string;
  readonly upstreamModel: string;
  readonly body: JsonCallBody | FormCallBody | MadeCallBody;
  /** The request's query without its `?`; it goes on as it came, unless the request is translated. */
  readonly query: string;
  /** The client's headers that may pass, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The user or key that the connection and the held answer are counted for; each may use half. */
  readonly holder: string;
  /** How many proxies of this kind the request has passed, this one included. */
  readonly hops: number;
}

/** A call in another form, after the provider has refused it in the first. */
export interface Amendment {
  readonly call: AdapterCall;
  /**
   * Set where the amendment is a guess: called when it has proved right. Of a guess that is refused as well, the client
   * is told the first error.
   */
  readonly onProven: (() => void) | null;
}

/** How one kind of provider is spoken to. Pure: no sockets here. */
export interface ProviderAdapter {
  /** Makes the request. @throws HttpError where the provider cannot do what is asked. */
  buildRequest(call: AdapterCall): UpstreamRequest;
  /** After an error answer: how to ask once more, or null to give up. */
  amend(call: AdapterCall, status: number, errorText: string): Amendment | null;
  /**
   * Where the provider speaks another language than the client: turns its successful answer into the client's.
   * Null where answers pass as they are. @throws HttpError `upstream_invalid_response`.
   */
  translator(call: AdapterCall): ((body: Buffer, contentType: string) => TranslatedAnswer) | null;
}

/** A body in pieces that are sent one after another (no copy is made), or a stream that can be sent only once. */
export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'pieces'; readonly pieces: readonly Buffer[] }
  | { readonly kind: 'stream'; readonly stream: Readable };

/** One request to an upstream, ready to be sent. */
export interface UpstreamRequest {
  readonly provider: Provider;
  readonly method: 'GET' | 'POST';
  /** Path and query at the provider's origin, as made by `joinUrl`. */
  readonly path: string;
  /** Names and values by turns; no host, no content-length, no connection headers: those are upstream.ts's. */
  readonly headers: readonly string[];
  readonly body: UpstreamBody;
}

/** What came back, once its headers are there. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes as they come, nothing decoded. Errors with an HttpError when the upstream breaks off or stalls. */
  readonly body: Readable;
}
