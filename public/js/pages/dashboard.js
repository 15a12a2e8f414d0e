import { ApiError, api, baseUrl, messageOf, pageUrl } from '../lib/api.js';
import { copyButton } from '../lib/copy.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { createList } from '../lib/list.js';
import { titleCell } from '../lib/row.js';
import { drawShell } from '../lib/shell.js';
import { exampleModel, snippets } from '../lib/snippets.js';
import { emptyState, failed } from '../lib/states.js';
import { visionBadge } from '../lib/vision.js';
import { mountKeyList } from '../views/keys.js';
import { passwordCard } from '../views/password.js';

/** What a key of this user can call. */
const MODELS = '/v1/models';

async function start() {
  let me;
  try {
    me = await api.get('/api/user/me', { keepSession: true });
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      location.replace(pageUrl(''));
      return;
    }
    document
      .querySelector('#app')
      ?.replaceChildren(h('main', { class: 'page' }, failed(messageOf(error), start)));
    return;
  }
  await drawPage(me);
}

/** @param {import('../lib/types.js').UserMe} me */
async function drawPage(me) {
  const { signal } = new AbortController();
  const keys = h('div');
  const models = createList({
    label: 'Your models',
    search: 'Search models',
    signal,
    path: MODELS,
    id: (model) => model.id,
    text: (model) => `${model.id} ${model.name}`,
    empty: () =>
      emptyState(
        'cube',
        'No models yet',
        'Nothing is open to you so far. Ask the person who runs this proxy.',
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
    onLoad: (all) => example.replaceChildren(snippets({ model: exampleModel(all) })),
  });
  const example = h('div', null, snippets());
  void models.reload();
  // Drawn when the keys are known, so that nothing moves under the hand; the models come last on the page.
  await mountKeyList(keys, { path: '/api/user/apikeys', modelsPath: MODELS, usersPath: null, signal });
  drawShell(
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
        connectCard(example),
        passwordCard({ username: me.username, path: '/api/user/password' }),
      ),
      h('section', { class: 'stack' }, h('h2', null, 'Your models'), models.element),
    ),
  );
}

/** @param {HTMLElement} example */
function connectCard(example) {
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
    example,
  );
}

void start();
