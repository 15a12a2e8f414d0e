import { api, messageOf } from '../lib/api.js';
import { segmented } from '../lib/form.js';
import { h } from '../lib/h.js';
import { failed } from '../lib/states.js';
import { currentTheme, setTheme } from '../lib/theme.js';
import { backupCard } from './backup.js';
import { restoreCard } from './restore.js';
import { serverFacts } from './server-facts.js';

const THEMES = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/**
 * The Settings tab.
 * @param {HTMLElement} container
 * @param {import('../pages/admin.js').ViewContext} context
 */
export function mountSettings(container, context) {
  /** What the backup card was drawn for. @type {boolean | null} */
  let shownServerKey = null;
  const state = h('div');
  const backup = h('div');
  const cards = h(
    'div',
    { class: 'two-columns' },
    h(
      'div',
      { class: 'stack' },
      h('section', { class: 'card stack' }, h('h2', null, 'Server'), state),
      h('section', { class: 'card stack' }, h('h2', null, 'Appearance'), themeChoice()),
    ),
    h(
      'div',
      { class: 'stack' },
      backup,
      restoreCard(() => void load()),
    ),
  );
  container.append(skeleton());
  async function load() {
    try {
      show(await api.get('/api/admin/status'));
    } catch (error) {
      state.replaceChildren(failed(messageOf(error), load));
      if (shownServerKey === null) showBackup(false);
    }
    // All cards at once, so that none of them moves under the hand.
    if (!context.signal.aborted && !cards.isConnected) container.replaceChildren(cards);
  }
  /** @param {import('../lib/types.js').Status} status */
  function show(status) {
    state.replaceChildren(serverFacts(status));
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

function skeleton() {
  return h(
    'div',
    { class: 'card stack', 'aria-busy': 'true' },
    h('span', { class: 'visually-hidden' }, 'Loading'),
    h('div', { class: 'skeleton wide' }),
    h('div', { class: 'skeleton narrow' }),
  );
}

function themeChoice() {
  return segmented({
    label: 'Theme',
    choices: THEMES,
    value: currentTheme(),
    onchange: (value) => setTheme(/** @type {import('../lib/theme.js').Theme} */ (value)),
  }).element;
}
