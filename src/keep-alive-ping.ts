import { Cancellation } from './cancellation.ts';
import type { Logger } from './logger.ts';
import { createDestination } from './providers/upstream/destination.ts';
import { sendOnce } from './providers/upstream/send-once.ts';

const INTERVAL_MS = 10 * 60 * 1000;
const TIMEOUT_MS = 30_000;

/**
 * Requests `/health` from the server's own public address every ten minutes, so that a free instance is not put to sleep.
 * Warns of every failure, but not again while the failure stays the same. Returns a function that stops the ping.
 */
export function startKeepAlivePing(url: string, logger: Logger): () => void {
  const target = new URL('/health', url);
  const timeouts = { connectTimeoutMs: TIMEOUT_MS, headersTimeoutMs: TIMEOUT_MS, idleTimeoutMs: TIMEOUT_MS };
  const destination = createDestination(target, { id: target.host, timeouts });
  const request = {
    method: 'GET',
    path: target.pathname,
    headers: credentialsOf(target),
    body: { kind: 'none' },
  } as const;
  // Without user name, password and query, which may hold secrets.
  const shown = `${target.origin}${target.pathname}`;
  let trouble: string | null = null;
  const note = (message: string | null): void => {
    if (message === trouble) return;
    trouble = message;
    if (message === null) logger.info('keep-alive ping works again');
    else logger.warn('keep-alive ping failed', { message });
  };
  const ping = async (): Promise<void> => {
    try {
      const { status, body } = await sendOnce(request, { destination, signal: new Cancellation() });
      body.destroy();
      note(status === 200 ? null : `${shown} answers with ${status}`);
    } catch (error) {
      note(`${shown} does not answer: ${error instanceof Error ? messageOf(error) : String(error)}`);
    }
  };
  const timer = setInterval(ping, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** User name and password of a URL as a header (RFC 7617). */
function credentialsOf({ username, password }: URL): readonly string[] {
  if (username === '' && password === '') return [];
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ['authorization', `Basic ${Buffer.from(credentials).toString('base64')}`];
}

function messageOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
