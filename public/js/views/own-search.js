/** What the search over everything looks in, on a user's own page. */
import { api, pageUrl } from '../lib/api.js';
import { clockTime, day } from '../lib/format.js';
import { priceText } from '../lib/prices.js';
import { getList } from '../lib/resource.js';

/**
 * @typedef {import('../lib/search-dialog.js').SearchSource} SearchSource
 * @typedef {{
 *   addKey: () => unknown, openKey: (id: string) => unknown, showModel: (id: string) => unknown,
 *   openRequest: (id: string) => unknown, changePassword: () => unknown,
 * }} OwnPlaces
 */

/** The latest requests, among which the search looks. */
const REQUESTS = 100;

/**
 * @param {OwnPlaces} places
 * @returns {SearchSource[]}
 */
export function ownSearch(places) {
  return [
    {
      title: 'Go to',
      isShownAtOnce: true,
      load: async () => [
        {
          label: 'My account',
          icon: 'overview',
          keywords: 'dashboard usage',
          onOpen: () => scrollTo({ top: 0 }),
        },
        { label: 'Chat', icon: 'chat', onOpen: () => location.assign(pageUrl('chat.html')) },
      ],
    },
    {
      title: 'Do',
      isShownAtOnce: true,
      load: async () => [
        { label: 'Add an API key', icon: 'plus', onOpen: places.addKey },
        { label: 'Change the password', icon: 'lock', onOpen: places.changePassword },
      ],
    },
    {
      title: 'API keys',
      load: async () =>
        (await getList('/api/user/apikeys')).map((one) => ({
          label: one.name,
          detail: one.keyHint,
          icon: 'key',
          onOpen: () => places.openKey(one.id),
        })),
    },
    {
      title: 'Models',
      load: async () =>
        (await getList('/api/user/models')).map((one) => ({
          label: one.name,
          detail: one.id === one.name ? (priceText(one.price) ?? '') : one.id,
          keywords: one.id,
          icon: 'cube',
          onOpen: () => places.showModel(one.id),
        })),
    },
    {
      title: 'Requests',
      load: async () => {
        const { data } = await api.get(`/api/user/requests?limit=${REQUESTS}`, { keepSession: true });
        return data.map((/** @type {import('./traffic-types.js').LoggedRequest} */ one) => ({
          label: one.model ?? one.endpoint,
          detail: `${one.status} · ${day(one.at)}, ${clockTime(one.at)}`,
          keywords: `${one.id} ${one.keyName ?? ''} ${one.code ?? ''}`,
          icon: 'requests',
          onOpen: () => places.openRequest(one.id),
        }));
      },
    },
  ];
}
