import { ByteGatherer } from '../byte-gatherer.ts';
import { type ErrorObject, HttpError } from '../errors.ts';
import type { BodyReader, BodySource } from '../http/body-source.ts';
import type { StreamEnd } from '../protocols/stream-end.ts';
import { type StreamFinding, StreamStart } from '../protocols/stream-start.ts';
import { brokenBody, invalidResponse } from '../providers/upstream-failures.ts';

/** A stream that sends no content for this long counts as begun, so that its client does not wait for the headers. */
const WAIT_MS = 1_000;

/** A stream that has begun, or the error that it reported instead of content. */
export type OpenedStream =
  | { readonly kind: 'begun' }
  | { readonly kind: 'error'; readonly error: ErrorObject };

/**
 * Waits for the first content of an event stream whose headers have just arrived; at most for its first 64 KiB, and for a
 * second. The body of a stream that has begun has every byte put back, ready to be streamed.
 * @throws HttpError `upstream_invalid_response` for a stream that ends before its content, and for a body that was broken off;
 * the HttpError by which the body failed.
 */
export function openStream(body: BodySource, streamEnd: StreamEnd): Promise<OpenedStream> {
  return new Promise((resolve, reject) => new Opening(body, streamEnd, { resolve, reject }).start());
}

interface Settle {
  readonly resolve: (opened: OpenedStream) => void;
  readonly reject: (error: HttpError) => void;
}

class Opening implements BodyReader {
  readonly #body: BodySource;
  readonly #content: StreamStart;
  readonly #settle: Settle;
  readonly #read = new ByteGatherer();
  #timer: NodeJS.Timeout | null = null;

  constructor(body: BodySource, streamEnd: StreamEnd, settle: Settle) {
    this.#body = body;
    this.#content = new StreamStart(streamEnd);
    this.#settle = settle;
  }

  start(): void {
    this.#timer = setTimeout(this.#begin, WAIT_MS);
    this.#body.read(this);
  }

  onData(chunk: Buffer): void {
    this.#read.add(chunk);
    const found = this.#content.push(chunk);
    if (found.kind === 'content') this.#begin();
    else if (found.kind === 'error') this.#report(found);
  }

  onEnd(): void {
    const found = this.#content.end();
    if (found.kind === 'nothing') {
      this.#stop();
      this.#settle.reject(invalidResponse('The provider ended its stream before it sent any content.'));
    } else if (found.kind === 'error') this.#report(found);
    // The last record lacks its empty line.
    else this.#begin();
  }

  onError(error: Error): void {
    this.#stop();
    this.#settle.reject(
      error instanceof HttpError ? error : brokenBody('The provider broke off its response.', error),
    );
  }

  readonly #begin = (): void => {
    this.#stop();
    this.#body.unread(this.#read.whole());
    this.#settle.resolve({ kind: 'begun' });
  };

  #report(found: StreamFinding & { readonly kind: 'error' }): void {
    this.#stop();
    this.#settle.resolve(found);
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
