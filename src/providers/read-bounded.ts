import type { Readable } from 'node:stream';
import { ByteGatherer } from '../byte-gatherer.ts';
import { HttpError } from '../errors.ts';
import type { InflightLease } from '../inflight-budget.ts';
import { brokenBody } from './upstream-failures.ts';

export interface BoundedRead {
  /** The body has ended. If not, the body is paused with every byte put back, ready to be streamed. */
  readonly isWhole: boolean;
  readonly bytes: Buffer;
  /** The read stopped below the bound because the lease could not grow. */
  readonly isOverBudget: boolean;
}

/**
 * Reads a body up to a bound. The bytes held count against `lease`, if given; the caller releases the lease.
 * @throws HttpError `upstream_invalid_response` if the body breaks off, or the HttpError by which the body was destroyed.
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
      const isOverBudget = gathered.length <= limitBytes && lease?.growTo(gathered.length) === false;
      if (gathered.length <= limitBytes && !isOverBudget) return;
      isSettled = true;
      body.pause();
      body.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      const bytes = gathered.whole();
      body.unshift(bytes);
      resolve({ isWhole: false, bytes, isOverBudget });
    };
    // An ended body emits nothing more, and removing the listeners would cost more than leaving them.
    const onEnd = (): void => {
      isSettled = true;
      resolve({ isWhole: true, bytes: gathered.whole(), isOverBudget: false });
    };
    const onError = (error: Error): void => {
      if (!isSettled)
        reject(
          error instanceof HttpError ? error : brokenBody('The provider broke off its response.', error),
        );
      isSettled = true;
    };
    const onClose = (): void => {
      if (!isSettled) onError(body.errored ?? new Error('the body was closed before its end'));
    };
    if (body.errored !== null || body.destroyed) return onClose();
    body.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    // An earlier bounded read may have paused it.
    if (body.isPaused()) body.resume();
  });
}
