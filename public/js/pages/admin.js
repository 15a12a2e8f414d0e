import { messageOf } from '../lib/api.js';
import { h } from '../lib/h.js';
import { openPage, renderShell } from '../lib/shell.js';
import { failed } from '../lib/states.js';
import { createTabs } from '../lib/tabs.js';

/**
 * What every view gets. intent: what the view should do at once, such as `add`; signal: aborted when the view is closed.
 * @typedef {{
 *   me: import('../lib/types.js').Me, navigate: (tab: string, intent?: string) => void, intent: string | undefined,
 *   signal: AbortSignal,
 * }} ViewContext
 */

/** The tabs. The module of a view is loaded when its tab is opened, or in the background after the first view. */
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

/** @param {import('../lib/types.js').Me} me */
function renderPanel(me) {
  const panel = h('div', { class: 'view', tabindex: -1 });
  const title = h('h1');
  /** @type {string | undefined} */
  let intent;
  let current = '';
  let controller = new AbortController();

  /** @param {string} id */
  function show(id) {
    const tab = TABS.find((one) => one.id === id) ?? TABS[0];
    if (tab.id === current) return;
    current = tab.id;
    controller.abort();
    controller = new AbortController();
    document.title = `${tab.label} · iPin Proxy`;
    title.textContent = tab.label;
    panel.replaceChildren();
    panel.classList.toggle('chat-view', tab.id === 'chat');
    scrollTo({ top: 0 });
    void mount(tab, { me, navigate, intent, signal: controller.signal });
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
      // Browsers do not load a failed module again, so the whole page is reloaded.
      if (!context.signal.aborted) panel.replaceChildren(failed(messageOf(error), () => location.reload()));
    }
  }

  /**
   * @param {string} tab
   * @param {string} [nextIntent]
   */
  function navigate(tab, nextIntent) {
    intent = nextIntent;
    // The pressed button disappears with its tab, so the focus moves first.
    document.getElementById('main')?.focus({ preventScroll: true });
    location.hash = tab;
  }

  const tabs = createTabs({
    label: 'Panel',
    tabs: TABS,
    selected: tabFromHash(),
    panel,
    class: 'sidebar',
    onSelect: (id) => {
      show(id);
      if (tabFromHash() !== id) history.pushState(null, '', `#${id}`);
    },
  });
  function followHash() {
    tabs.markSelected(tabFromHash());
    show(tabFromHash());
  }
  // Dispatched by links, by `navigate` and by the back button, not by pushState above.
  addEventListener('hashchange', followHash);
  addEventListener('popstate', followHash);
  renderShell(
    me,
    h(
      'div',
      { class: 'panel' },
      h('nav', { class: 'panel-nav', 'aria-label': 'Panel' }, tabs.element),
      h('main', { id: 'main', tabindex: -1, class: 'page' }, title, panel),
    ),
  );
  // Again, because only now the tab can scroll into view.
  tabs.markSelected(tabFromHash());
  setTimeout(preloadViews, 1000);
}

function tabFromHash() {
  const id = location.hash.slice(1);
  return TABS.some((tab) => tab.id === id) ? id : 'overview';
}

/** Kept while the panel is open, so that the conversation survives a change of tabs. @type {HTMLElement | null} */
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

/** Loads the other views in the background, so that a tab opens at once, even if the server does not answer. */
function preloadViews() {
  for (const tab of TABS) if (tab.id !== 'chat') tab.load().catch(() => {});
}

void openPage('/api/admin/me', renderPanel);
