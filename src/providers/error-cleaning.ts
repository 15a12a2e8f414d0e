import type { ErrorObject } from '../errors.ts';
import { toErrorObject } from '../protocols/upstream-errors.ts';
import { redact, redactMembers } from '../redaction.ts';

/** An upstream's error body as an error object without the provider's key. */
export function readError(status: number, body: string, secrets: readonly string[]): ErrorObject {
  // Redact before `toErrorObject` truncates: half a key would not be recognised.
  return cleanError(toErrorObject(status, redact(body, secrets)), secrets);
}

/** Values nested deeper in an error become null. */
const ERROR_DEPTH = 8;

/** An upstream's error with the provider's key removed from all names and values. */
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
