import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../errors.ts';
import { type InflightLease, overloaded } from '../inflight-budget.ts';
import { ByteGatherer } from './byte-gatherer.ts';

export interface BodyLimits {
  readonly limitBytes: number;
  readonly lease: InflightLease;
}

interface BodyExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly expectsContinue: boolean;
}

/** How slowly a client may send: silence, average after a while, all in all. */
const SLOW = {
  silenceMs: 30_000,
  graceMs: 30_000,
  leastBytesPerMs: 1024 / 1000,
  wholeMs: 15 * 60_000,
} as const;
const CHECK_MS = 5_000;

/** True where a body was announced (RFC 9112 section 6.3). */
export function hasBody(req: IncomingMessage): boolean {
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Refuses a body that need not be read: a compressed one, or one that announces more than the limit.
 * @throws HttpError `unsupported_content_type`, `request_too_large`.
 */
function checkAnnouncedBody(req: IncomingMessage, limitBytes: number): void {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(
      'unsupported_content_type',
      'Send the body uncompressed: Content-Encoding is not supported.',
    );
  }
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
}

/**
 * Starts to let a body in: tells a waiting client to go on (RFC 9110 section 10.1.1) and watches its pace. Every byte
 * that arrives must be told to `count`, which checks the limit; `stop` ends the watch.
 * `onSlow` gets the HttpError `request_timeout` of a client that sends too slowly.
 */
function watchBody(
  exchange: BodyExchange,
  options: {
    readonly limitBytes: number;
    /** False while the delay is ours: only time in which we were reading counts. */
    readonly isReading: () => boolean;
    readonly onSlow: (error: HttpError) => void;
  },
): { count(bytes: number): number; stop(): void } {
  if (exchange.expectsContinue) exchange.res.writeContinue();
  let received = 0;
  let elapsedMs = 0;
  let silentMs = 0;
  const timer = setInterval(() => {
    if (!options.isReading()) return;
    elapsedMs += CHECK_MS;
    silentMs += CHECK_MS;
    const slow = elapsedMs > SLOW.graceMs && received < elapsedMs * SLOW.leastBytesPerMs;
    if (silentMs >= SLOW.silenceMs || elapsedMs >= SLOW.wholeMs || slow) {
      options.onSlow(
        new HttpError('request_timeout', 'The body of the request came too slowly. Send it again.'),
      );
    }
  }, CHECK_MS);
  return {
    count(bytes) {
      received += bytes;
      silentMs = 0;
      if (received > options.limitBytes) throw tooLarge(options.limitBytes);
      return received;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Reads a whole body into one buffer, bounded by its limit and by the in-flight budget.
 * @throws HttpError `unsupported_content_type`, `request_too_large`, `server_overloaded`, `request_timeout`; the stream's
 * own error, or one like it, when the client goes away.
 */
export function readBody(exchange: BodyExchange, limits: BodyLimits): Promise<Buffer> {
  const { req } = exchange;
  checkAnnouncedBody(req, limits.limitBytes);
  if (!hasBody(req)) return Promise.resolve(Buffer.alloc(0));
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > limits.lease.limitBytes) throw overloaded(limits.lease, announced);
  return new Promise((resolve, reject) => {
    const sink = new Sink(announced);
    let isSettled = false;
    const fail = (error: unknown): void => {
      if (isSettled) return;
      isSettled = true;
      watch.stop();
      req.off('data', onData).off('end', onEnd);
      req.pause();
      reject(error);
    };
    const isReading = (): boolean => !req.isPaused();
    const watch = watchBody(exchange, { limitBytes: limits.limitBytes, isReading, onSlow: fail });
    const onData = (chunk: Buffer): void => {
      try {
        const received = watch.count(chunk.length);
        if (!limits.lease.growTo(received)) throw overloaded(limits.lease, received);
        sink.add(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => {
      isSettled = true;
      watch.stop();
      resolve(sink.whole());
    };
    const onClose = (): void => {
      if (!isSettled) fail(new Error('the client went away while sending'));
    };
    req.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
}

/** A body that is read as it arrives. */
export interface OpenBody {
  /** To be read once. Reading throws HttpError `request_too_large`, `request_timeout`, or the stream's own error. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Ends the reading and the watch over the client's pace; what has not been read stays in the connection. */
  stop(): void;
}

/**
 * Opens a body for reading piece by piece. The connection stays open when reading stops early, so that an error can
 * still be answered.
 * @throws HttpError as `checkAnnouncedBody`.
 */
export function openBody(exchange: BodyExchange, limitBytes: number): OpenBody {
  const { req } = exchange;
  checkAnnouncedBody(req, limitBytes);
  let isReading = false;
  let tooSlow: HttpError | null = null;
  let endWait = (_error: HttpError): void => {};
  const watch = watchBody(exchange, {
    limitBytes,
    isReading: () => isReading,
    onSlow: (error) => {
      tooSlow = error;
      endWait(error);
    },
  });
  const source: AsyncIterator<Buffer> = req.iterator({ destroyOnReturn: false });
  // Not a race against one promise of slowness: that would hold on to every chunk as long as the body is open.
  const next = (): Promise<IteratorResult<Buffer>> =>
    new Promise((resolve, reject) => {
      if (tooSlow !== null) {
        reject(tooSlow);
        return;
      }
      endWait = reject;
      source.next().then(resolve, reject);
    });
  async function* chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      isReading = true;
      const step = await next();
      isReading = false;
      if (step.done === true) return;
      watch.count(step.value.length);
      yield step.value;
    }
  }
  const stop = (): void => {
    watch.stop();
    // An iterator left open holds the stream: nobody else could read the rest to let the client have its answer.
    source.return?.().catch(() => {});
  };
  return { chunks: chunks(), stop };
}

function tooLarge(limitBytes: number): HttpError {
  const limitMiB = limitBytes / 1024 / 1024;
  return new HttpError(
    'request_too_large',
    `The request body is larger than ${limitMiB} MB. Send less, or raise MAX_BODY_MB on the server.`,
  );
}

/** So much may arrive before room for all that was announced is made: announcing is free, sending is not. */
const TRUSTED_BYTES = 1024 * 1024;

/** Gathers a body; one of a known length mostly in one buffer, so that it is not held twice. */
class Sink {
  #buffer: Buffer | null = null;
  #gathered = new ByteGatherer();
  readonly #announcedBytes: number;
  #length = 0;

  constructor(announcedBytes: number) {
    this.#announcedBytes = announcedBytes;
  }

  add(chunk: Buffer): void {
    if (this.#buffer === null) this.#gathered.add(chunk);
    else chunk.copy(this.#buffer, this.#length);
    this.#length += chunk.length;
    if (this.#buffer !== null || this.#length >= this.#announcedBytes) return;
    if (this.#length >= TRUSTED_BYTES || this.#announcedBytes <= TRUSTED_BYTES) this.#join();
  }

  whole(): Buffer {
    if (this.#buffer !== null) return this.#buffer.subarray(0, Math.min(this.#length, this.#announcedBytes));
    return this.#gathered.whole();
  }

  #join(): void {
    this.#buffer = Buffer.allocUnsafeSlow(this.#announcedBytes);
    let at = 0;
    for (const piece of this.#gathered.pieces()) at += piece.copy(this.#buffer, at);
    this.#gathered = new ByteGatherer();
  }
}
