/** The only caller of `fetch`. */

import { noteServerTime } from './server-clock.js';

/** A request that failed, at the server or on the way to it. `status` 0: there was no response. */
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

/** The folder of the pages. All addresses are relative to it, so that the panel also works under a path behind a proxy. */
const root = () => new URL('.', location.href);

/** @type {(() => Promise<boolean>) | null} */
let signInAgain = null;
/** @type {Promise<boolean> | null} */
let pendingSignIn = null;

/**
 * Sets what happens when the session has ended. The callback asks the person to sign in, in a dialog over the page, and
 * resolves true when the request may be sent again. If several requests fail together, the callback runs once.
 * @param {() => Promise<boolean>} ask
 */
export function onSessionEnded(ask) {
  signInAgain = ask;
}

/**
 * Asks the person to sign in again.
 * @returns {Promise<boolean>} true when they did
 */
export function requestSignIn() {
  if (signInAgain === null) return Promise.resolve(false);
  pendingSignIn ??= signInAgain().finally(() => {
    pendingSignIn = null;
  });
  return pendingSignIn;
}

/**
 * Sends a request with the session cookie and returns the response unread (for streams and files). If the session has
 * ended and `init` has no key, the person is asked to sign in, and the request is sent again.
 * @param {string} path such as `/v1/chat/completions`
 * @param {RequestInit & { keepSession?: boolean }} [init] keepSession: return a 401 without asking to sign in
 * @returns {Promise<Response>} with any status
 * @throws {ApiError} status 0 when there was no response; an AbortError when the caller's signal aborted the request
 */
export async function raw(path, init = {}) {
  const { keepSession = false, ...request } = init;
  const send = async () => {
    try {
      const url = new URL(path.replace(/^\//, ''), root());
      const response = await fetch(url, { credentials: 'same-origin', ...request });
      noteServerTime(response.headers.get('date'));
      return response;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      dispatchEvent(new Event('server-unreachable'));
      throw new ApiError('The server does not answer. Your input is still here: try again in a moment.', {
        status: 0,
      });
    }
  };
  const response = await send();
  if (response.status !== 401 || keepSession || new Headers(request.headers).has('authorization'))
    return response;
  return (await requestSignIn()) ? send() : response;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {RequestInit & { keepSession?: boolean }} [init]
 * @returns {Promise<any>} the JSON of the response; null when it has no JSON
 * @throws {ApiError}
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
 * Reads an error response.
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
 * The absolute URL of a page.
 * @param {string} name such as `admin.html`
 */
export function pageUrl(name) {
  return new URL(name, root()).href;
}

/** The base URL for API clients. */
export function baseUrl() {
  return new URL('v1', root()).href;
}

/**
 * The text to show for a caught value.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
