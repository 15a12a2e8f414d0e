/** The list of chats: New chat, search, the chats by day, and what concerns all of them. */
import { messageOf } from '../../lib/api.js';
import { saveBlob } from '../../lib/download.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { createSentinel } from '../../lib/lazy-items.js';
import { failed } from '../../lib/states.js';
import { toast } from '../../lib/toast.js';
import { groupByDay } from './days.js';
import { createHistoryFoot } from './history-foot.js';
import { createRows } from './history-rows.js';
import { createHistorySearch } from './history-search.js';
import { placeChat, withoutChat } from './list-order.js';
import { MAX_FOUND, wordsOf } from './search.js';

/** @typedef {import('./types.js').Chat} Chat */

const PAGE = 100;

/**
 * Needs `history.css`.
 * @param {{
 *   store: import('./open-history.js').History, account: string | null, isGuest?: boolean, hrefOf: (chat: Chat) => string,
 *   onOpen: (chat: Chat, sought: import('./types.js').Sought | null) => void, onNew: () => void,
 *   onGone: (chatId: string) => void, newChatKeys?: string,
 * }} options account: null for people who cannot sign out. isGuest: a key may still be entered. hrefOf: the address of a chat,
 *   for a new tab. onOpen: sought is what the search has found in it. onGone: the chat that is shown was deleted, here or in
 *   another tab. newChatKeys: the shortcut as people read it
 */
export function createHistoryList({
  store,
  account,
  isGuest = false,
  hrefOf,
  onOpen,
  onNew,
  onGone,
  newChatKeys,
}) {
  /** @type {Chat[]} */
  let chats = [];
  let isComplete = false;
  /** @type {{ found: readonly import('./search.js').Found[], query: string } | null} */
  let search = null;
  /** @type {string | null} */
  let currentId = null;
  /** Chats that have changed and are not read yet. @type {Set<string>} */
  const changed = new Set();
  let isReading = false;
  let isClosed = false;

  const rows = createRows({
    hrefOf,
    onOpen: (chat) => onOpen(chat, soughtIn(chat.id)),
    onRename: (chat, title) => attempt(store.updateChat(chat.id, { title })),
    onPin: (chat) => attempt(store.updateChat(chat.id, { pinned: !chat.pinned })),
    onExport: exportChat,
    onDelete: (chat) => attempt(deleteChat(chat)),
  });
  const sentinel = createSentinel();
  const notice = h('div');
  const newChat = h(
    'button',
    { type: 'button', class: 'btn', onclick: onNew },
    icon('plus'),
    h('span', null, 'New chat'),
    newChatKeys && h('kbd', { 'aria-hidden': 'true' }, newChatKeys),
  );
  const field = createHistorySearch({ store, onFound, onLeave: () => rows.focus() });
  const foot = createHistoryFoot({ store, account });
  const list = h('nav', { class: 'history-list', 'aria-label': 'Chats' }, rows.element, notice, sentinel);
  const element = h(
    'aside',
    { class: 'history', 'aria-label': 'Your chats' },
    h('div', { class: 'history-head' }, newChat, field.element),
    list,
    foot.element,
  );
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void loadMore();
    },
    { root: list, rootMargin: '400px' },
  );
  const unwatch = store.onChange((change) => {
    if (change.type === 'chat') {
      changed.add(change.chatId);
      void readChanged();
    } else if (change.type === 'chats') void reload();
  });
  void reload();

  /** Reads as many chats as are shown, from the first on. */
  async function reload() {
    const limit = Math.max(PAGE, chats.length);
    try {
      const page = await store.listChats({ limit });
      chats = page;
      isComplete = page.length < limit;
      render();
      if (currentId !== null && (await store.getChat(currentId)) === null) loseCurrent();
    } catch (error) {
      if (!isClosed) notice.replaceChildren(failed(messageOf(error), reload));
    }
  }

  async function loadMore() {
    if (isComplete || search || isReading) return;
    isReading = true;
    try {
      const page = await store.listChats({ after: chats.at(-1) ?? null, limit: PAGE });
      const known = new Set(chats.map(({ id }) => id));
      chats = [...chats, ...page.filter(({ id }) => !known.has(id))];
      isComplete = page.length < PAGE;
    } catch (error) {
      report(error);
      isComplete = true;
    } finally {
      isReading = false;
    }
    render();
    void readChanged();
  }

  /** One after the other: an answer that arrives saves its chat many times. */
  async function readChanged() {
    if (isReading) return;
    isReading = true;
    try {
      for (const id of changed) {
        changed.delete(id);
        const chat = await store.getChat(id);
        chats = chat ? placeChat(chats, chat, isComplete) : withoutChat(chats, id);
        if (search) search = { ...search, found: updateFound(search.found, id, chat) };
        if (!chat && id === currentId) loseCurrent();
      }
    } catch (error) {
      report(error);
    } finally {
      isReading = false;
    }
    render();
  }

  /** @param {unknown} error */
  function report(error) {
    if (!isClosed) toast.error(messageOf(error));
  }

  /** @param {readonly import('./search.js').Found[] | null} found @param {string} query */
  function onFound(found, query) {
    search = found && { found, query };
    render();
  }

  function render() {
    const found = search?.found;
    const groups = found
      ? [{ label: foundLabel(found.length), chats: found.map(({ chat }) => chat) }].filter(
          (group) => group.chats.length > 0,
        )
      : groupByDay(chats, Date.now());
    /** @type {Map<string, string>} */
    const snippets = new Map();
    for (const { chat, snippet } of found ?? []) if (snippet) snippets.set(chat.id, snippet);
    rows.show(groups, { snippets, word: wordsOf(search?.query ?? '')[0] ?? '' });
    notice.replaceChildren(...(groups.length > 0 ? [] : [emptyNote(search?.query ?? null, isGuest)]));
    // Observing again makes the browser report again, even if the sentinel never left the view.
    observer.unobserve(sentinel);
    if (!isComplete && !search) observer.observe(sentinel);
  }

  /**
   * The message and the word that the search has found in a chat; null if the title has it, or without a search.
   * @param {string} chatId
   */
  function soughtIn(chatId) {
    const messageId = search?.found.find(({ chat }) => chat.id === chatId)?.messageId ?? null;
    return messageId === null ? null : { messageId, word: wordsOf(search?.query ?? '')[0] ?? '' };
  }

  /** @param {Chat} chat */
  function exportChat(chat) {
    attempt(store.exportMarkdown(chat.id).then(({ blob, name }) => saveBlob(blob, name)));
  }

  /** @param {Chat} chat */
  async function deleteChat(chat) {
    const wasShown = chat.id === currentId;
    await store.deleteChat(chat.id);
    toast.undo(`“${shorten(chat.title)}” deleted.`, () => attempt(restore(chat, wasShown)));
  }

  /** @param {Chat} chat @param {boolean} wasShown it is shown again, unless another chat is meanwhile */
  async function restore(chat, wasShown) {
    await store.restoreChat(chat.id);
    if (wasShown && currentId === null) onOpen(chat, null);
  }

  function loseCurrent() {
    const id = currentId;
    currentId = null;
    rows.setCurrent(null);
    if (id !== null) onGone(id);
  }

  return {
    element,
    /** Marks the chat that is shown. @param {string | null} id null: a new chat */
    setCurrent(id) {
      currentId = id;
      rows.setCurrent(id);
    },
    focusSearch: field.focus,
    exportChat,
    /** With a way to take it back. @param {Chat} chat */
    deleteChat: (chat) => attempt(deleteChat(chat)),
    close() {
      isClosed = true;
      unwatch();
      observer.disconnect();
      field.close();
      foot.close();
    },
  };
}

/** @param {Promise<unknown>} work */
function attempt(work) {
  work.catch((error) => toast.error(messageOf(error)));
}

/**
 * @param {readonly import('./search.js').Found[]} found
 * @param {string} id
 * @param {Chat | null} chat
 */
function updateFound(found, id, chat) {
  return found.flatMap((one) => (one.chat.id !== id ? [one] : chat ? [{ ...one, chat }] : []));
}

/** @param {number} count */
function foundLabel(count) {
  return count < MAX_FOUND ? 'Found' : `First ${MAX_FOUND} found`;
}

/** @param {string} title */
function shorten(title) {
  return title.length > 40 ? `${title.slice(0, 39).trimEnd()}…` : title;
}

/** @param {string | null} query @param {boolean} isGuest */
function emptyNote(query, isGuest) {
  const [title, text] =
    query !== null
      ? ['Nothing found', `No chat matches “${query}”.`]
      : isGuest
        ? ['Your chats', 'Enter your key to see its chats.']
        : ['No chats yet', 'Your chats appear here as soon as you send a message.'];
  return h('div', { class: 'history-empty' }, h('h2', null, title), h('p', { class: 'wrap-anywhere' }, text));
}
