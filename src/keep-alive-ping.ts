import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Logger } from './logger.ts';

const INTERVAL_MS = 10 * 60 * 1000;
const TIMEOUT_MS = 30_000;

/** Asks the server's own public address for `/health` every ten minutes, so that a free instance is not put to sleep. */
export function startKeepAlivePing(url: string, logger: Logger): () => void {
  const target = new URL('/health', url);
  const get = target.protocol === 'https:' ? httpsGet : httpGet;
  const ping = (): void => {
    const request = get(target, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const { statusCode } = response;
      if (statusCode !== 200)
        logger.warn('keep-alive ping failed', { message: `${target} answers with ${statusCode}` });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (error) => logger.warn('keep-alive ping failed', { message: error.message }));
  };
  const timer = setInterval(ping, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
