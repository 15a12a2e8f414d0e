import { type ErrorName, HttpError, type HttpErrorOptions } from '../errors.ts';

/** A provider that could not be reached, or that gave no usable response. */
export class UpstreamFailure extends HttpError {
  /** The request was sent whole and was not answered whole, so the provider may have run it. */
  readonly mayHaveRun: boolean;

  constructor(
    kind: ErrorName,
    message: string,
    options: HttpErrorOptions & { readonly mayHaveRun: boolean },
  ) {
    super(kind, message, options);
    this.mayHaveRun = options.mayHaveRun;
  }
}

/** Why a response with this status cannot be passed on; null if it can. */
export function statusProblem(status: number): string | null {
  if (status < 200 || status > 599) return 'The provider answered with an unknown status.';
  if (status < 300 || status >= 400) return null;
  return 'The provider answered with a redirect. Enter the address it redirects to as base URL.';
}

/** The error for a provider that cannot be reached or that breaks the connection, with advice for its owner. */
export function unreachable(
  providerId: string,
  cause: NodeJS.ErrnoException | HttpError,
  mayHaveRun: boolean,
): UpstreamFailure {
  if (cause instanceof HttpError) {
    const refused = new UpstreamFailure('upstream_unreachable', cause.message, {
      cause: cause.cause,
      mayHaveRun,
    });
    return Object.assign(refused, { headers: cause.headers });
  }
  const { code } = cause;
  const reason = code === undefined ? '' : ` (${code})`;
  const advice = code === undefined ? '' : adviceFor(code);
  const message = `The provider ${providerId} cannot be reached${reason}.${advice}`;
  return new UpstreamFailure('upstream_unreachable', message, { cause, mayHaveRun });
}

function adviceFor(code: string): string {
  if (code === 'ENOTFOUND') return ' There is no such host: check the base URL.';
  if (code === 'EAI_AGAIN') return ' The name server does not answer: is this machine online?';
  if (code === 'ECONNREFUSED') return ' Nothing listens there: is it running, and is the port right?';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return ' It does not speak TLS: try http:// in the base URL.';
  return /CERT|^UNABLE_TO_/.test(code) ? ' Its certificate is not valid for this address.' : '';
}

/** A timer of a request to a provider that ran out. */
export interface Timeout {
  readonly timer: 'connect' | 'headers' | 'idle';
  readonly timeoutMs: number;
  readonly mayHaveRun: boolean;
}

/** The error for a provider that is too slow. */
export function timedOut(message: string, { timer, timeoutMs, mayHaveRun }: Timeout): UpstreamFailure {
  const cause = new Error(`${timer} timeout of ${timeoutMs} ms`);
  return new UpstreamFailure('upstream_timeout', message, { cause, mayHaveRun });
}

/** The error for a response that is not usable. The provider has answered, so the request is not running any more. */
export function invalidResponse(message: string, cause?: unknown): UpstreamFailure {
  return new UpstreamFailure('upstream_invalid_response', message, { cause, mayHaveRun: false });
}

/** The error for a response that breaks off, or turns into nonsense, in its body. */
export function brokenBody(message: string, cause: unknown): UpstreamFailure {
  return new UpstreamFailure('upstream_invalid_response', message, { cause, mayHaveRun: true });
}
