/** The search over titles and texts, newest chats first. */
import { fromChatRecord, orderKey } from './records.js';

/** Chats whose messages are in memory at the same time. */
const BATCH = 25;
export const MAX_FOUND = 100;
const SNIPPET_LENGTH = 90;
/** Letters before the word: a row shows about forty. */
const LEAD_LENGTH = 12;

/**
 * A text in small letters, of the same length: İ, the one letter that would become longer (Unicode's SpecialCasing.txt), is
 * taken for an i.
 * @param {string} text
 */
export const fold = (text) => text.replaceAll('İ', 'i').toLowerCase();

/** The words of a search, in small letters. @param {string} query */
export const wordsOf = (query) => fold(query).split(/\s+/).filter(Boolean);

/**
 * @typedef {{ chat: import('./types.js').Chat, messageId: string | null, snippet: string | null }} Found messageId: the first
 *   message that has the words; snippet: of its text, around the first word. Both are null where the title has them
 */
/**
 * @typedef {{
 *   signal?: AbortSignal, onProgress?: (progress: { done: number, total: number, found: readonly Found[] }) => void,
 * }} SearchOptions onProgress: after each batch of chats
 */

/**
 * Finds chats that have all the words in their title, or in one message. Ends early after 100 chats.
 * @param {import('./types.js').Driver} driver
 * @param {string} query
 * @param {SearchOptions} [options]
 * @returns {Promise<Found[]>}
 * @throws {DOMException} AbortError
 */
export async function searchChats(driver, query, { signal, onProgress } = {}) {
  const words = wordsOf(query);
  /** @type {Found[]} */
  const found = [];
  if (words.length === 0) return found;
  const total = await driver.run('readonly', ['chats'], (transaction) => transaction.count('chats'));
  /** @type {import('./types.js').Key | null} */
  let before = null;
  let done = 0;
  for (;;) {
    signal?.throwIfAborted();
    const batch = await readBatch(driver, before);
    signal?.throwIfAborted();
    for (const { record, messages } of batch) {
      const hit = match(record, messages, words);
      if (hit && found.length < MAX_FOUND) found.push({ chat: fromChatRecord(record), ...hit });
    }
    done += batch.length;
    onProgress?.({ done, total, found });
    const last = batch.at(-1);
    if (!last || batch.length < BATCH || found.length >= MAX_FOUND) return found;
    before = orderKey(last.record);
  }
}

/**
 * @param {import('./types.js').Driver} driver
 * @param {import('./types.js').Key | null} before
 */
function readBatch(driver, before) {
  return driver.run('readonly', ['chats', 'messages'], async (transaction) => {
    const records = await transaction.newest({ from: [0], before, limit: BATCH });
    return Promise.all(
      records.map(async (record) => ({
        record,
        messages: await transaction.withChat('messages', record.id),
      })),
    );
  });
}

/**
 * @param {import('./types.js').ChatRecord} record
 * @param {readonly import('./types.js').Message[]} messages
 * @param {readonly string[]} words
 * @returns {Omit<Found, 'chat'> | null}
 */
function match(record, messages, words) {
  if (hasAll(record.title, words)) return { messageId: null, snippet: null };
  const hit = messages.find(({ text }) => hasAll(text, words));
  return hit ? { messageId: hit.id, snippet: snippetOf(hit.text, words[0]) } : null;
}

/** @param {string} text @param {readonly string[]} words */
function hasAll(text, words) {
  const folded = fold(text);
  return words.every((word) => folded.includes(word));
}

/**
 * A piece of a text around a word, without the signs of Markdown that stand around words.
 * @param {string} text
 * @param {string} word
 */
export function snippetOf(text, word) {
  const at = Math.max(0, fold(text).indexOf(word));
  const start = Math.max(0, at - LEAD_LENGTH);
  const end = Math.min(text.length, start + SNIPPET_LENGTH);
  const piece = text
    .slice(start, end)
    .replace(/[*`#]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return `${start > 0 ? '…' : ''}${piece}${end < text.length ? '…' : ''}`;
}
