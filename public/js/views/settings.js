import { api, messageOf } from '../lib/api.js';
import { segmented } from '../lib/form.js';
import { h } from '../lib/h.js';
import { failed } from '../lib/list.js';
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
  const state = h(
    'div',
    { class: 'stack' },
    h('div', { class: 'skeleton wide' }),
    h('div', { class: 'skeleton narrow' }),
  );
  const backup = h('div', null, backupCard(false));
  container.append(
    h(
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
    ),
  );
  async function load() {
    try {
      const status = await api.get('/api/admin/status');
      state.replaceChildren(serverFacts(status));
      if (status.encryption.enabled) backup.replaceChildren(backupCard(true));
    } catch (error) {
      state.replaceChildren(failed(messageOf(error), load));
    }
  }
  addEventListener('server-back', () => void load(), { signal: context.signal });
  void load();
}

function themeChoice() {
  return segmented({
    label: 'Theme',
    choices: THEMES,
    value: currentTheme(),
    onchange: (value) => setTheme(/** @type {import('../lib/theme.js').Theme} */ (value)),
  }).element;
}
