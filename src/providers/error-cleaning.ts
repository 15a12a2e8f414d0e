import type { ErrorObject } from '../errors.ts';
import { toErrorObject } from '../protocols/upstream-errors.ts';
import { redact, redactMembers } from '../redaction.ts';

/** An upstream's error body as an error object without the provider's key. */
export function readError(status: number, body: string, secrets: readonly string[]): ErrorObject {
  // Before anything is cut: half a key is not recognised any more.
  return cleanError(toErrorObject(status, redact(body, secrets)), secrets);
}

/** Deeper than any error that tells something; what lies deeper is left out. */
const ERROR_DEPTH = 8;

/** An upstream's error without the provider's key, wherever in the error the key may stand. */
export function cleanError(error: ErrorObject, secrets: readonly string[]): ErrorObject {
  const { message, type, param, code, ...extra } = error;
  const clean = (text: string | null): string | null => (text === null ? null : redact(text, secrets));
  return {
    ...redactMembers(extra, secrets, ERROR_DEPTH),
    message: redact(message, secrets),
    type: clean(type),
    param: clean(param),
    code: clean(code),
  };
}
