import { ApiError, api, messageOf, pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { failed } from '../lib/list.js';
import { drawShell } from '../lib/shell.js';
import { createTabs } from '../lib/tabs.js';
import { mountKeys } from '../views/keys.js';
import { mountModels } from '../views/models.js';
import { mountOverview } from '../views/overview.js';
import { mountProviders } from '../views/providers.js';
import { mountSettings } from '../views/settings.js';
import { mountUsers } from '../views/users.js';

/**
 * What a view gets: the way to other tabs, why it was opened, and a signal that ends with it.
 * @typedef {{ navigate: (tab: string, intent?: string) => void, intent: string | undefined, signal: AbortSignal }} ViewContext
 */

const TABS = /** @type {const} */ ([
  { id: 'overview', label: 'Overview', icon: 'overview', mount: mountOverview },
  { id: 'providers', label: 'Providers', icon: 'server', mount: mountProviders },
  { id: 'models', label: 'Models', icon: 'cube', mount: mountModels },
  { id: 'keys', label: 'API Keys', icon: 'key', mount: mountKeys },
  { id: 'users', label: 'Users', icon: 'users', mount: mountUsers },
  { id: 'chat', label: 'Chat', icon: 'chat', mount: mountChatTab },
  { id: 'settings', label: 'Settings', icon: 'settings', mount: mountSettings },
]);

async function start() {
  let me;
  try {
    me = await api.get('/api/admin/me', { keepSession: true });
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
  drawPanel(me);
}

/** @param {import('../lib/types.js').Me} me */
function drawPanel(me) {
  const panel = h('div', { class: 'view', tabindex: -1 });
  const title = h('h1');
  /** @type {string | undefined} */
  let intent;
  let current = '';
  let life = new AbortController();

  /** @param {string} id */
  function show(id) {
    const tab = TABS.find((one) => one.id === id) ?? TABS[0];
    if (tab.id === current) return;
    current = tab.id;
    life.abort();
    life = new AbortController();
    document.title = `${tab.label} · iPin Proxy`;
    title.textContent = tab.label;
    panel.replaceChildren();
    panel.classList.toggle('chat-view', tab.id === 'chat');
    tab.mount(panel, { navigate, intent, signal: life.signal });
    intent = undefined;
    scrollTo({ top: 0 });
  }

  /**
   * @param {string} tab
   * @param {string} [why]
   */
  function navigate(tab, why) {
    intent = why;
    location.hash = tab;
  }

  const tabs = createTabs({
    label: 'Panel',
    tabs: TABS,
    selected: tabOfAddress(),
    panel,
    class: 'sidebar',
    onSelect: (id) => {
      show(id);
      if (tabOfAddress() !== id) history.pushState(null, '', `#${id}`);
    },
  });
  // Fired by links, by `navigate` and by the back button, not by pushState above.
  addEventListener('hashchange', () => {
    tabs.mark(tabOfAddress());
    show(tabOfAddress());
  });
  addEventListener('popstate', () => {
    tabs.mark(tabOfAddress());
    show(tabOfAddress());
  });
  drawShell(
    me,
    h(
      'div',
      { class: 'panel' },
      h('nav', { class: 'panel-nav', 'aria-label': 'Panel' }, tabs.element),
      h('main', { id: 'main', tabindex: -1, class: 'page' }, title, panel),
    ),
  );
  // Once more now that it can scroll into sight.
  tabs.mark(tabOfAddress());
}

function tabOfAddress() {
  const id = location.hash.slice(1);
  return TABS.some((tab) => tab.id === id) ? id : 'overview';
}

/** Kept while the panel is open, so that a conversation survives a look at another tab. @type {HTMLElement | null} */
let chatHost = null;

/** @param {HTMLElement} container */
async function mountChatTab(container) {
  if (chatHost !== null) {
    container.append(chatHost);
    return;
  }
  const host = h('div', { class: 'chat-host' });
  chatHost = host;
  container.append(host);
  try {
    const { mountChat } = await import('../views/chat.js');
    mountChat(host, { signedIn: true, role: 'admin' });
  } catch (error) {
    chatHost = null;
    host.replaceChildren(failed(messageOf(error), () => mountChatTab(container)));
  }
}

void start();
