import type { Readable } from 'node:stream';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import type { InflightLease } from '../inflight-budget.ts';

export interface BoundedRead {
  /** Whether that was all. If not, the body is paused with every byte put back, so that it can be streamed on. */
  readonly whole: boolean;
  readonly bytes: Buffer;
  /** The bound was not reached, but no memory is left. */
  readonly isCrowded: boolean;
}

/**
 * Reads a body up to a bound. What is held of it counts against `lease`, where one is given; the caller releases it.
 * @throws HttpError `upstream_invalid_response` when the body breaks off, or the HttpError that it was destroyed with.
 */
export function readBounded(
  body: Readable,
  limitBytes: number,
  lease: InflightLease | null = null,
): Promise<BoundedRead> {
  return new Promise((resolve, reject) => {
    const gathered = new ByteGatherer();
    let isSettled = false;
    const onData = (chunk: Buffer): void => {
      gathered.add(chunk);
      const isCrowded = gathered.length <= limitBytes && lease?.growTo(gathered.length) === false;
      if (gathered.length <= limitBytes && !isCrowded) return;
      isSettled = true;
      body.pause();
      body.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      const bytes = gathered.whole();
      body.unshift(bytes);
      resolve({ whole: false, bytes, isCrowded });
    };
    // At its end a body is over: nobody listens to it any more, and taking listeners off costs more than leaving them.
    const onEnd = (): void => {
      isSettled = true;
      resolve({ whole: true, bytes: gathered.whole(), isCrowded: false });
    };
    const onError = (error: Error): void => {
      if (!isSettled) reject(error instanceof HttpError ? error : brokenOff(error));
      isSettled = true;
    };
    const onClose = (): void => {
      if (!isSettled) onError(body.errored ?? new Error('the body was closed before its end'));
    };
    if (body.errored !== null || body.destroyed) return onClose();
    body.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    // Whoever looked at its beginning has paused it.
    if (body.isPaused()) body.resume();
  });
}

function brokenOff(cause: Error): HttpError {
  return new HttpError('upstream_invalid_response', 'The provider broke off its answer.', { cause });
}
