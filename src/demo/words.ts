/**
 * Splits a text into the pieces that the demo provider streams and counts as tokens: at most six characters
 * with the white space before them. Joined, the pieces give the text again.
 */
export function toPieces(text: string): string[] {
  return text.match(/\s{0,16}\S{1,6}|\s{1,16}/gu) ?? [];
}

/** Estimates the tokens of an input text: one for every four UTF-16 units, the usual rule of thumb. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Writes a number with its noun: `1 byte`, `1,234 bytes`. */
export function count(amount: number, noun: string): string {
  return `${amount.toLocaleString('en-US')} ${noun}${amount === 1 ? '' : 's'}`;
}
