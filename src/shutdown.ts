import type { Server } from 'node:http';
import { HttpError } from './errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  readonly server: Server;
  readonly lifecycle: Lifecycle;
  readonly graceMs: number;
  readonly logger: Logger;
  /** Ends what still runs: each client gets the error where it still can. */
  readonly abortRequests: (reason: HttpError) => void;
  /** Saves what is not saved. */
  readonly close: () => Promise<void>;
}

/** After an abort, answers get this long to go out. */
const LAST_WORDS_MS = 1_000;
const SWEEP_MS = 100;

/**
 * Ends the server in order: no new connections, running requests may finish within the grace time, the rest are told
 * why they end, then everything is saved.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { server, lifecycle, logger } = options;
  lifecycle.phase = 'draining';
  logger.info('draining', { graceMs: options.graceMs });
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose answer was begun before would stay open for the next request.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  await Promise.race([closed, wait(options.graceMs)]);
  options.abortRequests(new HttpError('draining', 'The server is restarting. Send the request again.'));
  await Promise.race([closed, wait(LAST_WORDS_MS)]);
  clearInterval(sweep);
  server.closeAllConnections();
  await options.close();
  logger.info('stopped');
}

function wait(timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, timeMs).unref();
  });
}
