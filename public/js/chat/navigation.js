/** Which chat is on the page: the one of the address, the one that was chosen in the list, or a new one. */
import { messageOf } from '../lib/api.js';
import { toast } from '../lib/toast.js';
import { createUrlState } from '../lib/url-state.js';

/**
 * @param {{
 *   isTab: boolean, conversation: import('./conversation/conversation.js').Conversation,
 *   composer: ReturnType<typeof import('./composer/composer.js').createComposer>,
 *   drafts: ReturnType<typeof import('./drafts.js').createDrafts>,
 *   chats: ReturnType<typeof import('./account-chats.js').createAccountChats>,
 *   compareMode: ReturnType<typeof import('./compare/compare-mode.js').createCompareMode>,
 *   presets: ReturnType<typeof import('./settings/presets.js').createPresetList>, closeList: () => void,
 *   onSettings: (chat: import('./types.js').Chat) => void, onChange: () => void,
 * }} options
 *   closeList: which covers the page of a phone; onSettings: those of this chat are used from now on; onChange: the address is
 *   that of the chat on the page, which may have been out of sight
 */
export function createNavigation({
  isTab,
  conversation,
  composer,
  drafts,
  chats,
  compareMode,
  presets,
  closeList,
  onSettings,
  onChange,
}) {
  const url = createUrlState('chat', new AbortController().signal);
  /** The chat of the address is still to be looked for: the chats are not open yet, or they belong to a key that was not entered yet. */
  let isAwaited = url.get('id') !== null;
  /** A chat of the address that is not there: its place in the browser's history goes to the chat that stays. @type {string | null} */
  let missing = null;
  /** The person has chosen a chat, or a new one, since the chats were opened. */
  let isChosen = false;

  /** @param {import('./history/types.js').Change} change */
  function onHistoryChange(change) {
    if (change.type === 'presets') void presets.load();
    else if (change.type === 'chat') void conversation.refresh(change.chatId).catch(() => {});
    else if (change.type === 'chats') void conversation.refresh(null).catch(() => {});
    else if (change.type === 'outdated')
      toast.error('A newer version of this page is open in another tab. Reload this one.');
    else conversation.hear(change);
  }

  /** @param {string} id @param {import('./types.js').Sought | null} [sought] */
  async function open(id, sought = null) {
    closeList();
    isChosen = true;
    if (conversation.place().chat?.id === id) {
      conversation.stay();
      if (sought) {
        compareMode.end();
        conversation.seek(sought);
      }
      return;
    }
    compareMode.end();
    isAwaited = false;
    try {
      if (!(await conversation.open(id))) throw new Error('This chat is not in this browser any more.');
      const { chat } = conversation.place();
      if (chat) onSettings(chat);
      composer.focus();
      if (sought && chat?.id === id) conversation.seek(sought);
    } catch (error) {
      // The chats of a key appear once it is entered.
      isAwaited = chats.store() === null || (chats.isGuest() && conversation.place().chat === null);
      if (isAwaited) return;
      toast.error(messageOf(error));
      missing = id;
      onChange();
    }
  }

  function startNew() {
    closeList();
    compareMode.end();
    composer.cancelSend();
    isAwaited = false;
    isChosen = true;
    conversation.startNew();
    composer.focus();
  }

  /** Shows the chat of the address, else a new one. @param {string | null} id */
  async function openFirst(id) {
    isAwaited = id !== null && chats.isGuest();
    try {
      if (id !== null && (await conversation.open(id))) return;
    } catch (error) {
      // It may be there at the next try: the address stays.
      isAwaited = true;
      toast.error(messageOf(error));
    }
    conversation.startNew();
  }

  url.onChange(() => {
    const id = url.get('id');
    if (id !== null) void open(id);
    else if (!isTab && conversation.place().chat) startNew();
    else {
      conversation.stay();
      onChange();
    }
  });

  return {
    open,
    startNew,
    /** The chats of an account are there. @param {import('./history/open-history.js').History} store */
    async onStore(store) {
      store.onChange(onHistoryChange);
      // A chat of the account before.
      if (conversation.place().chat) conversation.startNew();
      isChosen = false;
      await presets.load();
      // A new chat begins with the settings of the last one.
      const [newest] = await store.listChats({ limit: 1 }).catch(() => []);
      if (!isChosen && !compareMode.current()) await openFirst(url.get('id'));
      const chat = conversation.place().chat ?? newest;
      if (chat) onSettings(chat);
      await drafts.open();
    },
    /** Writes the chat on the page into the address. */
    showAddress() {
      const id = conversation.place().chat?.id ?? null;
      const shown = url.get('id');
      if (conversation.isReading() || (isAwaited && id === null)) return;
      const isReplaced = shown === null || shown === missing;
      missing = null;
      if (chats.store() && shown !== id) url.set({ id }, { replace: isReplaced });
    },
  };
}
