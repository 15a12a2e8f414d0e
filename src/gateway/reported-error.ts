import { type ErrorObject, HttpError } from '../errors.ts';
import { cleanError } from '../protocols/upstream-errors.ts';

/**
 * An error that a provider reported in a response with status 200: as its whole body, or in a stream before any content. It has
 * the provider's own type and code.
 */
export class ReportedError extends HttpError {
  /** The status that the error stands for: its numeric code, 400 for a wrong request, else 502. */
  readonly reportedStatus: number;

  /** @param secrets the spellings of the provider's keys, removed from the error */
  constructor(error: ErrorObject, secrets: readonly string[]) {
    const clean = cleanError(error, secrets);
    super('upstream_invalid_response', clean.message);
    this.reportedStatus = statusOf(error);
    Object.assign(this, { status: this.reportedStatus, error: clean });
  }
}

/** The error's code may hold the status (OpenRouter, vLLM, Gemini). */
function statusOf({ code, type }: ErrorObject): number {
  const status = Number(code);
  if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  return type === 'invalid_request_error' ? 400 : 502;
}
