import { ERRORS, type HttpError } from '../errors.ts';

/** OpenAI's code for a conversation that is too long for the model. */
export const CONTEXT_OVERFLOW = 'context_length_exceeded';

/** OpenAI's and most others'; llama.cpp's; OpenAI's for a single text. */
const CODES: readonly string[] = [CONTEXT_OVERFLOW, 'exceed_context_size_error', 'string_above_max_length'];
/** How vendors say it who have no code for it. */
const WORDS =
  /maximum context length|context (length|window|size)|(prompt|input|request)( is)? too long|too many (input )?tokens|(input|prompt).{0,40}exceeds? .{0,40}(token|limit|maximum)|maximum prompt length|input token count|reduce the length of (the|your) (messages|prompt|input)/i;
/** Where these words can mean it: a mistake of the caller, or an error within a stream. */
const STATUSES: readonly number[] = [400, 413, 422, 502];

/** True for an error of a provider that says that the conversation is too long for the model. */
export function isContextOverflow({ status, error: { code, type, message } }: HttpError): boolean {
  if (CODES.some((name) => name === code || name === type)) return true;
  // This server's own errors may repeat the same words of a request.
  const isOwn = code !== null && Object.hasOwn(ERRORS, code);
  return !isOwn && STATUSES.includes(status) && WORDS.test(message);
}
