import type { CancelSignal } from '../../cancellation.ts';
import type { Destination } from './destination.ts';
import type { OutgoingRequest } from './request-head.ts';
import { Transfer, type TransferResponse } from './transfer.ts';

/**
 * Sends one request on a connection of its own, and resolves to the response once its headers have come, whatever its status.
 * Aborting the signal closes the connection at any time; nobody listens to it once the body has ended.
 * @throws UpstreamFailure if there is no response; the signal's reason. The body fails with the same errors.
 */
export function sendOnce(
  request: OutgoingRequest,
  { destination, signal }: { readonly destination: Destination; readonly signal: CancelSignal },
): Promise<TransferResponse> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => transfer.fail(signal.reason);
    const owner = {
      onResponse: resolve,
      onFailure: reject,
      onClose: () => signal.removeEventListener('abort', onAbort),
    };
    const transfer = new Transfer(owner, { destination, isFresh: true, mayHaveRun: false });
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    transfer.start(request);
  });
}
