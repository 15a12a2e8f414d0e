import type { HttpError } from '../../src/errors.ts';

/** The value of a header that an error is answered with. */
export function errorHeader({ headers }: HttpError, name: string): string | undefined {
  const at = headers.indexOf(name);
  return at < 0 ? undefined : headers[at + 1];
}
