import { connect, createServer, type Server } from 'node:net';

const CONNECT_TIMEOUT_MS = 1000;
/** `sun_path` of a Unix socket holds 108 bytes on Linux and 104 elsewhere, with a zero at the end (unix(7)). */
const SOCKET_PATH_LIMIT = 103;

/** Listens on a Unix socket that answers nothing; null if the system or the path allows none. */
export function listenOnSocket(path: string): Promise<Server | null> {
  if (process.platform === 'win32' || Buffer.byteLength(path) > SOCKET_PATH_LIMIT) {
    return Promise.resolve(null);
  }
  const server = createServer((connection) => connection.destroy()).unref();
  return new Promise((resolve) => {
    // Stays for good: a later error (no more descriptors) must not end the process.
    server.on('error', () => resolve(null));
    server.listen(path, () => resolve(server));
  });
}

/** Stops listening; the socket's file goes with it. */
export function closeSocket(server: Server | null): Promise<void> {
  return new Promise((resolve) => {
    if (server === null) resolve();
    else server.close(() => resolve());
  });
}

/** True if somebody listens on a Unix socket: a stopped process does, a dead one does not. */
export function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ path, timeout: CONNECT_TIMEOUT_MS });
    const finish = (isConnected: boolean): void => {
      connection.destroy();
      resolve(isConnected);
    };
    connection.once('connect', () => finish(true));
    connection.once('timeout', () => finish(false));
    connection.once('error', () => finish(false));
  });
}
