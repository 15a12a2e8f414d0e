/** Opens the history of an account: chats, messages, files and presets in this browser. */
import { databaseName } from './account.js';
import { createChats } from './chats.js';
import { createDrafts } from './drafts.js';
import { toHistoryError } from './history-error.js';
import { createIndexedDbDriver } from './indexed-db.js';
import { createMemoryDriver } from './memory.js';
import { createPresets } from './presets.js';
import { MIGRATIONS } from './schema.js';

/** @typedef {Awaited<ReturnType<typeof openHistory>>} History */

/**
 * Opens the history of an account. It never fails: where the browser keeps nothing, the history is in memory.
 * @param {{ account: string, now?: () => number }} options account: from `accountName`
 */
export async function openHistory({ account, now = Date.now }) {
  const name = databaseName(account);
  /** @type {Set<(change: import('./types.js').Change) => void>} */
  const listeners = new Set();
  /** @param {import('./types.js').Change} change */
  const tell = (change) => {
    for (const listener of listeners) listener(change);
  };
  const { driver, whyNotKept } = await createDriver(name, () => tell({ type: 'outdated' }));
  // Chats in memory are those of one tab alone.
  const channel = whyNotKept === null ? new BroadcastChannel(name) : null;
  channel?.addEventListener('message', ({ data }) => tell(data));
  /** @param {import('./types.js').Change} change */
  const notify = (change) => {
    tell(change);
    channel?.postMessage(change);
  };
  const chats = createChats({ driver, notify, now });
  const presets = createPresets({ driver, notify });
  await chats.purge().catch(() => {});
  let isAsked = false;

  /** Loaded when chats leave or come as files. */
  async function transfer() {
    const { createTransfer } = await import('./transfer.js');
    return createTransfer({ driver, chats, presets, notify, now });
  }

  return {
    ...chats,
    ...presets,
    ...createDrafts({ driver }),
    /** False: the chats are gone with the page. */
    isKept: whyNotKept === null,
    /** Why nothing is kept, for the person; null where the chats are kept. */
    whyNotKept,
    databaseName: name,

    /** @param {Partial<import('./types.js').Chat>} fields */
    createChat(fields) {
      // Asks the browser not to remove the chats when space runs out; secure pages only.
      if (!isAsked && whyNotKept === null) void navigator.storage?.persist?.().catch(() => false);
      isAsked = true;
      return chats.createChat(fields);
    },

    /**
     * @param {string} query
     * @param {import('./search.js').SearchOptions} options
     */
    async search(query, options) {
      const { searchChats } = await import('./search.js');
      return searchChats(driver, query, options);
    },

    /** @param {import('./transfer.js').TransferOptions} [options] */
    exportAll: async (options) => (await transfer()).exportAll(options),
    /** @param {string} id */
    exportMarkdown: async (id) => (await transfer()).exportMarkdown(id),
    /** @param {Blob} file @param {import('./transfer.js').TransferOptions} [options] */
    importFile: async (file, options) => (await transfer()).importFile(file, options),

    /** Says something to the other tabs. @param {import('./types.js').Change} change */
    tellOthers: (change) => channel?.postMessage(change),

    /**
     * Hears of all changes, those of other tabs too.
     * @param {(change: import('./types.js').Change) => void} listener
     * @returns {() => void} ends it
     */
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    close() {
      listeners.clear();
      chats.close();
      channel?.close();
      driver.close();
    },
  };
}

/**
 * @param {string} name
 * @param {() => void} onOutdated
 */
async function createDriver(name, onOutdated) {
  try {
    const driver = await createIndexedDbDriver({ name, migrations: MIGRATIONS, onOutdated });
    return { driver, whyNotKept: null };
  } catch (error) {
    return { driver: createMemoryDriver(), whyNotKept: toHistoryError(error).message };
  }
}
