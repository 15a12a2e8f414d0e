import type { Readable } from 'node:stream';
import type { Endpoint } from '../gateway/endpoints.ts';
import type { HeaderList } from '../http/headers.ts';
import type { MultipartPart } from '../http/multipart.ts';
import type { JsonScan } from '../json/matches.ts';
import type { Patch } from '../json/splice.ts';
import type { FormFields } from '../protocols/form-kinds.ts';
import type { Provider } from '../store/entities.ts';
import type { Connection } from './connection.ts';

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
  /** What the fields that are no files ask for, as far as they were read: all of them once `parts` has ended. */
  readonly fields: FormFields;
}

/** A JSON body that is made here for each target. */
export interface MadeCallBody {
  readonly kind: 'made';
  readonly make: (upstreamModel: string) => readonly Buffer[];
}

/** An answer that was made here from a whole response of the provider. */
export interface RenderedAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

/** A call as an adapter sees it. */
export interface AdapterCall {
  readonly endpoint: Endpoint;
  /** The model's id as the client named it. */
  readonly modelId: string;
  readonly body: JsonCallBody | FormCallBody | MadeCallBody;
  /** The request's query without its `?`; it goes on unchanged, unless the request is made anew. */
  readonly query: string;
  /** The client's headers that may pass. */
  readonly headers: HeaderList;
  /** How many proxies of this kind the request has passed, this one included. */
  readonly hops: number;
}

/** Where an attempt goes. */
export interface Target {
  readonly provider: CompiledProvider;
  /** The model's name at the provider. */
  readonly upstreamModel: string;
}

/**
 * Something that a provider does not take, learned from its refusal: `floats_only`, no `encoding_format` but floats;
 * `no_embedding_model`, no `model` in requests for embeddings.
 */
export type Quirk = 'floats_only' | 'no_embedding_model';

/** An error response of a provider. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** The quirk that would explain a refusal. */
export interface SuspectedQuirk {
  readonly quirk: Quirk;
  /** The refusal does not name what was refused. If the retry fails too, the client gets the first error. */
  readonly isGuess: boolean;
}

/** How one kind of provider is spoken to. Pure: no sockets here. */
export interface ProviderAdapter {
  /** Makes the request, with regard to the quirks. @throws HttpError where the provider cannot do what is asked. */
  buildRequest(call: AdapterCall, target: Target, quirks: ReadonlySet<Quirk>): UpstreamRequest;
  /** After a refusal: the quirk to respect in one more attempt; null gives up. */
  suspectQuirk(call: AdapterCall, refusal: Refusal, quirks: ReadonlySet<Quirk>): SuspectedQuirk | null;
  /**
   * Where the provider does not speak the client's protocol: makes the client's answer from its successful response.
   * null: responses pass. The function throws HttpError `upstream_invalid_response`.
   */
  renderFor(call: AdapterCall): ((response: Buffer, contentType: string) => RenderedAnswer) | null;
}

/** What is derived from a provider's record, once for each version of the record. */
export interface CompiledProvider {
  readonly id: string;
  readonly record: Provider;
  readonly adapter: ProviderAdapter;
  readonly connection: Connection;
  /** The headers of every request to the provider: its key, where it has one, and a plea for uncompressed responses. */
  readonly headers: HeaderList;
  /** Path and query of an endpoint, joined with the base URL once. */
  pathOf(upstreamPath: string): string;
  /** What the provider was found not to take. */
  readonly quirks: Set<Quirk>;
  /** The spellings of its key, which no error may show. */
  readonly secrets: readonly string[];
}

/** A body in pieces that are sent one after another (no copy is made), or a stream that can be sent only once. */
export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'pieces'; readonly pieces: readonly Buffer[] }
  | { readonly kind: 'stream'; readonly stream: Readable };

/** One request to an upstream, ready to be sent. */
export interface UpstreamRequest {
  readonly provider: CompiledProvider;
  readonly method: 'GET' | 'POST';
  /** Path and query at the provider's origin, as made by `joinUrl`. */
  readonly path: string;
  /** Names and values by turns; no host, no content-length, no connection headers: those are upstream.ts's. */
  readonly headers: HeaderList;
  readonly body: UpstreamBody;
}

/** What came back, once its headers are there. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes as they come, nothing decoded. Errors with an HttpError when the upstream breaks off or stalls. */
  readonly body: Readable;
}
