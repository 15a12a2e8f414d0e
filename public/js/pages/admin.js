import { messageOf } from '../lib/api.js';
import { createDrawer } from '../lib/drawer.js';
import { h } from '../lib/h.js';
import { createPageHead } from '../lib/page-head.js';
import { openPage, renderShell } from '../lib/shell.js';
import { createSidebarTabs } from '../lib/sidebar-tabs.js';
import { failed } from '../lib/states.js';
import { createUrlState, hashOf, readHash, sharedFilters } from '../lib/url-state.js';
import { watchAttention } from '../views/attention.js';
import { TABS } from './admin-tabs.js';

/**
 * What every view gets. intent: what the view should do at once, such as `add`; signal: aborted when the view is closed;
 * head: the head of the page, for actions; url: the filters in the address; drawer: for looking at one thing; openMenu: opens
 * the sidebar on a phone, for a view that hides the bar.
 * @typedef {{
 *   me: import('../lib/types.js').Me, navigate: Navigate, intent: string | undefined, signal: AbortSignal,
 *   head: import('../lib/page-head.js').PageHead, url: import('../lib/url-state.js').UrlState,
 *   drawer: import('../lib/drawer.js').Drawer, openMenu: (button: HTMLElement) => void,
 * }} ViewContext
 */
/** @typedef {(tab: string, intent?: string, params?: import('../lib/url-state.js').PlaceParams) => void} Navigate */

/** These share their filters. */
const FILTERED = ['usage', 'requests'];

/** @param {import('../lib/types.js').Me} me */
function renderPanel(me) {
  const head = createPageHead();
  const panel = h('div', { class: 'view', tabindex: -1 });
  const page = h('div', { class: 'page' }, head.element, panel);
  const main = h('main', { id: 'main', tabindex: -1, class: 'main' }, page);
  const drawer = createDrawer(main);
  /** The filters that Usage and Requests had last. */
  let filters = new URLSearchParams();
  /** @type {string | undefined} */
  let intent;
  let current = '';
  let controller = new AbortController();

  /** @param {string} id */
  function show(id) {
    const tab = TABS.find((one) => one.id === id) ?? TABS[0];
    if (FILTERED.includes(tab.id)) filters = sharedFilters(readHash().params);
    if (tab.id === current && intent === undefined) return;
    current = tab.id;
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    drawer.close();
    document.title = `${tab.label} · iPin Proxy`;
    head.clear();
    head.setTitle(tab.label);
    panel.replaceChildren();
    panel.classList.toggle('chat-view', tab.id === 'chat');
    shell.setSlim(tab.id === 'chat');
    scrollTo({ top: 0 });
    const { openMenu } = shell;
    void mount(tab, {
      me,
      navigate,
      intent,
      signal,
      head,
      drawer,
      openMenu,
      url: createUrlState(tab.id, signal),
    });
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

  /** @type {Navigate} */
  function navigate(tab, nextIntent, params) {
    intent = nextIntent;
    // The pressed button disappears with its tab, so the focus moves first.
    document.getElementById('main')?.focus({ preventScroll: true });
    const hash = hashOf(tab, params);
    if (location.hash !== hash) location.hash = hash;
    else if (intent !== undefined) show(tab);
  }

  const tabs = createSidebarTabs({
    tabs: TABS,
    selected: currentTab(),
    panel,
    onSelect: (id) => {
      shell.closeMenu();
      if (id !== current) {
        const hash = FILTERED.includes(id) ? hashOf(id, filters) : hashOf(id);
        history.pushState(null, '', hash);
      }
      show(id);
    },
  });
  function followHash() {
    tabs.markSelected(currentTab());
    show(currentTab());
  }
  // Dispatched by links, by `navigate` and by the back button, not by pushState above.
  addEventListener('hashchange', followHash);
  addEventListener('popstate', followHash);
  const shell = renderShell({
    me,
    nav: tabs.element,
    main,
    home: 'admin.html',
    search: async () => (await import('../views/panel-search.js')).panelSearch(navigate),
  });
  // Again, because only now the tab can scroll into view.
  followHash();
  watchAttention(({ count, text }) => tabs.setBadge('providers', count, text));
  setTimeout(preloadViews, 1000);
}

function currentTab() {
  const { tab } = readHash();
  return TABS.some((one) => one.id === tab) ? tab : 'overview';
}

/** Loads the other views and the search in the background, so that they open at once, even if the server does not answer. */
function preloadViews() {
  for (const tab of TABS) if (tab.id !== 'chat') tab.load().catch(() => {});
  Promise.all([import('../lib/search-dialog.js'), import('../views/panel-search.js')]).catch(() => {});
}

void openPage('/api/admin/me', renderPanel);
