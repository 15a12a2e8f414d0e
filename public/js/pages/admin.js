import { ApiError, api, messageOf, pageUrl } from '../lib/api.js';
import { h } from '../lib/h.js';
import { drawShell } from '../lib/shell.js';
import { failed } from '../lib/states.js';
import { createTabs } from '../lib/tabs.js';

/**
 * What a view gets: who is signed in, the way to other tabs, why it was opened, and a signal that ends with it.
 * @typedef {{
 *   me: import('../lib/types.js').Me, navigate: (tab: string, intent?: string) => void, intent: string | undefined,
 *   signal: AbortSignal,
 * }} ViewContext
 */

/** Views are read when they are first needed, and all of them once the first one stands. */
const TABS = /** @type {const} */ ([
  {
    id: 'overview',
    label: 'Overview',
    icon: 'overview',
    load: () => import('../views/overview.js').then((view) => view.mountOverview),
  },
  {
    id: 'providers',
    label: 'Providers',
    icon: 'server',
    load: () => import('../views/providers.js').then((view) => view.mountProviders),
  },
  {
    id: 'models',
    label: 'Models',
    icon: 'cube',
    load: () => import('../views/models.js').then((view) => view.mountModels),
  },
  {
    id: 'keys',
    label: 'API Keys',
    icon: 'key',
    load: () => import('../views/keys.js').then((view) => view.mountKeys),
  },
  {
    id: 'users',
    label: 'Users',
    icon: 'users',
    load: () => import('../views/users.js').then((view) => view.mountUsers),
  },
  {
    id: 'chat',
    label: 'Chat',
    icon: 'chat',
    load: () => import('../views/chat.js').then((view) => mountChatTab(view.mountChat)),
  },
  {
    id: 'settings',
    label: 'Settings',
    icon: 'settings',
    load: () => import('../views/settings.js').then((view) => view.mountSettings),
  },
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
    scrollTo({ top: 0 });
    void mount(tab, { me, navigate, intent, signal: life.signal });
    intent = undefined;
  }

  /**
   * @param {typeof TABS[number]} tab
   * @param {ViewContext} context
   */
  async function mount(tab, context) {
    try {
      const mountView = await tab.load();
      if (!context.signal.aborted) mountView(panel, context);
    } catch (error) {
      // A module that failed to load is not asked for again: only the page can be read anew.
      if (!context.signal.aborted) panel.replaceChildren(failed(messageOf(error), () => location.reload()));
    }
  }

  /**
   * @param {string} tab
   * @param {string} [why]
   */
  function navigate(tab, why) {
    intent = why;
    // What was pressed goes with its tab.
    document.getElementById('main')?.focus({ preventScroll: true });
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
  setTimeout(readAhead, 1000);
}

function tabOfAddress() {
  const id = location.hash.slice(1);
  return TABS.some((tab) => tab.id === id) ? id : 'overview';
}

/** Kept while the panel is open, so that a conversation survives a look at another tab. @type {HTMLElement | null} */
let chatHost = null;

/** @param {typeof import('../views/chat.js').mountChat} mountChat */
function mountChatTab(mountChat) {
  return (/** @type {HTMLElement} */ container) => {
    if (chatHost === null) {
      chatHost = h('div', { class: 'chat-host' });
      mountChat(chatHost, { signedIn: true, role: 'admin' });
    }
    container.append(chatHost);
  };
}

/** Reads the other views while nobody waits, so that a tab opens at once, also when the server is away. */
function readAhead() {
  for (const tab of TABS) if (tab.id !== 'chat') tab.load().catch(() => {});
}

void start();
