import { ConfigError } from '../config.ts';

/** The part of a client of the package `redis` that is used here. */
export interface RedisClient {
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Closes the connection at once; commands that wait for their reply are rejected. */
  destroy(): void;
}

/** Makes a client that is not connected yet and never reconnects by itself. */
export type ClientFactory = () => RedisClient;

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * Loads the package `redis`, which nothing else imports.
 * @param url `redis://` or `rediss://`, with user and password as the engine needs them
 * @throws ConfigError if the package is not installed.
 */
export async function loadClientFactory(url: string): Promise<ClientFactory> {
  const { createClient } = await import('redis').catch((error: unknown) => {
    throw new ConfigError([`REDIS_URL needs the package "redis": ${hintOf(error)}`]);
  });
  return () =>
    createClient({
      url,
      // Replies of scripts have the same shapes in every version of the protocol; those of plain commands have not.
      RESP: 2,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      // `Connection` looks for silence; a timer for each command would cost more than the command.
      commandOptions: { timeout: 0 },
      socket: { reconnectStrategy: false, connectTimeout: CONNECT_TIMEOUT_MS },
    }) as unknown as RedisClient;
}

function hintOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  // The second one is the bundle's.
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  if (isMissing) return 'run "npm install redis" beside the program, or build the image with WITH_REDIS=1.';
  return `it cannot be loaded (${error instanceof Error ? error.message : String(error)}).`;
}
