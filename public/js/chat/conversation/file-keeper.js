/** The files of messages: in the history, and in memory for as long as the page is open. */
import { messageOf } from '../../lib/api.js';
import { toast } from '../../lib/toast.js';
import { HistoryError } from '../history/history-error.js';

/** @typedef {import('../types.js').Attachment} Attachment */

/**
 * @param {() => import('../history/open-history.js').History} history
 */
export function createFileKeeper(history) {
  /** @type {WeakMap<Attachment, File>} */
  const inMemory = new WeakMap();

  return {
    /**
     * @param {Attachment} attachment
     * @returns {Promise<File | null>} null if the file is not in this browser any more
     */
    async load(attachment) {
      const known = inMemory.get(attachment);
      if (known) return known;
      const { blobId, name, type } = attachment;
      const blob = blobId
        ? await history()
            .getFile(blobId)
            .catch(() => null)
        : null;
      if (!blob) return null;
      const file = new File([blob], name, { type });
      inMemory.set(attachment, file);
      return file;
    },
    /**
     * Keeps a file with a chat. One that the history refuses lasts until the page is closed.
     * @param {string} chatId
     * @param {File} file
     * @returns {Promise<Attachment>}
     */
    async keep(chatId, file) {
      /** @type {Attachment} */
      let attachment = { name: file.name, type: file.type, size: file.size };
      try {
        attachment = await history().addFile(chatId, file);
      } catch (error) {
        if (!(error instanceof HistoryError)) throw error;
        toast.info(messageOf(error));
      }
      inMemory.set(attachment, file);
      return attachment;
    },
  };
}
/** @typedef {ReturnType<typeof createFileKeeper>} FileKeeper */
