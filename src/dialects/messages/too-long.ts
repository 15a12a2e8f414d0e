import type { HttpError } from '../../errors.ts';

const TOLD = /^prompt is too long: \d+ tokens > \d+ maximum/;
const CODES: readonly string[] = [
  'context_length_exceeded',
  'exceed_context_size_error',
  'string_above_max_length',
];
/** How vendors say that a prompt is longer than the model's context. */
const WORDS =
  /maximum context length|context[ _](length|window|size)|prompt is too long|(input|prompt|request) (is )?too long|too many (input )?tokens|(input|prompt).{0,40}exceeds? .{0,40}(token|limit|maximum)|input token count/i;
const UNKNOWN_TOKENS = 200_000;

/**
 * The message by which clients of the Messages API recognise a prompt that is too long, and begin to shorten the conversation;
 * null for other errors. The numbers are the provider's, where it names any.
 */
export function tooLongPrompt({ status, error }: HttpError): string | null {
  const { message, code, type } = error;
  const isCoded = CODES.some((name) => name === code || name === type);
  const isCallers = status === 400 || status === 413 || status === 422;
  if (!isCoded && !(isCallers && WORDS.test(message))) return null;
  const [told] = TOLD.exec(message) ?? [];
  if (told !== undefined) return told;
  const numbers = numbersIn(message);
  const most = Math.max(...numbers, 0);
  const limit = Math.max(...numbers.filter((number) => number < most), 0);
  if (limit > 0) return tooLong(most, limit);
  return most > 0 ? tooLong(most + 1, most) : tooLong(UNKNOWN_TOKENS + 1, UNKNOWN_TOKENS);
}

function tooLong(tokens: number, limit: number): string {
  return `prompt is too long: ${tokens} tokens > ${limit} maximum`;
}

/** Numbers that may count tokens; smaller ones are parts of names. */
function numbersIn(text: string): number[] {
  const found = text.match(/(?<![\w.-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.-])\d{3,9}(?![\w-])/g) ?? [];
  return found.map((number) => Number(number.replaceAll(',', ''))).filter((number) => number >= 256);
}
