/** The speed of an answer. Has no DOM. */

/**
 * @typedef {{ startMs: number, firstMs: number | null, endMs: number, characters: { ascii: number, other: number }, usage: import('./chat-request.js').Usage | null }} Measured
 */

/** If the answer arrived in less time, it arrived all at once, and a rate would mean nothing. */
const SHORTEST_RATE_MS = 50;

/**
 * Counts characters, to estimate tokens: ASCII characters make fewer tokens than others.
 * @param {string} text
 */
export function countCharacters(text) {
  let other = 0;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) other += 1;
  return { ascii: text.length - other, other };
}

/**
 * `0.42 s to first token · 128 tokens · 56.3 tokens/s`; estimates are marked with ~.
 * @param {Measured} measured
 * @returns {string}
 */
export function describeSpeed({ startMs, firstMs, endMs, characters, usage }) {
  if (firstMs === null) return `${seconds(endMs - startMs)} in total`;
  const counted = usage?.completionTokens ?? null;
  const tokens = counted ?? Math.ceil(characters.ascii / 4 + characters.other / 1.5);
  const mark = counted === null ? '~' : '';
  const spanMs = endMs - firstMs;
  const parts = [`${seconds(firstMs - startMs)} to first token`];
  if (usage?.promptTokens) parts.push(`${usage.promptTokens} in`);
  // If there are only tool calls, there is no text to estimate from.
  if (tokens > 0 || counted !== null) parts.push(`${mark}${tokens} ${tokens === 1 ? 'token' : 'tokens'}`);
  if (tokens > 1 && spanMs >= SHORTEST_RATE_MS) {
    const rate = tokens / (spanMs / 1000);
    parts.push(`${mark}${rate < 100 ? rate.toFixed(1) : Math.round(rate)} tokens/s`);
  }
  return parts.join(' · ');
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
