/** Export to files and import from them. Ids are kept, so that a second import adds nothing twice. */
import { FILE_STORES, keepFile, takeOutFile, toDataUrl } from './files.js';
import { HistoryError } from './history-error.js';
import { checkImport, FORMAT, VERSION } from './import-check.js';
import { fileNameFor, toMarkdown } from './markdown-file.js';
import { RANK_DELETED, toChatRecord } from './records.js';
import { branchTo } from './tree.js';

/** A string of V8 has at most 512 MB. An export has at most 67 MB of files. */
const MAX_IMPORT_BYTES = 256 * 1024 * 1024;
/** Chats in one transaction. */
const BATCH = 50;

/** @typedef {{ chats: number, messages: number, presets: number, skipped: number, filesLeftOut: number }} ImportReport what was added */
/** @typedef {{ signal?: AbortSignal, onProgress?: (progress: { done: number, total: number }) => void }} TransferOptions */
/** @typedef {{ name: string, blob: Blob }} ExportedFile */

/**
 * @param {{
 *   driver: import('./types.js').Driver, chats: ReturnType<typeof import('./chats.js').createChats>,
 *   presets: ReturnType<typeof import('./presets.js').createPresets>,
 *   notify: (change: import('./types.js').Change) => void, now: () => number,
 * }} options
 */
export function createTransfer({ driver, chats, presets, notify, now }) {
  /**
   * A message with its files in it, as data URLs.
   * @param {import('./types.js').Message} message
   */
  async function withFiles(message) {
    const attachments = [];
    for (const { blobId, name, type, size } of message.attachments) {
      const blob = blobId ? await chats.getFile(blobId) : null;
      const dataUrl = blob && (await toDataUrl(new Blob([blob], { type })));
      attachments.push({ name, type, size, ...(dataUrl ? { dataUrl } : {}) });
    }
    return { ...message, attachments };
  }

  /** @param {import('./types.js').Chat} chat */
  async function toJson(chat) {
    const messages = await Promise.all((await chats.loadMessages(chat.id)).map(withFiles));
    return JSON.stringify({ ...chat, messages });
  }

  /**
   * Adds a chat and its texts.
   * @param {import('./types.js').Transaction} transaction
   * @param {import('./import-check.js').WholeChat} whole
   * @param {ImportReport} report
   * @returns {Promise<import('./types.js').Message[]>} new messages with files, which are still to be added
   */
  async function addTexts(transaction, { chat, messages }, report) {
    const known = await transaction.get('chats', chat.id);
    const isDeleted = known?.rank === RANK_DELETED;
    if (!known) report.chats++;
    if (!known || isDeleted || known.updatedAt < chat.updatedAt)
      await transaction.put(
        'chats',
        toChatRecord(isDeleted && known.updatedAt > chat.updatedAt ? known : chat),
      );
    const isKnown = await Promise.all(messages.map(({ id }) => transaction.has('messages', id)));
    const added = messages.filter((_, index) => !isKnown[index]);
    report.messages += added.length;
    const texts = added.filter(({ attachments }) => attachments.length === 0);
    await Promise.all(texts.map((message) => transaction.put('messages', message)));
    return added.filter(({ attachments }) => attachments.length > 0);
  }

  /**
   * @param {import('./types.js').Transaction} transaction
   * @param {import('./types.js').Message} message
   * @param {ImportReport} report
   */
  async function addWithFiles(transaction, message, report) {
    const attachments = [];
    for (const one of message.attachments) {
      const { attachment, blob } = takeOutFile(one);
      const { name, blobId: id } = attachment;
      if (blob && id) {
        const isKept = await keepFile(transaction, { id, chatId: message.chatId, blob, name }).then(
          () => true,
          (error) => {
            if (error instanceof HistoryError) return false;
            throw error;
          },
        );
        if (!isKept) {
          report.filesLeftOut++;
          attachment.blobId = null;
        }
      }
      attachments.push(attachment);
    }
    await transaction.put('messages', { ...message, attachments });
  }

  return {
    /**
     * All chats with their messages and files, and the presets, as one JSON file.
     * @param {TransferOptions} [options]
     * @returns {Promise<ExportedFile>}
     */
    async exportAll({ signal, onProgress } = {}) {
      const total = await driver.run('readonly', ['chats'], (transaction) => transaction.count('chats'));
      const exportedAt = new Date(now()).toISOString();
      const head = { format: FORMAT, version: VERSION, exportedAt, presets: await presets.listPresets() };
      const parts = [`${JSON.stringify(head).slice(0, -1)},"chats":[`];
      let done = 0;
      /** @type {import('./types.js').Chat | null} */
      let after = null;
      for (;;) {
        /** @type {import('./types.js').Chat[]} */
        const page = await chats.listChats({ after, limit: BATCH });
        signal?.throwIfAborted();
        const texts = await Promise.all(page.map(toJson));
        parts.push(...texts.map((text, index) => `${done + index > 0 ? ',' : ''}\n${text}`));
        done += page.length;
        onProgress?.({ done, total });
        after = page.at(-1) ?? null;
        if (page.length < BATCH) break;
      }
      parts.push('\n]}\n');
      const blob = new Blob(parts, { type: 'application/json' });
      return { name: `ipin-chats-${exportedAt.slice(0, 10)}.json`, blob };
    },

    /**
     * The branch of a chat that is shown, as Markdown.
     * @param {string} id
     * @returns {Promise<ExportedFile>}
     * @throws {HistoryError} `chat-gone`
     */
    async exportMarkdown(id) {
      const chat = await chats.getChat(id);
      if (!chat) throw new HistoryError('chat-gone', 'This chat was deleted, maybe in another tab.');
      const messages = await chats.loadMessages(id);
      const branch = branchTo(messages, chat.leafId ?? messages.at(-1)?.id ?? null);
      const blob = new Blob([toMarkdown(chat, branch)], { type: 'text/markdown' });
      return { name: fileNameFor(chat.title, 'md'), blob };
    },

    /**
     * Adds what an exported file has and the history has not. Of a chat that both have, the newer title and settings hold.
     * @param {Blob} file
     * @param {TransferOptions} [options]
     * @returns {Promise<ImportReport>}
     * @throws {HistoryError} `bad-file`; `quota`: what was added until then stays
     */
    async importFile(file, { signal, onProgress } = {}) {
      if (file.size > MAX_IMPORT_BYTES)
        throw new HistoryError('bad-file', 'This file is too large: an import may have 256 MB.');
      const checked = checkImport(parse(await file.text()), now());
      const total = checked.chats.length;
      /** @type {ImportReport} */
      const report = { chats: 0, messages: 0, presets: 0, skipped: checked.skipped, filesLeftOut: 0 };
      try {
        for (let start = 0; start < total; start += BATCH) {
          signal?.throwIfAborted();
          const batch = checked.chats.slice(start, start + BATCH);
          await driver.run('readwrite', ['chats', 'messages', ...FILE_STORES], async (transaction) => {
            const rest = await Promise.all(batch.map((whole) => addTexts(transaction, whole, report)));
            // One after the other, because each adds to the sum of all files.
            for (const message of rest.flat()) await addWithFiles(transaction, message, report);
          });
          onProgress?.({ done: Math.min(start + BATCH, total), total });
        }
        await driver.run('readwrite', ['presets'], async (transaction) => {
          for (const preset of checked.presets) {
            if (await transaction.get('presets', preset.id)) continue;
            await transaction.put('presets', preset);
            report.presets++;
          }
        });
      } finally {
        notify({ type: 'chats' });
        notify({ type: 'presets' });
      }
      return report;
    },
  };
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new HistoryError('bad-file', 'This file is not an export of chats: it has no valid JSON.');
  }
}
