import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Logger } from './logger.ts';

const INTERVAL_MS = 10 * 60 * 1000;
const TIMEOUT_MS = 30_000;

/**
 * Requests `/health` from the server's own public address every ten minutes, so that a free instance is not put to sleep.
 * Warns of every failure, but not again while the failure stays the same. Returns a function that stops the ping.
 */
export function startKeepAlivePing(url: string, logger: Logger): () => void {
  const target = new URL('/health', url);
  const get = target.protocol === 'https:' ? httpsGet : httpGet;
  // Without user name, password and query, which may hold secrets.
  const shown = `${target.origin}${target.pathname}`;
  let trouble: string | null = null;
  const note = (message: string | null): void => {
    if (message === trouble) return;
    trouble = message;
    if (message === null) logger.info('keep-alive ping works again');
    else logger.warn('keep-alive ping failed', { message });
  };
  const ping = (): void => {
    const request = get(target, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const { statusCode } = response;
      note(statusCode === 200 ? null : `${shown} answers with ${statusCode}`);
    });
    request.on('timeout', () => request.destroy(new Error(`${shown} does not answer`)));
    request.on('error', (error) => note(error.message));
  };
  const timer = setInterval(ping, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
