import type { IncomingMessage, ServerResponse } from 'node:http';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import { type InflightLease, overloaded } from '../inflight-budget.ts';
import { countPassed } from '../passed-buffers.ts';

export interface BodyLimits {
  readonly limitBytes: number;
  readonly lease: InflightLease;
}

interface BodyExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly expectsContinue: boolean;
}

/** How slowly a client may send. */
const PACE = {
  /** The longest silence. */
  silenceMs: 30_000,
  /** Time before the average rate counts. */
  graceMs: 30_000,
  leastBytesPerMs: 1024 / 1000,
  /** The longest time for a whole body. */
  wholeMs: 15 * 60_000,
} as const;
const CHECK_MS = 5_000;

/** True if the request announces a body (RFC 9112 section 6.3). */
export function hasBody(req: IncomingMessage): boolean {
  const { headers } = req;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Refuses a body before it is read: a compressed one, or one that announces more than the limit.
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
 * Lets a body in: sends 100 Continue where the client waits for it (RFC 9110 section 10.1.1) and watches the client's pace.
 * Report every chunk to `count`, which throws HttpError `request_too_large` over the limit; `stop` ends the watch.
 * `onSlow` gets HttpError `request_timeout` when the client sends too slowly.
 */
function watchBody(
  exchange: BodyExchange,
  options: {
    readonly limitBytes: number;
    /** False while this server does not read: the client is not to blame for that time. */
    readonly isReading: () => boolean;
    readonly onSlow: (error: HttpError) => void;
  },
): { count(bytes: number): number; stop(): void } {
  if (exchange.expectsContinue) exchange.res.writeContinue();
  let received = 0;
  let elapsedMs = 0;
  let silentMs = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | null = null;
  const check = (): void => {
    if (!options.isReading()) return;
    elapsedMs += CHECK_MS;
    silentMs += CHECK_MS;
    const slow = elapsedMs > PACE.graceMs && received < elapsedMs * PACE.leastBytesPerMs;
    if (silentMs >= PACE.silenceMs || elapsedMs >= PACE.wholeMs || slow) {
      options.onSlow(
        new HttpError('request_timeout', 'The body of the request came too slowly. Send it again.'),
      );
    }
  };
  // A tick later node:http has parsed what came with the head, mostly the whole body, which needs no timer.
  process.nextTick(() => {
    if (!isStopped && !exchange.req.complete) timer = setInterval(check, CHECK_MS);
  });
  return {
    count(bytes) {
      countPassed(bytes);
      received += bytes;
      silentMs = 0;
      if (received > options.limitBytes) throw tooLarge(options.limitBytes);
      return received;
    },
    stop() {
      isStopped = true;
      if (timer !== null) clearInterval(timer);
    },
  };
}

/**
 * Reads a whole body into one buffer, bounded by its limit and by the in-flight budget.
 * @throws HttpError `unsupported_content_type`, `request_too_large`, `server_overloaded`, `request_timeout`; the stream's
 * own error, or a plain Error, when the client goes away.
 */
export function readBody(exchange: BodyExchange, limits: BodyLimits): Promise<Buffer> {
  const { req } = exchange;
  checkAnnouncedBody(req, limits.limitBytes);
  if (!hasBody(req)) return Promise.resolve(Buffer.alloc(0));
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > limits.lease.limitBytes) throw overloaded(limits.lease, announced);
  return new Promise((resolve, reject) => {
    const gathered = new ByteGatherer(announced);
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
        gathered.add(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => {
      isSettled = true;
      watch.stop();
      // They would keep the body alive as long as the request, whose answer may stream for minutes.
      req.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
      resolve(gathered.whole());
    };
    const onClose = (): void => {
      if (!isSettled) fail(new Error('the client disconnected while it was sending its body'));
    };
    req.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
}

/** A body that is read as it arrives. */
export interface OpenBody {
  /** Can be read once. Reading throws HttpError `request_too_large`, `request_timeout`, or the stream's own error. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Ends the reading and the watch over the client's pace; unread bytes stay in the connection. */
  stop(): void;
}

/**
 * Opens a body for reading chunk by chunk. When reading stops early, the connection stays open, so that an error can still
 * be sent.
 * @throws HttpError as `checkAnnouncedBody`.
 */
export function openBody(exchange: BodyExchange, limitBytes: number): OpenBody {
  const { req } = exchange;
  checkAnnouncedBody(req, limitBytes);
  let isReading = false;
  let tooSlow: HttpError | null = null;
  let rejectRead = (_error: HttpError): void => {};
  const watch = watchBody(exchange, {
    limitBytes,
    isReading: () => isReading,
    onSlow: (error) => {
      tooSlow = error;
      rejectRead(error);
    },
  });
  const source: AsyncIterator<Buffer> = req.iterator({ destroyOnReturn: false });
  const accept = (step: IteratorResult<Buffer>): IteratorResult<Buffer> => {
    isReading = false;
    if (step.done !== true) watch.count(step.value.length);
    return step;
  };
  // Not a race against one promise of slowness: that would keep every chunk alive as long as the body is open.
  const next = (): Promise<IteratorResult<Buffer>> =>
    new Promise((resolve, reject) => {
      if (tooSlow !== null) {
        reject(tooSlow);
        return;
      }
      rejectRead = reject;
      isReading = true;
      source.next().then(accept).then(resolve, reject);
    });
  const stop = (): void => {
    watch.stop();
    // An open iterator holds the stream: nobody else could read on, so that the client gets its answer.
    source.return?.().catch(() => {});
  };
  return { chunks: { [Symbol.asyncIterator]: () => ({ next }) }, stop };
}

function tooLarge(limitBytes: number): HttpError {
  const limitMiB = limitBytes / 1024 / 1024;
  return new HttpError(
    'request_too_large',
    `The request body is larger than ${limitMiB} MB. Send less, or raise MAX_BODY_MB on the server.`,
  );
}
