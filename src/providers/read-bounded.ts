import type { Readable } from 'node:stream';
import { HttpError } from '../errors.ts';
import { ByteGatherer } from '../http/byte-gatherer.ts';

/**
 * Reads a body up to a bound. `whole` tells whether that was all; if not, the body is paused with every byte put back,
 * so that it can be streamed on from its beginning.
 * @throws HttpError `upstream_invalid_response` when it breaks off, or the HttpError that it was destroyed with.
 */
export function readBounded(
  body: Readable,
  limitBytes: number,
): Promise<{ readonly whole: boolean; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const gathered = new ByteGatherer();
    let isSettled = false;
    const onData = (chunk: Buffer): void => {
      gathered.add(chunk);
      if (gathered.length <= limitBytes) return;
      isSettled = true;
      body.pause();
      body.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      const bytes = gathered.whole();
      body.unshift(bytes);
      resolve({ whole: false, bytes });
    };
    // At its end a body is over: nobody listens to it any more, and taking listeners off costs more than leaving them.
    const onEnd = (): void => {
      isSettled = true;
      resolve({ whole: true, bytes: gathered.whole() });
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
  });
}

function brokenOff(cause: Error): HttpError {
  return new HttpError('upstream_invalid_response', 'The provider broke off its answer.', { cause });
}
