import { dateTime, relativeTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/** @typedef {import('../lib/types.js').ApiKey} ApiKey */

/** @param {ApiKey} key */
export function isMaster(key) {
  return key.id === 'master';
}

/**
 * What is special about a key, as badges.
 * @param {ApiKey} key
 * @param {import('../lib/types.js').User | undefined} owner
 */
export function keyBadges(key, owner) {
  return [
    isMaster(key) &&
      h(
        'span',
        {
          class: 'badge ok',
          title: 'The master key may use every model. You cannot delete it or switch it off here.',
        },
        icon('lock'),
        h('span', { class: 'sr' }, 'protected'),
      ),
    expiryBadge(key.expiresAt),
    owner?.enabled === false &&
      h(
        'span',
        { class: 'badge warn', title: 'The owner is switched off, so this key is refused' },
        'owner off',
      ),
  ];
}

/** @param {string | null} expiresAt */
function expiryBadge(expiresAt) {
  if (expiresAt === null || expiresAt === undefined) return null;
  const isExpired = Date.parse(expiresAt) <= Date.now();
  return h(
    'span',
    { class: `badge ${isExpired ? 'bad' : ''}`, title: dateTime(expiresAt) },
    isExpired ? 'expired' : `expires ${relativeTime(expiresAt)}`,
  );
}
