import { api, messageOf } from '../lib/api.js';
import { alertBox } from '../lib/form.js';
import { h } from '../lib/h.js';
import { createSegmented } from '../lib/segmented.js';
import { failed, skeleton } from '../lib/states.js';
import { currentTheme, setTheme } from '../lib/theme.js';
import { alertSettings } from './alert-settings.js';
import { backupCard } from './backup.js';
import { passwordCard } from './password.js';
import { restoreCard } from './restore.js';
import { serverStatus } from './server-status.js';

const THEMES = [
  { value: 'system', label: 'Same as system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/**
 * The Settings tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountSettings(container, context) {
  /** The state that the backup card shows; null: there is no card yet. @type {boolean | null} */
  let shownServerKey = null;
  let hasAlerts = false;
  const state = h('div');
  const backup = h('div');
  const password = adminPassword(context.me.username, () => void load());
  const alerts = alertSettings();
  const cards = h(
    'div',
    { class: 'two-columns' },
    h(
      'div',
      { class: 'stack' },
      h('section', { class: 'card pad stack' }, h('h2', null, 'Server'), state),
      password.element,
      alerts.element,
    ),
    h(
      'div',
      { class: 'stack' },
      backup,
      restoreCard(() => void load()),
      h('section', { class: 'card pad stack' }, h('h2', null, 'Appearance'), themeChoice()),
    ),
  );
  container.append(skeleton({ count: 1, itemClass: 'card pad stack' }));
  async function load() {
    try {
      const [status] = await Promise.all([api.get('/api/admin/status'), hasAlerts ? null : alerts.load()]);
      // Loaded once, so that input in the form is not lost.
      hasAlerts = true;
      show(status);
    } catch (error) {
      state.replaceChildren(failed(messageOf(error), load));
      if (shownServerKey === null) showBackup(false);
    }
    // All cards appear together, so that none of them moves later.
    if (context.signal.aborted || cards.isConnected) return;
    container.replaceChildren(cards);
    if (context.intent === 'password') password.focus();
  }
  /** @param {import('../lib/types.js').Status} status */
  function show(status) {
    state.replaceChildren(serverStatus(status));
    password.show(status.adminPassword);
    if (shownServerKey !== status.encryption.enabled) showBackup(status.encryption.enabled);
  }
  /** @param {boolean} hasServerKey */
  function showBackup(hasServerKey) {
    backup.replaceChildren(backupCard(hasServerKey));
    shownServerKey = hasServerKey;
  }
  addEventListener('server-back', () => void load(), { signal: context.signal });
  void load();
}

/**
 * The card for the admin's password: a form, or if UI_PASSWORD is set, how to change it.
 * @param {string} username
 * @param {() => void} onChanged
 */
function adminPassword(username, onChanged) {
  const note = alertBox('warn');
  const element = h('div');
  return {
    element,
    /** @param {import('../lib/types.js').Status['adminPassword']} state */
    show({ isDefault, isManagedByEnvironment }) {
      note.show(
        isDefault
          ? 'The password is still the default, “admin”. Set your own password to sign in from other computers.'
          : null,
      );
      // Rendered once, so that input in the form is not lost.
      if (element.hasChildNodes()) return;
      element.append(
        isManagedByEnvironment
          ? managedPassword()
          : passwordCard({ username, path: '/api/admin/password', intro: note.element, onChanged }),
      );
    },
    focus() {
      /** @type {HTMLInputElement | null} */ (element.querySelector('input:not([hidden])'))?.focus();
    },
  };
}

function managedPassword() {
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Password'),
    h(
      'p',
      { class: 'muted' },
      h('code', null, 'UI_PASSWORD'),
      ' sets the admin password. To change the password, change this variable and restart the server.',
    ),
  );
}

function themeChoice() {
  return createSegmented({
    hasLegend: true,
    label: 'Theme',
    choices: THEMES,
    value: currentTheme(),
    onChange: (value) => setTheme(/** @type {import('../lib/theme.js').Theme} */ (value)),
  }).element;
}
