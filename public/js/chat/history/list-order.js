/** The chats of the list as far as they are loaded. */
import { orderKey, toChatRecord } from './records.js';

/** @typedef {import('./types.js').Chat} Chat */

/**
 * Puts a chat where it belongs now.
 * @param {readonly Chat[]} chats in the order of the list
 * @param {Chat} chat
 * @param {boolean} isComplete false: a chat below the last one is not loaded yet, and comes with its page
 * @returns {Chat[]}
 */
export function placeChat(chats, chat, isComplete) {
  const others = withoutChat(chats, chat.id);
  const index = others.findIndex((other) => isBefore(chat, other));
  if (index >= 0) return others.toSpliced(index, 0, chat);
  return isComplete ? [...others, chat] : others;
}

/**
 * @param {readonly Chat[]} chats
 * @param {string} id
 */
export function withoutChat(chats, id) {
  return chats.filter((chat) => chat.id !== id);
}

/** @param {Chat} a @param {Chat} b */
function isBefore(a, b) {
  const [left, right] = [orderKey(toChatRecord(a)), orderKey(toChatRecord(b))];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value > right[index];
  return false;
}
