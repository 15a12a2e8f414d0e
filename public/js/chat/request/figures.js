/** Tokens, costs and speed of messages. Has no DOM. */
import { milliseconds, number, requestCost } from '../../lib/format.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Price} Price */
/** @typedef {import('../types.js').Usage} Usage */

/** If the answer arrived in less time, it arrived all at once, and a rate would mean nothing. */
const SHORTEST_RATE_MS = 50;

/**
 * How many tokens a text makes, roughly: ASCII characters make fewer than others.
 * @param {string} text
 */
export function estimateTokens(text) {
  let other = 0;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) other += 1;
  return Math.ceil((text.length - other) / 4 + other / 1.5);
}

/**
 * What a usage costs at a price, in dollars: the rates above a threshold hold for the whole request. null: not known.
 * @param {Price | null} price
 * @param {Pick<Usage, 'promptTokens' | 'completionTokens'> & { cachedTokens?: number | null }} usage
 * @returns {number | null}
 */
export function costOf(price, { promptTokens, completionTokens, cachedTokens = null }) {
  if (!price) return null;
  const prompt = promptTokens ?? 0;
  const above = price.above && prompt > price.above.inputTokens ? price.above : null;
  const input = above?.inputPerMTok ?? price.inputPerMTok;
  const output = above?.outputPerMTok ?? price.outputPerMTok;
  const cached = above?.cachedInputPerMTok ?? price.cachedInputPerMTok ?? input;
  if (input === null || output === null) return null;
  const fromCache = Math.min(cachedTokens ?? 0, prompt);
  const tokens =
    (prompt - fromCache) * input + fromCache * (cached ?? input) + (completionTokens ?? 0) * output;
  return tokens / 1e6 + (price.perRequest ?? 0);
}

/**
 * The line under an answer: `1,284 in · 212 out · ≈ $0.0070 · 0.82 s to first token · 74 tok/s`. Guesses are marked with ≈.
 * @param {Pick<Message, 'text' | 'reasoning' | 'usage' | 'costUsd' | 'firstTokenMs' | 'durationMs' | 'error'>} message
 */
export function describeAnswer({ text, reasoning, usage, costUsd, firstTokenMs, durationMs, error }) {
  /** @type {string[]} */
  const parts = [];
  if (usage?.promptTokens) {
    const cached = usage.cachedTokens ? `, ${number(usage.cachedTokens)} cached` : '';
    parts.push(`${number(usage.promptTokens)} in${cached}`);
  }
  const counted = usage?.completionTokens ?? null;
  const isText = firstTokenMs !== null;
  const tokens = counted ?? (isText ? estimateTokens(text + reasoning) : 0);
  const mark = counted === null ? '≈ ' : '';
  if (tokens > 0) parts.push(`${mark}${number(tokens)} out`);
  if (costUsd !== null) parts.push(`≈ ${requestCost(costUsd)}`);
  if (error !== null && firstTokenMs === null) return parts.join(' · ');
  if (firstTokenMs !== null) parts.push(`${milliseconds(firstTokenMs)} to first token`);
  else if (durationMs !== null) parts.push(`${milliseconds(durationMs)} in total`);
  if (isText && durationMs !== null && tokens > 1 && durationMs - firstTokenMs >= SHORTEST_RATE_MS) {
    const rate = tokens / ((durationMs - firstTokenMs) / 1000);
    parts.push(`${mark}${rate < 10 ? rate.toFixed(1) : number(Math.round(rate))} tok/s`);
  }
  return parts.join(' · ');
}
