import type { Endpoint } from '../gateway/endpoints.ts';
import type { BodySource } from '../http/body-source.ts';
import type { HeaderList } from '../http/headers.ts';
import type { MultipartPart } from '../http/multipart.ts';
import type { JsonScan } from '../json/matches.ts';
import type { Patch } from '../json/splice.ts';
import type { FormFields } from '../protocols/form-kinds.ts';
import type { UpstreamHeaders } from '../protocols/passed-headers.ts';
import type { RenderedAnswer } from '../protocols/transcription.ts';
import type { ModelOptions, Provider } from '../store/entities.ts';
import type { Connection } from './connection.ts';
import type { HttpMethod, OutgoingRequest, UpstreamBody } from './upstream/request-head.ts';

/** A JSON body as received, the result of its scan, and the patches to apply before it is sent. */
export interface JsonCallBody {
  readonly kind: 'json';
  readonly bytes: Buffer;
  readonly scan: JsonScan;
  readonly patches: readonly Patch[];
}

/** A form, read part by part. */
export interface FormCallBody {
  readonly kind: 'form';
  /** The whole form is in memory and valid, so it can be sent more than once. Otherwise it is read as it arrives, once. */
  readonly isHeld: boolean;
  /**
   * All parts in their order. Call it once for each request that is built, and only once if the form is not held. Iteration
   * throws an HttpError if a later part is not valid.
   */
  readonly parts: () => AsyncIterable<MultipartPart>;
  /** The fields read so far, files apart; complete if the form is held, and once its parts are read. */
  readonly fields: FormFields;
}

/** A JSON body that is built for each target. */
export interface MadeCallBody {
  readonly kind: 'made';
  readonly make: (upstreamModel: string, options: ModelOptions) => readonly Buffer[];
}

/** A body that is passed on as it arrives, unread; or none. */
export interface RawCallBody {
  readonly kind: 'raw';
  readonly contentType: string | null;
  /** To be read once; null: there is none. */
  readonly body: AsyncIterable<Buffer> | null;
}

/** The part of a call that an adapter needs. */
export interface AdapterCall {
  readonly endpoint: Endpoint;
  /** The model's id as the client wrote it. */
  readonly modelId: string;
  /** The model's options, for JSON bodies. */
  readonly options: ModelOptions;
  readonly method: HttpMethod;
  readonly body: JsonCallBody | FormCallBody | MadeCallBody | RawCallBody;
  /** The query to pass on, without its `?`; empty if a new request is built. */
  readonly query: string;
  /** The client's headers to pass on. */
  readonly headers: HeaderList;
  /** How many iPin proxies the request has passed, including this one. */
  readonly hops: number;
}

/** A key of a provider that can be sent. */
export interface CompiledKey {
  readonly id: string;
  /** By which people recognise it. */
  readonly hint: string;
  /** The header that carries it. */
  readonly headers: HeaderList;
  /** The header that carries it in the provider's own API, where that differs from OpenAI's. */
  readonly ownHeaders: HeaderList;
}

/** The destination of an attempt. */
export interface Target {
  readonly provider: CompiledProvider;
  /** null: the provider has none and needs none. */
  readonly key: CompiledKey | null;
  /** The model's name at the provider. */
  readonly upstreamModel: string;
}

/**
 * A limitation of a provider, learned from its refusal. `floats_only`: it accepts no `encoding_format` but `float`.
 * `no_embedding_model`: it accepts no `model` in requests for embeddings. `no_stream_options`: it accepts no `stream_options`.
 * `no_responses`: it does not have the Responses API.
 */
export type Quirk = 'floats_only' | 'no_embedding_model' | 'no_stream_options' | 'no_responses';

/** An error response of a provider. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** A quirk that would explain a refusal. */
export interface SuspectedQuirk {
  readonly quirk: Quirk;
  /** The refusal does not say what was refused. If the retry fails too, the client gets the first error. */
  readonly isGuess: boolean;
  /** True if all later requests to the provider respect the quirk, once a request that does has succeeded. */
  readonly isRemembered: boolean;
}

/** The provider that an attempt asked, and the quirks that it respected. */
export interface Asked {
  readonly provider: CompiledProvider;
  readonly quirks: ReadonlySet<Quirk>;
  readonly upstreamModel: string;
}

/** Translates calls and responses for one kind of provider. Does no I/O. */
export interface ProviderAdapter {
  /** Builds the request, respecting the quirks. @throws HttpError if the provider does not support the call. */
  buildRequest(call: AdapterCall, target: Target, quirks: ReadonlySet<Quirk>): UpstreamRequest;
  /** After a refusal: the quirk to respect in one more attempt; null: no retry. */
  suspectQuirk(call: AdapterCall, refusal: Refusal, asked: Asked): SuspectedQuirk | null;
  /**
   * For a provider that does not speak the client's protocol: a function that renders the answer from a successful response
   * and throws HttpError `upstream_invalid_response`. null: responses pass.
   */
  renderFor(call: AdapterCall): ((response: Buffer, contentType: string) => RenderedAnswer) | null;
}

/** What the base URL of a provider tells about the protocols that it speaks. */
export interface SpokenProtocols {
  readonly messages: 'native' | 'translated';
  readonly responses: 'native' | 'untried';
}

/** Everything derived from a provider's record, once per version of the record. */
export interface CompiledProvider {
  readonly id: string;
  readonly record: Provider;
  readonly adapter: ProviderAdapter;
  readonly connection: Connection;
  /** The keys that can be used: enabled, readable, and of characters that a header can carry. */
  readonly keys: readonly CompiledKey[];
  /** True if the record has any key, usable or not: such a provider is never asked without one. */
  readonly hasKeys: boolean;
  /** The headers of every request to the provider beside its key: `accept-encoding: identity` and the like. */
  readonly headers: HeaderList;
  /** The path and query of an endpoint, joined with the base URL and cached. */
  pathOf(upstreamPath: string): string;
  /** Headers of requests in the provider's own API, unless the client sends them; empty where it is OpenAI's. */
  readonly ownHeaders: HeaderList;
  /** The protocols that its base URL shows it to speak. */
  readonly spoken: SpokenProtocols;
  /** The quirks found so far. */
  readonly quirks: Set<Quirk>;
  /** All spellings of its keys, also of those that are not in use, to redact from errors. */
  readonly secrets: readonly string[];
}

export type { UpstreamBody };

/** A request to an upstream, ready to send. */
export interface UpstreamRequest extends OutgoingRequest {
  readonly provider: CompiledProvider;
}

/** The response of an upstream, once its headers have arrived. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** The raw bytes. Fails with an HttpError if the upstream breaks off or stalls. */
  readonly body: BodySource;
}
