import { api, baseUrl, messageOf } from '../lib/api.js';
import { copyButton } from '../lib/copy.js';
import { number } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { loadList } from '../lib/resource.js';
import { exampleModel, snippets } from '../lib/snippets.js';
import { failed } from '../lib/states.js';
import { serverFacts } from './server-facts.js';

/** @typedef {import('../pages/admin.js').ViewContext} ViewContext */
/**
 * @typedef {{
 *   status: import('../lib/types.js').Status, providers: import('../lib/types.js').Provider[], models: import('../lib/types.js').Model[],
 *   keys: import('../lib/types.js').ApiKey[], users: import('../lib/types.js').User[],
 * }} Facts
 */

/**
 * The Overview tab: what is set up, what is missing, how to use it.
 * @param {HTMLElement} container
 * @param {ViewContext} context
 */
export function mountOverview(container, context) {
  const host = h('div', { class: 'stack loose' }, skeleton());
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
      if (!context.signal.aborted) draw(host, { status, providers, models, keys, users }, context);
    } catch (error) {
      if (!context.signal.aborted)
        host.replaceChildren(h('div', { class: 'card' }, failed(messageOf(error), load)));
    }
  }
  addEventListener('server-back', () => void load(), { signal: context.signal });
  void load();
}

/**
 * @param {HTMLElement} host
 * @param {Facts} facts
 * @param {ViewContext} context
 */
function draw(host, facts, context) {
  const usable = usableModels(facts);
  const keys = facts.keys.filter((one) => one.id !== 'master');
  const isReady = usable.length > 0 && keys.length > 0;
  host.replaceChildren(
    ...(facts.status.warnings.length > 0 ? [warnings(facts.status, context)] : []),
    ...(isReady ? [] : [setup(facts, usable.length > 0, context)]),
    counts(facts, context),
    h(
      'div',
      { class: 'two-columns' },
      connect(exampleModel(usable)),
      h('section', { class: 'card stack' }, h('h2', null, 'Server'), serverFacts(facts.status)),
    ),
  );
}

/** @param {Facts} facts */
function usableModels({ providers, models }) {
  const open = new Set(providers.filter((one) => one.enabled).map((one) => one.id));
  return models.filter((model) => model.enabled && open.has(model.providerId));
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
        { class: 'alert warn' },
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
 * @param {Facts} facts
 * @param {boolean} hasModel
 * @param {ViewContext} context
 */
function setup(facts, hasModel, context) {
  const hasProvider = facts.providers.some((one) => one.enabled);
  const steps = [
    {
      title: 'Add a provider',
      text: 'Where requests go: pick one from the list, paste its API key, test it.',
      isDone: hasProvider,
      action: 'Add a provider',
      run: () => context.navigate('providers', 'add'),
    },
    {
      title: 'Choose models',
      text: hasProvider
        ? 'Fetch them from the provider, or add one by hand.'
        : 'Once a provider is switched on, they can be fetched from it.',
      isDone: hasModel,
      action: hasProvider ? 'Fetch models' : 'Add a model',
      run: () => (hasProvider ? context.navigate('providers') : context.navigate('models', 'add')),
    },
    {
      title: 'Make an API key',
      text: 'One for each program or person, so that each can be switched off alone.',
      isDone: facts.keys.some((one) => one.id !== 'master'),
      action: 'Make a key',
      run: () => context.navigate('keys', 'add'),
    },
  ];
  const next = steps.findIndex((step) => !step.isDone);
  return h(
    'section',
    { class: 'card stack' },
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
            h('h3', null, step.title, step.isDone && h('span', { class: 'visually-hidden' }, ' (done)')),
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
 * @param {Facts} facts
 * @param {ViewContext} context
 */
function counts(facts, context) {
  const keys = facts.keys.filter((one) => one.id !== 'master');
  const rows = /** @type {const} */ ([
    ['providers', 'Providers', 'server', facts.providers, switchedOn(facts.providers)],
    ['models', 'Models', 'cube', facts.models, usableModels(facts).length],
    ['keys', 'API keys', 'key', keys, usableKeys(keys, facts.users).length],
    ['users', 'Users', 'users', facts.users, switchedOn(facts.users)],
  ]);
  return h(
    'div',
    { class: 'counts' },
    ...rows.map(([tab, label, symbol, items, on]) => {
      const detail = items.length === 0 ? 'none yet' : on === items.length ? 'all on' : `${number(on)} on`;
      return h(
        'button',
        { type: 'button', class: 'card count', onclick: () => context.navigate(tab) },
        h('span', { class: 'row muted' }, icon(symbol), label),
        h('span', { class: 'figure' }, number(items.length)),
        h('span', { class: 'muted small' }, detail),
      );
    }),
  );
}

/**
 * Those that are not refused: on, not expired, of nobody or an enabled user.
 * @param {import('../lib/types.js').ApiKey[]} keys
 * @param {import('../lib/types.js').User[]} users
 */
function usableKeys(keys, users) {
  const off = new Set(users.filter((user) => !user.enabled).map((user) => user.id));
  const isOver = (/** @type {string | null} */ at) => at !== null && Date.parse(at) <= Date.now();
  return keys.filter((key) => key.enabled && !isOver(key.expiresAt) && !off.has(key.userId ?? ''));
}

/** @param {readonly { enabled: boolean }[]} items */
function switchedOn(items) {
  return items.filter((one) => one.enabled).length;
}

/** @param {string | undefined} model */
function connect(model) {
  const address = h('code', null, baseUrl());
  return h(
    'section',
    { class: 'card stack' },
    h('h2', null, 'Connect'),
    h(
      'p',
      { class: 'muted' },
      'Any client for the OpenAI API works: give it this base URL and one of your keys.',
    ),
    h(
      'div',
      { class: 'secret plain' },
      address,
      copyButton(baseUrl, address, { label: 'Copy the base URL' }),
    ),
    snippets({ model }),
  );
}

function skeleton() {
  const block = () =>
    h(
      'div',
      { class: 'card stack' },
      h('div', { class: 'skeleton narrow' }),
      h('div', { class: 'skeleton wide' }),
    );
  return h(
    'div',
    { class: 'counts', 'aria-busy': 'true' },
    h('span', { class: 'visually-hidden' }, 'Loading'),
    block(),
    block(),
    block(),
    block(),
  );
}
