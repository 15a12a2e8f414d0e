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
  /** The chat of the address is still to be looked for: the chats are not open yet, or are those of a key that is to be entered. */
  let isAwaited = url.get('id') !== null;

  /** @param {import('./history/types.js').Change} change */
  function onHistoryChange(change) {
    if (change.type === 'presets') void presets.load();
    else if (change.type === 'chat') void conversation.refresh(change.chatId).catch(() => {});
    else if (change.type === 'outdated')
      toast.error('A newer version of this page is open in another tab. Reload this one.');
    else conversation.hear(change);
  }

  /** @param {string} id */
  async function open(id) {
    closeList();
    if (conversation.place().chat?.id === id) return;
    compareMode.end();
    isAwaited = false;
    try {
      if (!(await conversation.open(id))) throw new Error('This chat is not in this browser any more.');
      const { chat } = conversation.place();
      if (chat) onSettings(chat);
      composer.focus();
    } catch (error) {
      toast.error(messageOf(error));
    }
  }

  function startNew() {
    closeList();
    compareMode.end();
    composer.cancelSend();
    isAwaited = false;
    conversation.startNew();
    composer.focus();
  }

  url.onChange(() => {
    const id = url.get('id');
    if (id !== null) void open(id);
    else if (!isTab && conversation.place().chat) startNew();
    else onChange();
  });

  return {
    open,
    startNew,
    /** The chats of an account are there. @param {import('./history/open-history.js').History} store */
    async onStore(store) {
      store.onChange(onHistoryChange);
      await presets.load();
      // A new chat begins with the settings of the last one.
      const [newest] = await store.listChats({ limit: 1 }).catch(() => []);
      const id = url.get('id');
      isAwaited = id !== null && chats.isGuest();
      if (id === null || !(await conversation.open(id).catch(() => false))) conversation.startNew();
      drafts.open();
      const chat = conversation.place().chat ?? newest;
      if (chat) onSettings(chat);
    },
    /** Writes the chat on the page into the address. */
    showAddress() {
      const id = conversation.place().chat?.id ?? null;
      const shown = url.get('id');
      if (conversation.isReading() || (isAwaited && id === null)) return;
      if (chats.store() && shown !== id) url.set({ id }, { replace: shown === null });
    },
  };
}
