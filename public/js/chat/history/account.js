/** The name under which a browser keeps the chats of an account. */
import { pageUrl } from '../../lib/api.js';

/** Of people without an account and without a key so far. */
export const GUEST = 'guest';

/**
 * @param {{ role: 'admin' | 'user', username: string, id?: string } | { key: string }} who id: of a user. key: an API key that
 *   was pasted by a person without an account
 * @returns {Promise<string>} for `openHistory`; of a key only a digest, or `guest` where the browser makes none (plain http)
 */
export async function accountName(who) {
  if (!('key' in who))
    return who.role === 'admin' ? `admin ${who.username}` : `user ${who.id ?? who.username}`;
  if (who.key === '' || !globalThis.crypto?.subtle) return GUEST;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(who.key));
  const start = new Uint8Array(digest).slice(0, 16);
  return `key ${Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * Databases and channels of this address: other instances may be served under other paths of the same host.
 * @param {string} account
 */
export function databaseName(account) {
  return `ipin-chat ${new URL(pageUrl('')).pathname} ${account}`;
}
