/** Chats and messages as they are stored. */

/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').ChatRecord} ChatRecord */

export const RANK_DELETED = -1;
export const MAX_TITLE_LENGTH = 300;

/** A new id: 128 random bits. `crypto.randomUUID` is missing on pages of plain http. */
export function createId() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {Chat} chat
 * @returns {ChatRecord}
 */
export function toChatRecord(chat) {
  const { id, createdAt, updatedAt, pinned, modelId, system, temperature, maxTokens, leafId } = chat;
  const title = tidyTitle(chat.title);
  const rank = pinned ? 1 : 0;
  return { id, title, createdAt, updatedAt, pinned, modelId, system, temperature, maxTokens, leafId, rank };
}

/**
 * @param {ChatRecord} record
 * @returns {Chat}
 */
export function fromChatRecord({ rank: _rank, deletedAt: _deletedAt, ...chat }) {
  return chat;
}

/**
 * A title on one line, shortened.
 * @param {string} title
 */
export function tidyTitle(title) {
  return title.replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE_LENGTH) || 'New chat';
}

/**
 * Where a chat is in the order of the list.
 * @param {{ rank: number, updatedAt: number, id: string }} chat
 * @returns {[number, number, string]}
 */
export function orderKey({ rank, updatedAt, id }) {
  return [rank, updatedAt, id];
}
