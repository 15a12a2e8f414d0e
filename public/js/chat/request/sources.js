/** The sources of an answer, as the vendors give them. Has no DOM. */

import { toSource } from '../history/message-fields.js';

/** @typedef {import('../types.js').Source} Source */

const MOST_SOURCES = 50;

/**
 * Sources in a chunk or a whole completion: `annotations` with `url_citation` (OpenAI, OpenRouter), `search_results` and
 * `citations` (Perplexity). Only http and https addresses.
 * @param {any} chunk
 * @param {any} piece the delta or the message
 * @returns {Source[]}
 */
export function readSources(chunk, piece) {
  const annotations = listOf(piece?.annotations).map((one) => one?.url_citation ?? one);
  const results = listOf(chunk?.search_results);
  const citations = results.length > 0 ? [] : listOf(chunk?.citations).map((url) => ({ url }));
  return [...annotations, ...results, ...citations].slice(0, MOST_SOURCES).flatMap(toSource);
}

/**
 * Adds sources to those that are known; each address once.
 * @param {readonly Source[]} known
 * @param {readonly Source[]} more
 */
export function mergeSources(known, more) {
  const all = new Map(known.map((source) => [source.url, source]));
  for (const source of more) if (!all.has(source.url)) all.set(source.url, source);
  return [...all.values()].slice(0, MOST_SOURCES);
}

/** @param {unknown} value @returns {any[]} */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}
