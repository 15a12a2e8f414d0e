import type { HttpError } from '../../errors.ts';
import { isContextOverflow } from '../../protocols/context-overflow.ts';

const TOLD = /^prompt is too long: \d+ tokens > \d+ maximum/;
const UNKNOWN_TOKENS = 200_000;

/**
 * The message by which clients of the Messages API recognise a prompt that is too long, and begin to shorten the conversation;
 * null for other errors. The numbers are the provider's, where it names any.
 */
export function tooLongPrompt(error: HttpError): string | null {
  if (!isContextOverflow(error)) return null;
  const { message } = error.error;
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
