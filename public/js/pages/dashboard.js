import { pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { titleCell } from '../lib/row.js';
import { openPage, renderShell } from '../lib/shell.js';
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
  renderShell(
    { username: me.username, role: 'user' },
    h(
      'main',
      { id: 'main', tabindex: -1, class: 'page alone stack loose' },
      h(
        'div',
        { class: 'row between' },
        h('h1', null, `Hello, ${me.name || me.username}`),
        h('a', { class: 'btn primary', href: pageUrl('chat.html') }, icon('chat'), 'Open chat'),
      ),
      h('section', { class: 'stack' }, h('h2', null, 'Your API keys'), keys),
      h(
        'div',
        { class: 'two-columns' },
        connectCard(examples),
        passwordCard({ username: me.username, path: '/api/user/password' }),
      ),
      h('section', { class: 'stack' }, h('h2', null, 'Your models'), models.element),
    ),
  );
}

void openPage('/api/user/me', renderPage);
