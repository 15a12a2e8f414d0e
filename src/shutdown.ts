import type { Server } from 'node:http';
import { HttpError } from './errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  readonly server: Server;
  readonly lifecycle: Lifecycle;
  readonly graceMs: number;
  readonly logger: Logger;
  /** Ends what still runs: each client gets the error as far as its answer allows. */
  readonly abortRequests: (reason: HttpError) => void;
  /** Saves what is not yet saved. */
  readonly close: () => Promise<void>;
}

/** After an abort, error answers get this long to be sent. */
const LAST_WORDS_MS = 1_000;
const SWEEP_MS = 100;
/** After a crash, saving gets this long. */
const CRASH_LIMIT_MS = 5_000;

/**
 * Ends the server in order: takes no new connections, lets running requests finish within the grace time, ends the rest
 * with an error, saves everything.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { server, lifecycle, logger } = options;
  lifecycle.phase = 'draining';
  logger.info('draining', { graceMs: options.graceMs });
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Keep-alive connections become idle one by one, when their answers end.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  await Promise.race([closed, wait(options.graceMs)]);
  options.abortRequests(new HttpError('draining', 'The server is restarting. Send the request again.'));
  await Promise.race([closed, wait(LAST_WORDS_MS)]);
  clearInterval(sweep);
  server.closeAllConnections();
  await options.close();
  logger.info('stopped');
}

/** The first signal drains, the second ends the process at once. */
export function onSignals(drain: () => Promise<void>): void {
  let isDraining = false;
  const onSignal = (): void => {
    if (isDraining) process.exit(1);
    isDraining = true;
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(
          `The shutdown failed: ${error instanceof Error ? error.message : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/**
 * An error that nobody caught leaves the process in an unknown state: logs the error, saves and exits with 1, so that the
 * supervisor starts the server anew.
 */
export function onCrash(logger: Logger, close: () => Promise<void>): void {
  const onError = (error: unknown): void => {
    logger.error('crash', { stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    setTimeout(() => process.exit(1), CRASH_LIMIT_MS).unref();
    close().finally(() => process.exit(1));
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
}

function wait(timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, timeMs).unref();
  });
}
