import { messageOf, pageUrl } from '../lib/api.js';
import { createDrawer } from '../lib/drawer.js';
import { zoneName } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { pageLinks } from '../lib/links.js';
import { createList } from '../lib/list.js';
import { createPageHead } from '../lib/page-head.js';
import { priceText } from '../lib/prices.js';
import { refreshWhileVisible } from '../lib/refresh.js';
import { titleCell } from '../lib/row.js';
import { openPage, renderShell } from '../lib/shell.js';
import { createSidebarLinks } from '../lib/sidebar.js';
import { exampleModel, snippets } from '../lib/snippets.js';
import { emptyState, failed } from '../lib/states.js';
import { createUrlState } from '../lib/url-state.js';
import { visionBadge } from '../lib/vision.js';
import { addressLine } from '../views/first-steps.js';
import { mountKeyList } from '../views/keys.js';
import { createOwnUsage } from '../views/own-usage.js';
import { passwordCard } from '../views/password.js';

/** The models that this user may use. */
const MODELS = '/api/user/models';

/** @param {import('../lib/types.js').UserMe} me */
async function renderPage(me) {
  const { signal } = new AbortController();
  const main = h('main', { id: 'main', tabindex: -1, class: 'main' });
  const url = createUrlState('', signal);
  const host = h('div');
  const examples = h('div', null, snippets());
  const modelsHead = createPageHead(h('h2', null, 'Your models'));
  const models = modelList({
    signal,
    head: modelsHead,
    onLoad: (all) => examples.replaceChildren(snippets({ model: exampleModel(all) })),
  });
  const usage = createOwnUsage({ signal, url, drawer: createDrawer(main) });
  const keysHead = createPageHead(h('h2', null, 'Your API keys'));
  const keys = mountKeyList(host, {
    path: '/api/user/apikeys',
    modelsPath: MODELS,
    usersPath: null,
    signal,
    head: keysHead,
  });
  // The page is rendered when everything is loaded, so that nothing moves later.
  await Promise.all([keys.loaded, models.reload(), usage.load().catch((error) => showFailure(usage, error))]);
  const head = createPageHead();
  head.setTitle(`Hello, ${me.name || me.username}`);
  head.set(
    addressLine(),
    h('a', { class: 'btn primary', href: pageUrl('chat.html') }, icon('chat'), 'Open chat'),
  );
  const password = passwordCard({ username: me.username, path: '/api/user/password' });
  const changePassword = () => focusFirstField(password);
  main.prepend(
    h(
      'div',
      { class: 'page' },
      head.element,
      h(
        'div',
        { class: 'cols' },
        usage.budget,
        usage.course,
        usage.requests,
        h('section', { class: 'stack tight w12' }, keysHead.element, host),
        h('section', { class: 'card pad stack w12' }, h('h2', null, 'Connect a program'), examples),
        h('section', { class: 'stack tight w12' }, modelsHead.element, models.element),
        h('div', { class: 'w5 fill-card' }, password),
        h('p', { class: 'tiny muted w12' }, `Times are in ${zoneName()}.`),
      ),
    ),
  );
  renderShell({
    me: { username: me.username, name: me.name, role: 'user' },
    nav: createSidebarLinks(pageLinks('user', 'account')),
    home: 'dashboard.html',
    onChangePassword: changePassword,
    main,
    search: async () =>
      (await import('../views/own-search.js')).ownSearch({
        addKey: keys.add,
        openKey: keys.edit,
        showModel: models.select,
        openRequest: (id) => url.set({ open: id }),
        changePassword,
      }),
  });
  void usage.followAddress();
  const refresh = () => usage.load({ isQuiet: true }).catch(() => {});
  addEventListener('server-back', () => void refresh());
  refreshWhileVisible(refresh, signal);
}

/** @param {Pick<import('../lib/list.js').ListOptions<any>, 'signal' | 'head' | 'onLoad'>} options */
function modelList(options) {
  return createList({
    ...options,
    label: 'Your models',
    noun: 'model',
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
        class: 'main-cell',
        sort: (model) => model.name,
        cell: (model) =>
          titleCell(model.name, h('span', { class: 'mono' }, model.id), model.vision && visionBadge()),
      },
      {
        label: '$ per 1M tokens, in / out',
        class: 'r w-own-price',
        sort: (model) => model.price?.inputPerMTok ?? Number.MAX_SAFE_INTEGER,
        cell: (model) => priceText(model.price) ?? h('span', { class: 'muted' }, 'no price'),
      },
    ],
  });
}

/**
 * @param {ReturnType<typeof createOwnUsage>} usage
 * @param {unknown} error
 */
function showFailure(usage, error) {
  usage.budget.hidden = true;
  const retry = async () => {
    await usage.load();
    usage.budget.hidden = false;
  };
  const again = () => void retry().catch((next) => showFailure(usage, next));
  usage.course.replaceChildren(h('div', { class: 'card pad' }, failed(messageOf(error), again)));
}

/** @param {HTMLElement} form */
function focusFirstField(form) {
  const field = form.querySelector('input:not([hidden])');
  form.scrollIntoView({ block: 'center' });
  if (field instanceof HTMLElement) field.focus();
}

void openPage('/api/user/me', renderPage);
