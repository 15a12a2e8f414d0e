import { openDialog } from './dialog.js';
import { h } from './h.js';

const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
/** How the shortcut of the search is written here. */
export const SEARCH_KEYS = IS_APPLE ? '⌘K' : 'Ctrl K';

/** @type {readonly [string[], string][]} */
const SHORTCUTS = [
  [[SEARCH_KEYS], 'Search for a page, a provider, a model, a key or a user'],
  [['↑', '↓'], 'Change the tab of the sidebar; move in menus; the next one while details are open'],
  [['←', '→'], 'Move in charts, and among tabs and choices'],
  [['Enter'], 'Open the row'],
  [['Esc'], 'Close menus, details and dialogs; stop an answer in the chat'],
];

/** Opens the list of keyboard shortcuts. */
export function showShortcuts() {
  openDialog({
    title: 'Keyboard shortcuts',
    size: 'narrow',
    body: [
      h(
        'dl',
        { class: 'shortcuts' },
        ...SHORTCUTS.flatMap(([keys, text]) => [
          h('dt', null, ...keys.flatMap((key) => [h('kbd', null, key), ' '])),
          h('dd', null, text),
        ]),
      ),
    ],
  });
}
