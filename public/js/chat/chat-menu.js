import { showChatShortcuts } from './shortcuts.js';

/** @typedef {import('../lib/menu.js').MenuItem} MenuItem */

/**
 * What the menu at the head of the chat offers.
 * @param {{
 *   chat: import('./history/types.js').Chat | null,
 *   list: ReturnType<ReturnType<typeof import('./account-chats.js').createAccountChats>['list']>, onNew: () => void, isTab: boolean,
 * }} options chat: the one that is shown; isTab: in the panel
 * @returns {MenuItem[]}
 */
export function menuItems({ chat, list, onNew, isTab }) {
  /** @type {MenuItem[]} */
  const ofChat =
    chat && list
      ? [
          { label: 'Export as Markdown', icon: 'download', onSelect: () => list.exportChat(chat) },
          {
            label: 'Delete',
            icon: 'trash',
            isDangerous: true,
            startsGroup: true,
            onSelect: () => list.deleteChat(chat),
          },
        ]
      : [];
  return [
    { label: 'New chat', icon: 'plus', onSelect: onNew },
    ...ofChat,
    {
      label: 'Keyboard shortcuts',
      icon: 'info',
      startsGroup: true,
      onSelect: () => showChatShortcuts(isTab),
    },
  ];
}
