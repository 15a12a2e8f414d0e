import { h } from '../lib/h.js';

/** The tabs of the panel. The module of a view is loaded when its tab is opened, or in the background after the first view. */
export const TABS = /** @type {const} */ ([
  {
    id: 'overview',
    label: 'Overview',
    icon: 'overview',
    load: () => import('../views/overview.js').then((view) => view.mountOverview),
  },
  {
    id: 'usage',
    label: 'Usage',
    icon: 'usage',
    load: () => import('../views/usage.js').then((view) => view.mountUsage),
  },
  {
    id: 'requests',
    label: 'Requests',
    icon: 'requests',
    load: () => import('../views/requests.js').then((view) => view.mountRequests),
  },
  {
    id: 'providers',
    label: 'Providers',
    icon: 'server',
    startsGroup: true,
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
    startsGroup: true,
    load: () => import('../chat/chat.js').then((view) => mountChatTab(view.mountChat)),
  },
  {
    id: 'settings',
    label: 'Settings',
    icon: 'settings',
    load: () => import('../views/settings.js').then((view) => view.mountSettings),
  },
]);

/**
 * Kept while the panel is open, so that the conversation survives a change of tabs.
 * @type {{ host: HTMLElement, shown: () => void } | null}
 */
let chat = null;

/** @param {typeof import('../chat/chat.js').mountChat} mountChat */
function mountChatTab(mountChat) {
  return (/** @type {HTMLElement} */ container, /** @type {import('./admin.js').ViewContext} */ context) => {
    if (chat === null) {
      const host = h('div', { class: 'chat-host' });
      const { shown } = mountChat(host, { me: context.me, isTab: true, onMenu: context.openMenu });
      chat = { host, shown };
    }
    container.append(chat.host);
    chat.shown();
  };
}
