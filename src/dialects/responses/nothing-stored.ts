import { HttpError } from '../../errors.ts';

/** The refusal of input that OpenAI's servers would have stored. */
export function nothingStored(what: string): HttpError {
  const message = `${what} cannot be used, because nothing is stored here. Send the content itself (many SDKs do with \`store: false\`).`;
  return new HttpError('unsupported_parameter', message, { param: 'input' });
}
