import { HttpError } from '../errors.ts';

/** Why a response with this status cannot be passed on; null if it can. */
export function statusProblem(status: number): string | null {
  if (status < 200 || status > 599) return 'The provider answered with an unknown status.';
  if (status < 300 || status >= 400) return null;
  return 'The provider answered with a redirect. Enter the address it redirects to as base URL.';
}

/** The error for a provider that cannot be reached, with advice for its owner. */
export function unreachable(providerId: string, cause: NodeJS.ErrnoException | HttpError): HttpError {
  if (cause instanceof HttpError) return cause;
  const { code } = cause;
  const reason = code === undefined ? '' : ` (${code})`;
  const advice = code === undefined ? '' : adviceFor(code);
  const message = `The provider ${providerId} cannot be reached${reason}.${advice}`;
  return new HttpError('upstream_unreachable', message, { cause });
}

function adviceFor(code: string): string {
  if (code === 'ENOTFOUND') return ' There is no such host: check the base URL.';
  if (code === 'EAI_AGAIN') return ' The name server does not answer: is this machine online?';
  if (code === 'ECONNREFUSED') return ' Nothing listens there: is it running, and is the port right?';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return ' It does not speak TLS: try http:// in the base URL.';
  return /CERT|^UNABLE_TO_/.test(code) ? ' Its certificate is not valid for this address.' : '';
}

/** Which of the three timers of a request to a provider ran out. */
export type TimerName = 'connect' | 'headers' | 'idle';

/** The error for a provider that is too slow. */
export function timedOut(message: string, timer: TimerName, timeoutMs: number): HttpError {
  return new HttpError('upstream_timeout', message, {
    cause: new Error(`${timer} timeout of ${timeoutMs} ms`),
  });
}

/** The error for a response that is not usable. */
export function invalidResponse(message: string, cause?: unknown): HttpError {
  return new HttpError('upstream_invalid_response', message, { cause });
}
