/** What went wrong with a request, in the server's own words. No DOM here. */
import { duration } from '../lib/format.js';

/** @typedef {{ status?: number, code?: string | null, requestId?: string | null }} FailureDetail */

export class ServerFailure extends Error {
  /**
   * @param {string} message as the server said it
   * @param {FailureDetail} [detail] status 0: none was received
   */
  constructor(message, { status = 0, code = null, requestId = null } = {}) {
    super(message);
    this.name = 'ServerFailure';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

const MAX_TEXT_CHARS = 1000;

/**
 * Finds the error in a parsed answer or stream event: OpenAI's `{"error":{...}}`, or `{"object":"error"}` as vLLM sends it.
 * @param {any} body
 * @param {FailureDetail} detail
 * @returns {ServerFailure | null} null where there is none
 */
export function failureIn(body, detail) {
  const error = body?.error ?? (body?.object === 'error' ? body : null);
  if (error === null || error === undefined || error === false) return null;
  const message = typeof error === 'string' ? error : error.message;
  const code = error.code ?? error.type ?? null;
  return new ServerFailure(
    typeof message === 'string' && message !== '' ? message : JSON.stringify(error).slice(0, MAX_TEXT_CHARS),
    { ...detail, code: code === null ? null : String(code) },
  );
}

/**
 * Reads the answer to a request that failed, whatever its form.
 * @param {Response} response
 * @returns {Promise<ServerFailure>}
 */
export async function readFailure(response) {
  const detail = { status: response.status, requestId: response.headers.get('x-request-id') };
  const text = await response.text().catch(() => '');
  const failure =
    failureIn(parseJson(text), detail) ??
    new ServerFailure(
      text.trim().slice(0, MAX_TEXT_CHARS) || `The server answered with status ${response.status}.`,
      detail,
    );
  failure.message += describeWait(Number.parseInt(response.headers.get('retry-after') ?? '', 10));
  return failure;
}

/**
 * How long to wait, never too short, in a line of its own; empty where it is not said in seconds.
 * @param {number} seconds
 */
function describeWait(seconds) {
  if (!(seconds > 0)) return '';
  return `\nTry again in ${duration(seconds < 60 ? seconds : seconds + 59)}.`;
}

/**
 * @param {string} text
 * @returns {any} undefined where it is no JSON
 */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Turns anything thrown into a failure.
 * @param {unknown} error
 * @param {string} button asks again
 * @returns {ServerFailure}
 */
export function toFailure(error, button) {
  if (error instanceof ServerFailure) return error;
  // What browsers throw where an answer ends too early, each in words of its own that say as little.
  if (error instanceof TypeError)
    return new ServerFailure(`The connection broke off. Press ${button} to ask again.`);
  return new ServerFailure(error instanceof Error ? error.message : String(error));
}

/**
 * Code, status and request id in one line, for people who report it; no status where that one was good.
 * @param {ServerFailure} failure
 */
export function describeFailure({ code, status, requestId }) {
  const parts = [
    code,
    status && status >= 400 ? `HTTP ${status}` : null,
    requestId ? `request id ${requestId}` : null,
  ];
  return parts.filter(Boolean).join(' · ');
}
