/** The chats of the person who is signed in, or of the key that was pasted, with their list. */
import { loadStyles } from '../lib/styles.js';
import { toast } from '../lib/toast.js';
import { hashOf } from '../lib/url-state.js';
import { accountName, GUEST } from './history/account.js';
import { toFailure } from './request/failure.js';
import { NEW_CHAT_KEYS } from './shortcuts.js';

/** @typedef {import('./history/open-history.js').History} History */

/**
 * @param {{
 *   host: HTMLElement, canSignOut: boolean,
 *   onOpen: (id: string, sought: import('./types.js').Sought | null) => void, onNew: () => void, onGone: () => void,
 *   onStore: (store: History) => Promise<void>, onLeave: () => void,
 * }} options host: gets the list; onStore: other chats are shown from now on; onLeave: called before
 */
export function createAccountChats({ host, canSignOut, onOpen, onNew, onGone, onStore, onLeave }) {
  /** @type {History | null} */
  let store = null;
  /** @type {ReturnType<typeof import('./history/history-list.js').createHistoryList> | null} */
  let list = null;
  let account = '';
  /** What is asked while the chats are opened waits for it. @type {Promise<void>} */
  let opening = Promise.resolve();
  /** Opens the chats that were to be shown last. */
  let open = async () => {};

  /** @param {string} name */
  async function openStore(name) {
    // The message field does not wait for them.
    const [{ openHistory }, { createHistoryList }] = await Promise.all([
      import('./history/open-history.js'),
      import('./history/history-list.js'),
      loadStyles('history.css'),
    ]);
    const opened = await openHistory({ account: name });
    const before = store;
    if (before) onLeave();
    list?.close();
    store = opened;
    account = name;
    list = createHistoryList({
      store: opened,
      account: canSignOut ? name : null,
      isGuest: name === GUEST,
      hrefOf: ({ id }) => hashOf('chat', { id }),
      onOpen: ({ id }, sought) => onOpen(id, sought),
      onNew,
      onGone,
      newChatKeys: NEW_CHAT_KEYS,
    });
    host.replaceChildren(list.element);
    try {
      await onStore(opened);
    } finally {
      before?.close();
    }
  }

  return {
    /** @param {Parameters<typeof accountName>[0]} who */
    show(who) {
      open = async () => {
        const name = await accountName(who);
        if (name !== account) await openStore(name);
      };
      opening = opening.then(open, open);
      opening.catch((error) => toast.error(toFailure(error, 'Send').message));
    },
    /** Resolves when they are open; where that failed, it is tried again. */
    opened() {
      opening = opening.catch(() => open());
      return opening;
    },
    store: () => store,
    /** No account and no key so far. */
    isGuest: () => account === GUEST,
    list: () => list,
    /** @throws {Error} until the chats are open */
    history() {
      if (store === null)
        throw new Error('The chats of this browser are not open yet. Try again in a moment.');
      return store;
    },
  };
}
