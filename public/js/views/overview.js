import { api, messageOf } from '../lib/api.js';
import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { loadList } from '../lib/resource.js';
import { connectCard, exampleModel, snippets } from '../lib/snippets.js';
import { failed, skeleton } from '../lib/states.js';
import { serverStatus } from './server-status.js';

/** @typedef {import('../pages/admin.js').ViewContext} ViewContext */
/**
 * @typedef {{
 *   status: import('../lib/types.js').Status, providers: import('../lib/types.js').Provider[], models: import('../lib/types.js').Model[],
 *   keys: import('../lib/types.js').ApiKey[], users: import('../lib/types.js').User[],
 * }} PanelState
 */

/**
 * The Overview tab: warnings, the steps of the setup, the number of records, and how to connect.
 * @param {HTMLElement} container
 * @param {ViewContext} context
 */
export function mountOverview(container, context) {
  const placeholder = skeleton({ count: 4, itemClass: 'card pad stack', class: 'counts' });
  const host = h('div', { class: 'stack loose' }, placeholder);
  container.append(host);
  async function load() {
    try {
      const [status, providers, models, keys, users] = await Promise.all([
        api.get('/api/admin/status'),
        loadList('/api/admin/providers'),
        loadList('/api/admin/models'),
        loadList('/api/admin/apikeys'),
        loadList('/api/admin/users'),
      ]);
      if (!context.signal.aborted) render(host, { status, providers, models, keys, users }, context);
    } catch (error) {
      if (!context.signal.aborted)
        host.replaceChildren(h('div', { class: 'card pad' }, failed(messageOf(error), load)));
    }
  }
  addEventListener('server-back', () => void load(), { signal: context.signal });
  void load();
}

/**
 * @param {HTMLElement} host
 * @param {PanelState} state
 * @param {ViewContext} context
 */
function render(host, state, context) {
  const usable = usableModels(state);
  const keys = state.keys.filter((one) => one.id !== 'master');
  const isReady = usable.length > 0 && keys.length > 0;
  host.replaceChildren(
    ...(state.status.warnings.length > 0 ? [warnings(state.status, context)] : []),
    ...(isReady ? [] : [setup(state, usable.length > 0, context)]),
    counts(state, context),
    h(
      'div',
      { class: 'two-columns' },
      connectCard(snippets({ model: exampleModel(usable) })),
      h('section', { class: 'card pad stack' }, h('h2', null, 'Server'), serverStatus(state.status)),
    ),
  );
}

/**
 * Enabled models of enabled providers.
 * @param {PanelState} state
 */
function usableModels({ providers, models }) {
  const enabledIds = new Set(providers.filter((one) => one.enabled).map((one) => one.id));
  return models.filter((model) => model.enabled && enabledIds.has(model.providerId));
}

/**
 * @param {import('../lib/types.js').Status} status
 * @param {ViewContext} context
 */
function warnings({ warnings: list, adminPassword }, context) {
  const setPassword = () =>
    h(
      'button',
      { type: 'button', class: 'btn', onclick: () => context.navigate('settings', 'password') },
      'Set a password',
    );
  return h(
    'ul',
    { class: 'stack tight', 'aria-label': 'Warnings' },
    ...list.map((one) => {
      const canSet = one.code === 'default_password' && !adminPassword.isManagedByEnvironment;
      return h(
        'li',
        { class: 'note warn' },
        icon('warning'),
        h(
          'div',
          { class: 'stack tight' },
          h('p', null, one.message),
          canSet && h('div', null, setPassword()),
        ),
      );
    }),
  );
}

/**
 * The steps of the setup, with a button for each step that is not done.
 * @param {PanelState} state
 * @param {boolean} hasModel
 * @param {ViewContext} context
 */
function setup(state, hasModel, context) {
  const hasProvider = state.providers.some((one) => one.enabled);
  const steps = [
    {
      title: 'Add a provider',
      text: 'A provider answers the requests. Choose one, paste its API key, and test it.',
      isDone: hasProvider,
      action: 'Add a provider',
      run: () => context.navigate('providers', 'add'),
    },
    {
      title: 'Choose models',
      text: hasProvider
        ? 'Fetch the models of the provider, or add one yourself.'
        : 'When a provider is switched on, you can fetch its models.',
      isDone: hasModel,
      action: hasProvider ? 'Fetch models' : 'Add a model',
      run: () => (hasProvider ? context.navigate('providers') : context.navigate('models', 'add')),
    },
    {
      title: 'Make an API key',
      text: 'Make a separate key for each program or person. You can switch each key off by itself.',
      isDone: state.keys.some((one) => one.id !== 'master'),
      action: 'Make a key',
      run: () => context.navigate('keys', 'add'),
    },
  ];
  const next = steps.findIndex((step) => !step.isDone);
  return h(
    'section',
    { class: 'card pad stack' },
    h('h2', null, 'Set it up'),
    h(
      'ol',
      { class: 'setup' },
      ...steps.map((step, index) =>
        h(
          'li',
          { class: step.isDone ? 'done' : '' },
          h('span', { class: 'mark', 'aria-hidden': 'true' }, step.isDone ? icon('check') : index + 1),
          h(
            'div',
            { class: 'grow' },
            h('h3', null, step.title, step.isDone && h('span', { class: 'sr' }, ' (done)')),
            h('p', { class: 'muted small' }, step.text),
          ),
          !step.isDone &&
            h(
              'button',
              { type: 'button', class: index === next ? 'btn primary' : 'btn', onclick: step.run },
              step.action,
            ),
        ),
      ),
    ),
  );
}

/**
 * The number of records of each kind, linked to their tabs.
 * @param {PanelState} state
 * @param {ViewContext} context
 */
function counts(state, context) {
  const keys = state.keys.filter((one) => one.id !== 'master');
  const rows = /** @type {const} */ ([
    ['providers', 'Providers', 'server', state.providers, countEnabled(state.providers)],
    ['models', 'Models', 'cube', state.models, usableModels(state).length],
    ['keys', 'API keys', 'key', keys, usableKeys(keys, state.users).length],
    ['users', 'Users', 'users', state.users, countEnabled(state.users)],
  ]);
  return h(
    'div',
    { class: 'counts' },
    ...rows.map(([tab, label, symbol, items, on]) => {
      const detail = items.length === 0 ? 'none yet' : on === items.length ? 'all on' : `${number(on)} on`;
      return h(
        'button',
        { type: 'button', class: 'card count', onclick: () => context.navigate(tab) },
        h('span', { class: 'row wrap muted' }, icon(symbol), label),
        h('span', { class: 'figure' }, number(items.length)),
        h('span', { class: 'muted small' }, detail),
      );
    }),
  );
}

/**
 * Keys that are enabled, not expired, and owned by the admin or an enabled user.
 * @param {import('../lib/types.js').ApiKey[]} keys
 * @param {import('../lib/types.js').User[]} users
 */
function usableKeys(keys, users) {
  const disabledIds = new Set(users.filter((user) => !user.enabled).map((user) => user.id));
  const isPast = (/** @type {string | null} */ at) => at !== null && Date.parse(at) <= Date.now();
  return keys.filter((key) => key.enabled && !isPast(key.expiresAt) && !disabledIds.has(key.userId ?? ''));
}

/** @param {readonly { enabled: boolean }[]} items */
function countEnabled(items) {
  return items.filter((one) => one.enabled).length;
}
