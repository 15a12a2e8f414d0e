/**
 * Splits a text into the pieces that the demo provider streams and counts as tokens: at most six characters
 * with the white space before them. The pieces joined give the text again.
 */
export function toPieces(text: string): string[] {
  return text.match(/\s{0,16}\S{1,6}|\s{1,16}/gu) ?? [];
}

/** Estimates the tokens of an input text: one for every four UTF-16 units, the usual rule of thumb. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
