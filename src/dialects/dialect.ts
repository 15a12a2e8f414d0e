import type { HttpError } from '../errors.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Steps } from '../turns.ts';
import type { ModelTraits } from './model-traits.ts';

/** The name of a client protocol, and of the provider option that says how it is served. */
export type DialectName = 'messages' | 'responses';

/**
 * A client protocol that any chat provider can serve: its requests become chat completions, whose answers become answers of the
 * protocol. All of it is pure.
 */
export interface Dialect {
  readonly name: DialectName;
  /**
   * Reads a request body. @throws HttpError for a request that cannot be translated; `param` names the field.
   */
  parse(body: Readonly<Record<string, unknown>>, client: DialectClient): Steps<DialectRequest>;
  /** Headers of every answer. */
  headers(requestId: string): HeaderList;
  /** The answer with an error, in the protocol's own form. */
  renderError(error: HttpError, requestId: string): RenderedError;
  /** The records of an event stream that ends with an error before any other record was sent. */
  failedStream(error: HttpError, requestId: string): string;
}

/** What a dialect needs to know of the client, beside the request's body. */
export interface DialectClient {
  /** The name of the model that the client asked for. */
  readonly modelId: string;
  /** The client's headers, by names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `headers` include those of the error itself. */
export interface RenderedError {
  readonly status: number;
  readonly body: object;
  readonly headers: HeaderList;
}

/**
 * A request that was read. What `openStream` returns is kept while the answer is sent, which may take minutes, so it must not
 * refer to the request.
 */
export interface DialectRequest {
  /** The members of the chat request, without `model` and `stream`. @throws HttpError as `Dialect.parse`. */
  toChat(traits: ModelTraits): Steps<Record<string, unknown>>;
  /** The whole answer, from a chat completion. @throws HttpError `upstream_invalid_response`. */
  renderAnswer(completion: unknown, about: AnswerAbout): object;
  /** Renders the answer as an event stream. */
  openStream(about: AnswerAbout): StreamRenderer;
}

/** What a renderer knows of its answer. */
export interface AnswerAbout {
  readonly requestId: string;
  /** The estimated tokens of the prompt, for providers that report no usage. */
  readonly promptTokens: number;
  readonly nowSeconds: () => number;
  /** A random text of 24 letters and digits, for ids. */
  readonly newId: () => string;
}

/** Turns the chunks of a chat stream into records of an event stream. Each method returns the text to send, '' for nothing. */
export interface StreamRenderer {
  /** About how much of the answer is kept for the last records. */
  readonly heldBytes: number;
  /** @param chunk the parsed data of one record. @throws HttpError for an answer that is too large. */
  push(chunk: Readonly<Record<string, unknown>>): string;
  /** The provider's answer is complete. */
  end(): string;
  /** The answer ends with an error. */
  fail(error: HttpError): string;
  /** A record that keeps the connection alive, and before it the beginning of the stream if it was not sent yet. */
  keepAlive(): string;
}
