/** Chats and their messages: every change is one transaction on the records that it concerns, so that tabs lose nothing to each other. */
import { countFileBytes, FILE_STORES, keepFile, removeFiles, takeOutFile } from './files.js';
import { HistoryError } from './history-error.js';
import { createId, fromChatRecord, orderKey, RANK_DELETED, toChatRecord } from './records.js';

/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').Message} Message */

/** How long a deleted chat can be restored. */
const UNDO_MS = 60_000;
const PAGE = 100;

/**
 * @param {{ driver: import('./types.js').Driver, notify: (change: import('./types.js').Change) => void, now: () => number }} options
 */
export function createChats({ driver, notify, now }) {
  /**
   * @param {import('./types.js').Transaction} transaction
   * @param {string} id
   * @returns {Promise<import('./types.js').ChatRecord>} also a chat that can still be restored
   * @throws {HistoryError} `chat-gone`
   */
  async function find(transaction, id) {
    const record = await transaction.get('chats', id);
    if (record) return record;
    throw new HistoryError('chat-gone', 'This chat was deleted, maybe in another tab.');
  }

  /**
   * @param {string} id
   * @param {(record: import('./types.js').ChatRecord) => import('./types.js').ChatRecord} change
   */
  async function changeChat(id, change) {
    const changed = await driver.run('readwrite', ['chats'], async (transaction) => {
      const record = change(await find(transaction, id));
      await transaction.put('chats', record);
      return record;
    });
    notify({ type: 'chat', chatId: id });
    return fromChatRecord(changed);
  }

  /** Until deleted chats are removed for good. */
  let timer = 0;

  /** Removes for good what can no longer be restored. */
  async function purge() {
    const latest = now() - UNDO_MS;
    await driver.run('readwrite', ['chats', 'messages', 'drafts', ...FILE_STORES], async (transaction) => {
      const deleted = await transaction.newest({ from: [RANK_DELETED], before: [0], limit: PAGE });
      for (const { id, deletedAt = 0 } of deleted) {
        if (deletedAt > latest) continue;
        for (const messageId of await transaction.idsWithChat('messages', id))
          await transaction.remove('messages', messageId);
        await removeFiles(transaction, id);
        await transaction.remove('drafts', id);
        await transaction.remove('chats', id);
      }
    });
  }

  return {
    purge,
    close: () => clearTimeout(timer),

    /**
     * @param {Partial<Chat>} fields
     * @returns {Promise<Chat>}
     */
    async createChat(fields) {
      const at = now();
      const chat = {
        id: createId(),
        title: '',
        createdAt: at,
        updatedAt: at,
        pinned: false,
        modelId: null,
        system: '',
        temperature: null,
        maxTokens: null,
        leafId: null,
        ...fields,
      };
      const record = toChatRecord(chat);
      await driver.run('readwrite', ['chats'], (transaction) => transaction.put('chats', record));
      notify({ type: 'chat', chatId: record.id });
      return fromChatRecord(record);
    },

    /**
     * @param {string} id
     * @returns {Promise<Chat | null>} null for a deleted chat
     */
    async getChat(id) {
      const record = await driver.run('readonly', ['chats'], (transaction) => transaction.get('chats', id));
      return record && record.rank !== RANK_DELETED ? fromChatRecord(record) : null;
    },

    /**
     * Changes some fields; the other fields keep what other tabs wrote. The place in the list stays.
     * @param {string} id
     * @param {Partial<Omit<Chat, 'id' | 'createdAt' | 'updatedAt'>>} fields
     * @returns {Promise<Chat>}
     * @throws {HistoryError} `chat-gone`
     */
    updateChat: (id, fields) =>
      changeChat(id, (record) => {
        const { rank, deletedAt } = record;
        const next = toChatRecord({ ...fromChatRecord(record), ...fields, id });
        return deletedAt === undefined ? next : { ...next, rank, deletedAt };
      }),

    /**
     * A page of the list: pinned chats first, then by the last change.
     * @param {{ after?: Chat | null, limit?: number }} [options] after: the last chat of the page before
     * @returns {Promise<Chat[]>} fewer than `limit` at the end of the list
     */
    async listChats({ after = null, limit = PAGE } = {}) {
      const before = after && orderKey(toChatRecord(after));
      const records = await driver.run('readonly', ['chats'], (transaction) =>
        transaction.newest({ from: [0], before, limit }),
      );
      return records.map(fromChatRecord);
    },

    /**
     * Adds a message, or replaces the one with its id, and moves its chat to the top of the list. Files that are still
     * data URLs are taken out and kept apart.
     * @param {Message} message
     * @param {{ isLeaf?: boolean }} [options] isLeaf: the chat shows the branch that ends here
     * @returns {Promise<Message>} as stored
     * @throws {HistoryError} `chat-gone`; `file-too-large` or `files-full`: nothing was saved, save it without the file
     */
    async saveMessage(message, { isLeaf = false } = {}) {
      const files = message.attachments.map(takeOutFile);
      const attachments = files.map(({ attachment }) => attachment);
      const saved = { ...message, attachments };
      await driver.run('readwrite', ['chats', 'messages', ...FILE_STORES], async (transaction) => {
        const chat = await find(transaction, message.chatId);
        for (const { attachment, blob } of files) {
          if (!blob || !attachment.blobId) continue;
          const { name, blobId: id } = attachment;
          await keepFile(transaction, { id, chatId: chat.id, blob, name });
        }
        await transaction.put('messages', saved);
        const updatedAt = Math.max(chat.updatedAt, now());
        await transaction.put('chats', { ...chat, updatedAt, leafId: isLeaf ? message.id : chat.leafId });
      });
      notify({ type: 'chat', chatId: message.chatId });
      return saved;
    },

    /**
     * All messages of a chat, all branches, in the order in which they were made.
     * @param {string} chatId
     * @returns {Promise<Message[]>}
     */
    async loadMessages(chatId) {
      const messages = await driver.run('readonly', ['messages'], (transaction) =>
        transaction.withChat('messages', chatId),
      );
      return messages.sort((a, b) => a.createdAt - b.createdAt);
    },

    /**
     * Takes a chat out of the list. It can be restored for a minute; then it is removed with all its messages and files.
     * @param {string} id
     * @throws {HistoryError} `chat-gone`
     */
    async deleteChat(id) {
      await changeChat(id, (record) => ({ ...record, rank: RANK_DELETED, deletedAt: now() }));
      clearTimeout(timer);
      timer = setTimeout(() => void purge().catch(() => {}), UNDO_MS + 1000);
    },

    /**
     * @param {string} id
     * @returns {Promise<Chat>}
     * @throws {HistoryError} `chat-gone` when the minute is over
     */
    restoreChat: (id) => changeChat(id, (record) => toChatRecord(fromChatRecord(record))),

    /** Removes all chats with their messages, drafts and files, and all presets, at once. */
    async clear() {
      const stores = /** @type {const} */ (['chats', 'messages', 'presets', 'drafts', ...FILE_STORES]);
      await driver.run('readwrite', stores, async (transaction) => {
        for (const store of stores) await transaction.clear(store);
      });
      notify({ type: 'chats' });
      notify({ type: 'presets' });
    },

    /**
     * @param {string} chatId
     * @param {File} file
     * @returns {Promise<import('./types.js').Attachment>} for a message of this chat
     * @throws {HistoryError} `file-too-large`, `files-full`, `chat-gone`
     */
    async addFile(chatId, file) {
      const { name, size, type } = file;
      const id = createId();
      await driver.run('readwrite', ['chats', ...FILE_STORES], async (transaction) => {
        await find(transaction, chatId);
        await keepFile(transaction, { id, chatId, blob: file, name });
      });
      return { blobId: id, name, type, size };
    },

    /**
     * @param {string} blobId
     * @returns {Promise<Blob | null>}
     */
    async getFile(blobId) {
      const record = await driver.run('readonly', ['blobs'], (transaction) =>
        transaction.get('blobs', blobId),
      );
      return record?.blob ?? null;
    },

    /** The size of all files together. */
    countFileBytes: () => driver.run('readonly', ['totals'], countFileBytes),
  };
}
