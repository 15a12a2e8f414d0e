import { messageOf } from './api.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { openPopup } from './popup.js';
import { createSegmented } from './segmented.js';
import { signOut } from './session.js';
import { currentTheme, setTheme } from './theme.js';
import { toast } from './toast.js';

const THEMES = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'system', label: 'System' },
];
const ROLES = { admin: 'Administrator', user: 'User' };

/**
 * The account at the end of the sidebar: who is signed in, and a menu with theme, keyboard shortcuts and Sign out.
 * Without an account: theme and shortcuts alone.
 * @param {import('./types.js').Me & { name?: string } | null} me
 * @param {{ onShortcuts: () => void, onChangePassword?: (() => void) | undefined }} actions
 */
export function accountButton(me, actions) {
  const name = me === null ? 'Guest' : me.name || me.username;
  const role = me === null ? 'Not signed in' : ROLES[me.role];
  const button = h(
    'button',
    {
      type: 'button',
      class: 'account',
      'aria-haspopup': 'dialog',
      'aria-expanded': false,
      title: `Account: ${name}`,
    },
    h('span', { class: 'mono-mark round', 'aria-hidden': 'true' }, initials(name)),
    h('span', { class: 'sr' }, 'Account: '),
    h(
      'span',
      { class: 'who' },
      h('span', { class: 'medium truncate' }, name),
      h('span', { class: 'sr' }, ', '),
      h('span', { class: 'tiny muted truncate' }, role),
    ),
    icon('updown'),
  );
  button.addEventListener('click', () => {
    const popup = openPopup(button, accountItems(me, { ...actions, close: () => popup.close() }), {
      label: 'Account',
      role: 'dialog',
      class: 'account-pop',
    });
  });
  return button;
}

/**
 * @param {import('./types.js').Me | null} me
 * @param {{ onShortcuts: () => void, onChangePassword?: (() => void) | undefined, close: () => void }} actions
 */
function accountItems(me, { onShortcuts, onChangePassword, close }) {
  const theme = createSegmented({
    label: 'Theme',
    class: 'fill',
    choices: THEMES,
    value: currentTheme(),
    onChange: (value) => setTheme(/** @type {import('./theme.js').Theme} */ (value)),
  });
  /** @param {import('./icons.js').IconName} symbol @param {string} label @param {() => unknown} run */
  const item = (symbol, label, run) => {
    const onclick = () => {
      close();
      void run();
    };
    return h('button', { type: 'button', class: 'item', onclick }, icon(symbol), label);
  };
  const leave = () => me && signOut(me.role).catch((error) => toast.error(messageOf(error)));
  return [
    theme.element,
    h('hr'),
    onChangePassword ? item('lock', 'Change password', onChangePassword) : null,
    item('info', 'Keyboard shortcuts', onShortcuts),
    ...(me === null ? [] : [h('hr'), item('logout', 'Sign out', leave)]),
  ].filter((child) => child !== null);
}

/**
 * Two letters for the round mark: of the first and the last word.
 * @param {string} name
 */
function initials(name) {
  const words = name.trim().split(/\s+/);
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : ''];
  return [first, last]
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}
