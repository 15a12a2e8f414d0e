import { HttpError } from '../../errors.ts';
import { type Answer, EVENT_STREAM_HEADERS, type ShapedAnswer } from '../../gateway/answer.ts';
import type { Endpoint } from '../../gateway/endpoints.ts';
import { isEventStream } from '../../http/content-type.ts';
import { withOwnHeaders } from '../../http/headers.ts';
import { endedBy, pump } from '../../http/pump.ts';
import { sendBytes } from '../../http/reply.ts';
import { failedStream, keepAliveOf } from '../../protocols/event-stream.ts';
import type { Context } from '../context.ts';

export interface StreamTimes {
  /** An event stream that is silent for so long gets a keep-alive; 0: never. */
  readonly keepAliveMs: number;
  /** A client that waits so long for its stream gets its headers before the provider answers; 0: never. */
  readonly earlyStreamMs: number;
}

/** Answers up to this size are not counted while they wait in their connection. */
const SMALL_BYTES = 16 * 1024;

/** Sends an answer and settles it at its end. Returns a promise where that is later. */
export function sendAnswer(
  context: Context,
  answer: Answer,
  { keepAliveMs }: Pick<StreamTimes, 'keepAliveMs'>,
): Promise<void> | undefined {
  const { shaped } = answer;
  if (shaped.kind === 'stream') {
    const onEnd = answer.settle.bind(answer);
    return pump(context, { ...shaped, keepAliveMs, onEnd }).finally(() => answer.release());
  }
  const { res } = context;
  if (res.headersSent) res.end(shaped.body);
  else sendBytes(context, shaped.status, shaped.body, shaped.headers);
  // A large answer is held until the client has taken it.
  if (res.destroyed || shaped.body.length <= SMALL_BYTES) answer.release();
  else res.once('close', () => answer.release());
  return undefined;
}

/**
 * The beginning of a client's event stream before the provider has answered: headers, then keep-alives, so that no proxy in
 * front gives up. The status is sent, so a later error ends the stream.
 */
export class EarlyStream {
  readonly #context: Context;
  readonly #endpoint: Endpoint;
  readonly #times: StreamTimes;
  #wait: NodeJS.Timeout | null = null;
  #keepAlive: NodeJS.Timeout | null = null;
  #isOpen = false;

  constructor(context: Context, endpoint: Endpoint, times: StreamTimes) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#times = times;
  }

  /** Starts the wait for the answer. */
  start(): void {
    this.#wait = setTimeout(this.#open, this.#times.earlyStreamMs);
  }

  /** Ends the wait and the keep-alives. To call it again does nothing. */
  stop(): void {
    if (this.#wait !== null) clearTimeout(this.#wait);
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
  }

  readonly #open = (): void => {
    const { res, headers } = this.#context;
    if (res.destroyed) return;
    this.#isOpen = true;
    res.writeHead(200, withOwnHeaders(headers, EVENT_STREAM_HEADERS));
    res.flushHeaders();
    const { keepAliveMs } = this.#times;
    if (keepAliveMs > 0) this.#keepAlive = setInterval(this.#sendKeepAlive, keepAliveMs);
  };

  readonly #sendKeepAlive = (): void => {
    const { res } = this.#context;
    if (!res.destroyed && !res.writableNeedDrain) res.write(keepAliveOf(this.#endpoint.streamEnd));
  };

  /** Ends the wait. False if the answer cannot go on in the stream that has begun; the stream then ends with an error. */
  takes(answer: Answer): boolean {
    this.stop();
    const { shaped } = answer;
    if (!this.#isOpen || isPlainEventStream(shaped)) return true;
    if (shaped.kind === 'stream') shaped.body.destroy();
    answer.release();
    const message = 'The provider did not stream its response, although the client asked for a stream.';
    this.fail(new HttpError('upstream_invalid_response', message));
    return false;
  }

  /** Ends the wait, and the stream with an error. False if no stream has begun, and for an error that is not for the client. */
  fail(error: unknown): boolean {
    this.stop();
    const { res, record } = this.#context;
    if (!this.#isOpen) return false;
    // The client has left, which the record finds out by itself.
    if (res.destroyed) return true;
    if (!(error instanceof HttpError)) {
      record.noteEnd({ outcome: 'cut', error: null });
      return false;
    }
    const { outcome } = endedBy(error);
    record.noteEnd({ outcome: outcome === 'cut' ? 'cut' : 'error', error });
    const { dialect, streamEnd } = this.#endpoint;
    const ended =
      dialect === null ? failedStream(error, streamEnd) : dialect.failedStream(error, record.requestId);
    res.end(ended);
    return true;
  }
}

/** True for an event stream that is not compressed. */
function isPlainEventStream({ headers }: ShapedAnswer): boolean {
  let contentType = '';
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'content-type') contentType = headers[index + 1] ?? '';
    if (headers[index] === 'content-encoding' && headers[index + 1] !== 'identity') return false;
  }
  return isEventStream(contentType);
}
