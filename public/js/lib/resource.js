import { api } from './api.js';

/** The last answer per path. A view shows it at once and loads the list again in the background. In memory only. @type {Map<string, any[]>} */
const cache = new Map();
/** @type {Map<string, Set<(items: any[]) => void>>} */
const watchers = new Map();

/**
 * Calls back now, if the list is known, and whenever it was loaded or changed.
 * @param {string} path
 * @param {(items: any[]) => void} watch
 */
export function watchList(path, watch) {
  const known = watchers.get(path) ?? new Set();
  watchers.set(path, known.add(watch));
  const items = cache.get(path);
  if (items !== undefined) watch(items);
}

/**
 * Loads a list and caches it.
 * @param {string} path such as `/api/admin/models`
 * @returns {Promise<any[]>}
 */
export async function loadList(path) {
  const { data } = await api.get(path);
  cacheList(path, data);
  return data;
}

/**
 * Loads a list again without anything on the screen: no question to sign in, no error.
 * @param {string} path
 * @returns {Promise<any[] | null>} null when it cannot be loaded now
 */
export async function loadQuietly(path) {
  try {
    const { data } = await api.get(path, { keepSession: true });
    cacheList(path, data);
    return data;
  } catch {
    return null;
  }
}

/**
 * The cached list; null when it was never loaded.
 * @param {string} path
 * @returns {any[] | null}
 */
export function cachedList(path) {
  return cache.get(path) ?? null;
}

/**
 * The cached list, refreshed in the background for the next caller; loads it when nothing is cached.
 * @param {string} path
 * @returns {Promise<any[]>}
 */
export async function getList(path) {
  const loading = loadList(path);
  const cached = cache.get(path);
  if (cached === undefined) return loading;
  loading.catch(() => {});
  return cached;
}

/**
 * Caches a list that was changed here.
 * @param {string} path
 * @param {any[]} items
 */
export function cacheList(path, items) {
  cache.set(path, items);
  for (const watch of watchers.get(path) ?? []) watch(items);
}

/**
 * Removes one list from the cache, or all of them.
 * @param {string} [path]
 */
export function clearCachedLists(path) {
  if (path === undefined) cache.clear();
  else cache.delete(path);
}

/**
 * The path of one record; ids may contain slashes.
 * @param {string} path
 * @param {string} id
 */
export function memberPath(path, id) {
  return `${path}/${encodeURIComponent(id)}`;
}
