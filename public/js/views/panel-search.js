/** What the search over everything looks in, in the panel. */
import { plural } from '../lib/format.js';
import { getList } from '../lib/resource.js';
import { TABS } from '../pages/admin-tabs.js';

/** @typedef {import('../lib/search-dialog.js').SearchSource} SearchSource */

/**
 * @param {import('../pages/admin.js').Navigate} navigate
 * @returns {SearchSource[]}
 */
export function panelSearch(navigate) {
  /** @param {string} tab @param {string} id */
  const openIn = (tab, id) => () => navigate(tab, 'open', { open: id });
  return [
    {
      title: 'Go to',
      isShownAtOnce: true,
      load: async () =>
        TABS.map(({ id, label, icon }) => ({ label, icon, keywords: id, onOpen: () => navigate(id) })),
    },
    { title: 'Do', isShownAtOnce: true, load: async () => actions(navigate) },
    {
      title: 'Providers',
      load: async () =>
        (await getList('/api/admin/providers')).map((one) => ({
          label: one.name,
          detail: hostOf(one.baseUrl),
          keywords: one.id,
          icon: 'server',
          onOpen: openIn('providers', one.id),
        })),
    },
    {
      title: 'Models',
      load: async () =>
        (await getList('/api/admin/models')).map((one) => ({
          label: one.name,
          detail: one.id === one.name ? one.providerId : one.id,
          keywords: `${one.id} ${one.upstreamModel ?? ''}`,
          icon: 'cube',
          onOpen: openIn('models', one.id),
        })),
    },
    {
      title: 'API keys',
      load: async () =>
        (await getList('/api/admin/apikeys')).map((one) => ({
          label: one.name,
          detail: one.keyHint,
          icon: 'key',
          onOpen: openIn('keys', one.id),
        })),
    },
    {
      title: 'Users',
      load: async () =>
        (await getList('/api/admin/users')).map((one) => ({
          label: one.username,
          detail: one.name === one.username ? accessOf(one) : one.name,
          icon: 'users',
          onOpen: openIn('users', one.id),
        })),
    },
  ];
}

/** @param {import('../pages/admin.js').Navigate} navigate */
function actions(navigate) {
  /** @type {[string, string, string][]} */
  const rows = [
    ['Add a provider', 'providers', 'add'],
    ['Add a model', 'models', 'add'],
    ['Add an API key', 'keys', 'add'],
    ['Add a user', 'users', 'add'],
    ['Change the password', 'settings', 'password'],
  ];
  return rows.map(([label, tab, intent]) => ({
    label,
    icon: symbolOf(intent),
    onOpen: () => navigate(tab, intent),
  }));
}

/** @param {string} intent @returns {import('../lib/icons.js').IconName} */
function symbolOf(intent) {
  return intent === 'add' ? 'plus' : 'lock';
}

/** @param {string} url */
function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** @param {import('../lib/types.js').User} user */
function accessOf({ models }) {
  return models === null ? 'all models' : plural(models.length, 'model');
}
