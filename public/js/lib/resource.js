import { api } from './api.js';

/** What was read last, per path, so that a view shows it at once and renews it behind. In memory only. @type {Map<string, any[]>} */
const cache = new Map();

/**
 * Reads a list.
 * @param {string} path such as `/api/admin/models`
 * @returns {Promise<any[]>}
 */
export async function loadList(path) {
  const { data } = await api.get(path);
  cache.set(path, data);
  return data;
}

/**
 * The list as it was read last; null: not yet.
 * @param {string} path
 * @returns {any[] | null}
 */
export function knownList(path) {
  return cache.get(path) ?? null;
}

/**
 * The list as it was read last, renewed behind for the next time; read now where that was never.
 * @param {string} path
 * @returns {Promise<any[]>}
 */
export async function needList(path) {
  const loading = loadList(path);
  const known = cache.get(path);
  if (known === undefined) return loading;
  loading.catch(() => {});
  return known;
}

/**
 * Forgets what was read: all of it, where everything was replaced.
 * @param {string} [path]
 */
export function forgetLists(path) {
  if (path === undefined) cache.clear();
  else cache.delete(path);
}

/**
 * Takes a list for what would be read now: something in it was changed here.
 * @param {string} path
 * @param {any[]} items
 */
export function rememberList(path, items) {
  cache.set(path, items);
}

/**
 * The path of one member; ids may hold slashes.
 * @param {string} path
 * @param {string} id
 */
export function memberPath(path, id) {
  return `${path}/${encodeURIComponent(id)}`;
}
