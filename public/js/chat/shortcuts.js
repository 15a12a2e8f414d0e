/** The keyboard of the chat. Every shortcut has a visible way too; none is a single letter (WCAG 2.2, 2.1.4). */
import { openDialog } from '../lib/dialog.js';
import { h } from '../lib/h.js';

const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
const MOD = IS_APPLE ? '⌘' : 'Ctrl ';
const SHIFT = IS_APPLE ? '⇧' : 'Shift ';

/** How the shortcut for a new chat is written here. */
export const NEW_CHAT_KEYS = `${MOD}${SHIFT}O`;

/**
 * @typedef {{
 *   newChat: () => void, search: () => void, focus: () => void, stop: () => boolean, editLast: () => void, settings: () => void,
 * }} ChatActions stop: false if there is nothing to stop
 */

/**
 * @param {HTMLElement} chat
 * @param {{ actions: ChatActions, isSearchTaken: boolean }} options isSearchTaken: the page has a search of its own for Ctrl K
 */
export function watchShortcuts(chat, { actions, isSearchTaken }) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || !chat.isConnected) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (run(event)) event.preventDefault();
  });

  /** @param {KeyboardEvent} event @returns {boolean} whether the key had a meaning */
  function run(event) {
    const isMod = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.altKey) return false;
    if (event.key === 'Escape' && !isMod) {
      if (!event.shiftKey) return actions.stop();
      actions.focus();
    } else if (!isMod) return false;
    else if (event.shiftKey && key === 'o') actions.newChat();
    else if (event.shiftKey && key === 'f') actions.search();
    else if (!event.shiftKey && key === 'k' && !isSearchTaken) actions.search();
    else if (!event.shiftKey && key === '.') actions.settings();
    else if (key === '/' || key === '?') showChatShortcuts(isSearchTaken);
    else return false;
    return true;
  }
}

/** Opens the list of the chat's shortcuts. @param {boolean} isSearchTaken */
export function showChatShortcuts(isSearchTaken) {
  const search = isSearchTaken ? [`${MOD}${SHIFT}F`] : [`${MOD}K`, `${MOD}${SHIFT}F`];
  /** @type {readonly [string[], string][]} */
  const rows = [
    [[NEW_CHAT_KEYS], 'New chat'],
    [search, 'Search the chats'],
    [[`${SHIFT}Esc`], 'Go to the message field'],
    [['Enter'], 'Send the message'],
    [[`${SHIFT}Enter`], 'New line'],
    [['↑'], 'Edit the last message, in an empty message field'],
    [['/'], 'Choose a preset, at the beginning of a message'],
    [['Esc'], 'Stop the answer; close what is open'],
    [[`${MOD}.`], 'Open or close the settings'],
    [[`${MOD}/`], 'This list'],
  ];
  openDialog({
    title: 'Keyboard shortcuts of the chat',
    size: 'narrow',
    body: [
      h(
        'dl',
        { class: 'shortcuts' },
        ...rows.flatMap(([keys, text]) => [
          h('dt', null, ...keys.flatMap((key) => [h('kbd', null, key), ' '])),
          h('dd', null, text),
        ]),
      ),
    ],
  });
}
