/** The chats of the person who is signed in, or of the key that was pasted, with their list. */
import { hashOf } from '../lib/url-state.js';
import { accountName } from './history/account.js';
import { createHistoryList } from './history/history-list.js';
import { openHistory } from './history/open-history.js';
import { NEW_CHAT_KEYS } from './shortcuts.js';

/** @typedef {import('./history/open-history.js').History} History */

/**
 * @param {{
 *   host: HTMLElement, canSignOut: boolean, onOpen: (id: string) => void, onNew: () => void, onGone: () => void,
 *   onStore: (store: History) => Promise<void>,
 * }} options host: gets the list; onStore: other chats are shown from now on
 */
export function createAccountChats({ host, canSignOut, onOpen, onNew, onGone, onStore }) {
  /** @type {History | null} */
  let store = null;
  /** @type {ReturnType<typeof createHistoryList> | null} */
  let list = null;
  let account = '';
  /** What is asked while the chats are opened waits for it. @type {Promise<void>} */
  let opening = Promise.resolve();

  /** @param {string} name */
  async function openStore(name) {
    account = name;
    const opened = await openHistory({ account: name });
    list?.close();
    store?.close();
    store = opened;
    list = createHistoryList({
      store: opened,
      account: canSignOut ? name : null,
      hrefOf: ({ id }) => hashOf('chat', { id }),
      onOpen: ({ id }) => onOpen(id),
      onNew,
      onGone,
      newChatKeys: NEW_CHAT_KEYS,
    });
    host.replaceChildren(list.element);
    await onStore(opened);
  }

  return {
    /** @param {Parameters<typeof accountName>[0]} who */
    show(who) {
      opening = opening.then(async () => {
        const name = await accountName(who);
        if (name !== account) await openStore(name);
      });
    },
    opened: () => opening,
    store: () => store,
    list: () => list,
    /** @throws {Error} until the chats are open */
    history() {
      if (store === null)
        throw new Error('The chats of this browser are not open yet. Try again in a moment.');
      return store;
    },
  };
}
