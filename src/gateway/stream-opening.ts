import { Readable } from 'node:stream';
import { ByteGatherer } from '../byte-gatherer.ts';
import { type ErrorObject, HttpError } from '../errors.ts';
import type { StreamEnd } from '../protocols/stream-end.ts';
import { type StreamFinding, StreamStart } from '../protocols/stream-start.ts';
import { brokenBody, invalidResponse } from '../providers/upstream-failures.ts';

/** A stream that sends no content for this long counts as begun, so that its client does not wait for the headers. */
const WAIT_MS = 1_000;

/** A stream that has begun, with an unread body, or the error that it reported instead of content. */
export type OpenedStream =
  | { readonly kind: 'begun'; readonly body: Readable }
  | { readonly kind: 'error'; readonly error: ErrorObject };

/**
 * Waits for the first content of an event stream whose headers have just arrived; at most for its first 64 KiB, and for a
 * second. The body of a stream that has begun is paused with every byte put back, ready to be streamed.
 * @throws HttpError `upstream_invalid_response` for a stream that ends before its content, and for a body that was broken off;
 * the HttpError by which the body was destroyed.
 */
export function openStream(body: Readable, streamEnd: StreamEnd): Promise<OpenedStream> {
  return new Promise((resolve, reject) => new Opening(body, streamEnd, { resolve, reject }).start());
}

interface Settle {
  readonly resolve: (opened: OpenedStream) => void;
  readonly reject: (error: HttpError) => void;
}

class Opening {
  readonly #body: Readable;
  readonly #content: StreamStart;
  readonly #settle: Settle;
  readonly #read = new ByteGatherer();
  #timer: NodeJS.Timeout | null = null;

  constructor(body: Readable, streamEnd: StreamEnd, settle: Settle) {
    this.#body = body;
    this.#content = new StreamStart(streamEnd);
    this.#settle = settle;
  }

  start(): void {
    const body = this.#body;
    if (body.destroyed) {
      this.#onClose();
      return;
    }
    this.#timer = setTimeout(this.#begin, WAIT_MS);
    body
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#read.add(chunk);
    const found = this.#content.push(chunk);
    if (found.kind === 'content') this.#begin();
    else if (found.kind === 'error') this.#report(found);
  };

  readonly #begin = (): void => {
    this.#stop();
    this.#body.pause();
    if (this.#read.length > 0) this.#body.unshift(this.#read.whole());
    this.#settle.resolve({ kind: 'begun', body: this.#body });
  };

  #report(found: StreamFinding & { readonly kind: 'error' }): void {
    this.#stop();
    this.#settle.resolve(found);
  }

  readonly #onEnd = (): void => {
    this.#stop();
    const found = this.#content.end();
    if (found.kind === 'nothing') {
      this.#settle.reject(invalidResponse('The provider ended its stream before it sent any content.'));
    } else if (found.kind === 'error') {
      this.#report(found);
    } else {
      // The last record lacks its empty line. An ended body takes no bytes back.
      const body = Readable.from([this.#read.whole()], { objectMode: false });
      this.#settle.resolve({ kind: 'begun', body });
    }
  };

  readonly #onError = (error: Error): void => {
    this.#stop();
    this.#settle.reject(
      error instanceof HttpError ? error : brokenBody('The provider broke off its response.', error),
    );
  };

  readonly #onClose = (): void => {
    this.#onError(this.#body.errored ?? new Error('the body was closed before its end'));
  };

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#body.off('data', this.#onData).off('end', this.#onEnd);
    this.#body.off('error', this.#onError).off('close', this.#onClose);
  }
}
