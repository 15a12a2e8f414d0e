/** Errors of requests, in the server's own words. Has no DOM. */
import { duration } from '../../lib/format.js';

/** @typedef {{ status?: number, code?: string | null, requestId?: string | null }} FailureDetail */

export class ServerFailure extends Error {
  /**
   * @param {string} message from the server
   * @param {FailureDetail} [detail] status 0: there was no response
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
 * Finds the error in a parsed response or stream event: `{"error":{...}}` (OpenAI) or `{"object":"error"}` (vLLM).
 * @param {any} body
 * @param {FailureDetail} detail
 * @returns {ServerFailure | null} null without an error
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
 * Reads the response to a failed request: JSON or any text.
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
  // Most servers say it in their own words too.
  if (!/\btry again in\b/i.test(failure.message))
    failure.message += describeWait(Number.parseInt(response.headers.get('retry-after') ?? '', 10));
  return failure;
}

/**
 * A line that says how long to wait, rounded up; '' if the server did not say so in seconds.
 * @param {number} seconds may be NaN
 */
function describeWait(seconds) {
  if (!(seconds > 0)) return '';
  return `\nTry again in ${duration(seconds < 60 ? seconds : seconds + 59)}.`;
}

/**
 * @param {string} text
 * @returns {any} undefined for invalid JSON
 */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Converts a caught value.
 * @param {unknown} error
 * @param {string} button label of the button that repeats the request
 * @returns {ServerFailure}
 */
export function toFailure(error, button) {
  if (error instanceof ServerFailure) return error;
  // Thrown when a response ends too early. The messages of the browsers differ and explain nothing.
  if (error instanceof TypeError)
    return new ServerFailure(`The connection was interrupted. Press ${button} to try again.`);
  return new ServerFailure(error instanceof Error ? error.message : String(error));
}

/**
 * Code, status and request id in one line, for error reports. A status below 400 is left out.
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
