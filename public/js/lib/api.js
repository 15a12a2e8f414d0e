/** The only caller of `fetch`. */

/** What the server, or the network on the way to it, said no with. `status` 0: no answer came. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{ status: number, code?: string | null, param?: string | null, retryAfterSeconds?: number | null }} detail
   */
  constructor(message, detail) {
    super(message);
    this.name = 'ApiError';
    this.status = detail.status;
    this.code = detail.code ?? null;
    this.param = detail.param ?? null;
    this.retryAfterSeconds = detail.retryAfterSeconds ?? null;
  }
}

/** The folder that holds the pages, so that the panel also works under a path of another server. */
const ROOT = new URL('../../', import.meta.url);

/** @type {(() => Promise<boolean>) | null} */
let signInAgain = null;
/** @type {Promise<boolean> | null} */
let pendingSignIn = null;

/**
 * Says what happens when the session has ended: the callback asks the person to sign in over the page and resolves
 * true when the request may be tried again. However many requests fail together, it is called once.
 * @param {() => Promise<boolean>} ask
 */
export function onSessionEnded(ask) {
  signInAgain = ask;
}

/**
 * Asks the person to sign in again, now; resolves true when that happened.
 * @returns {Promise<boolean>}
 */
export function endSession() {
  if (signInAgain === null) return Promise.resolve(false);
  pendingSignIn ??= signInAgain().finally(() => {
    pendingSignIn = null;
  });
  return pendingSignIn;
}

/**
 * Sends a request as it is and gives the answer as it comes (streams, files). With the session's cookie; when that
 * has ended and no key was given in the headers, the person is asked to sign in and the request is made again.
 * @param {string} path such as `/v1/chat/completions`
 * @param {RequestInit & { keepSession?: boolean }} [init] keepSession: hand out a 401 as it is
 * @returns {Promise<Response>} whatever its status
 * @throws {ApiError} status 0 when no answer came; an AbortError when the caller's signal stopped it
 */
export async function raw(path, init = {}) {
  const { keepSession = false, ...request } = init;
  const send = async () => {
    try {
      return await fetch(new URL(path.replace(/^\//, ''), ROOT), { credentials: 'same-origin', ...request });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      dispatchEvent(new Event('server-unreachable'));
      throw new ApiError('The server does not answer. Nothing was lost here: try again in a moment.', {
        status: 0,
      });
    }
  };
  const response = await send();
  if (response.status !== 401 || keepSession || new Headers(request.headers).has('authorization'))
    return response;
  return (await endSession()) ? send() : response;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {RequestInit & { keepSession?: boolean }} [init]
 * @returns {Promise<any>} the answer's JSON; null when it has none
 */
async function call(method, path, body, init = {}) {
  const headers = new Headers(init.headers);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const payload = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await raw(path, { ...init, method, headers, ...payload });
  if (!response.ok) throw await toApiError(response);
  return response.status === 204 ? null : response.json().catch(() => null);
}

/**
 * Reads an error answer.
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
export async function toApiError(response) {
  const body = await response.json().catch(() => null);
  const error = body?.error ?? {};
  const seconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  return new ApiError(error.message ?? `The server answered with status ${response.status}.`, {
    status: response.status,
    code: error.code,
    param: error.param,
    retryAfterSeconds: Number.isNaN(seconds) ? null : seconds,
  });
}

export const api = {
  /** @param {string} path @param {RequestInit & { keepSession?: boolean }} [init] */
  get: (path, init) => call('GET', path, undefined, init),
  /** @param {string} path @param {unknown} [body] @param {RequestInit & { keepSession?: boolean }} [init] */
  post: (path, body, init) => call('POST', path, body, init),
  /** @param {string} path @param {unknown} [body] @param {RequestInit & { keepSession?: boolean }} [init] */
  put: (path, body, init) => call('PUT', path, body, init),
  /** @param {string} path @param {RequestInit & { keepSession?: boolean }} [init] */
  del: (path, init) => call('DELETE', path, undefined, init),
  raw,
};

/**
 * A page of this panel, as an address.
 * @param {string} name such as `admin.html`
 */
export function pageUrl(name) {
  return new URL(name, ROOT).href;
}

/**
 * The address that clients are pointed at.
 */
export function baseUrl() {
  return new URL('v1', ROOT).href;
}

/**
 * What to show of anything thrown.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
