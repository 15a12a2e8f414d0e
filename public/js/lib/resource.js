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
 * The list as it was read last, or read now.
 * @param {string} path
 * @returns {Promise<any[]>}
 */
export async function needList(path) {
  return cache.get(path) ?? (await loadList(path));
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
