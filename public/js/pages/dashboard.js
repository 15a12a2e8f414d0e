import { pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { pageLinks } from '../lib/links.js';
import { createList } from '../lib/list.js';
import { createPageHead } from '../lib/page-head.js';
import { titleCell } from '../lib/row.js';
import { openPage, renderShell } from '../lib/shell.js';
import { createSidebarLinks } from '../lib/sidebar.js';
import { connectCard, exampleModel, snippets } from '../lib/snippets.js';
import { emptyState } from '../lib/states.js';
import { visionBadge } from '../lib/vision.js';
import { mountKeyList } from '../views/keys.js';
import { passwordCard } from '../views/password.js';

/** The models that this user may use. */
const MODELS = '/v1/models';

/** @param {import('../lib/types.js').UserMe} me */
async function renderPage(me) {
  const { signal } = new AbortController();
  const keys = h('div');
  const models = createList({
    label: 'Your models',
    noun: 'model',
    signal,
    path: MODELS,
    id: (model) => model.id,
    text: (model) => `${model.id} ${model.name}`,
    empty: () =>
      emptyState(
        'cube',
        'No models yet',
        'You may not use any model yet. Ask the person who runs this server.',
      ),
    columns: [
      {
        label: 'Model',
        class: 'main-cell alone',
        sort: (model) => model.name,
        cell: (model) =>
          titleCell(model.name, h('span', { class: 'mono' }, model.id), model.vision && visionBadge()),
      },
    ],
    onLoad: (all) => examples.replaceChildren(snippets({ model: exampleModel(all) })),
  });
  const examples = h('div', null, snippets());
  void models.reload();
  // The page is rendered when the keys are loaded, so that nothing moves later. The models are at its end.
  await mountKeyList(keys, { path: '/api/user/apikeys', modelsPath: MODELS, usersPath: null, signal });
  const head = createPageHead();
  head.setTitle(`Hello, ${me.name || me.username}`);
  head.set(h('a', { class: 'btn primary', href: pageUrl('chat.html') }, icon('chat'), 'Open chat'));
  const password = passwordCard({ username: me.username, path: '/api/user/password' });
  renderShell({
    me: { username: me.username, name: me.name, role: 'user' },
    nav: createSidebarLinks(pageLinks('user', 'account')),
    home: 'dashboard.html',
    onChangePassword: () => focusFirstField(password),
    main: h(
      'main',
      { id: 'main', tabindex: -1, class: 'main' },
      h(
        'div',
        { class: 'page' },
        head.element,
        h('section', { class: 'stack tight' }, h('h2', null, 'Your API keys'), keys),
        h('div', { class: 'two-columns' }, connectCard(examples), password),
        h('section', { class: 'stack tight' }, h('h2', null, 'Your models'), models.element),
      ),
    ),
  });
}

/** @param {HTMLElement} form */
function focusFirstField(form) {
  const field = form.querySelector('input:not([hidden])');
  form.scrollIntoView({ block: 'center' });
  if (field instanceof HTMLElement) field.focus();
}

void openPage('/api/user/me', renderPage);
