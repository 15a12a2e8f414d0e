/**
 * The state in the address: `#usage?range=7d&model=a&model=b` is a tab and its filters. Back and forward work on it.
 *
 * @typedef {Record<string, string | readonly string[] | null | undefined>} PlaceParams empty values are left out
 * @typedef {ReturnType<typeof createUrlState>} UrlState
 */

/** The filters that Usage and Requests share, under the names of the API. */
const SHARED_FILTERS = ['range', 'from', 'to', 'key', 'user', 'provider', 'model', 'endpoint', 'outcome'];

/**
 * The part of the address for a tab.
 * @example hashOf('usage', { range: '7d', model: ['a', 'b'] })
 * @param {string} tab
 * @param {PlaceParams | URLSearchParams} [params]
 */
export function hashOf(tab, params = {}) {
  const query = params instanceof URLSearchParams ? params : withChanges(new URLSearchParams(), params);
  // A slash and a colon are allowed there and common in ids.
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%3A', ':');
  return text === '' ? `#${tab}` : `#${tab}?${text}`;
}

/**
 * @param {string} [hash]
 * @returns {{ tab: string, params: URLSearchParams }}
 */
export function readHash(hash = location.hash) {
  const [tab = '', query = ''] = split(hash.replace(/^#/, ''), '?');
  return { tab, params: new URLSearchParams(query) };
}

/**
 * The filters of one tab in the address.
 * @param {string} tab
 * @param {AbortSignal} signal of the view; ends the calls of `onChange`
 */
export function createUrlState(tab, signal) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let last = location.hash;
  function notify() {
    if (location.hash === last || readHash().tab !== tab) return;
    last = location.hash;
    for (const listener of listeners) listener();
  }
  addEventListener('popstate', notify, { signal });
  addEventListener('hashchange', notify, { signal });
  return {
    /** @param {string} name @returns {string | null} */
    get: (name) => readHash().params.get(name),
    /** @param {string} name @returns {string[]} */
    all: (name) => readHash().params.getAll(name),
    /**
     * Changes the named values and leaves the others.
     * @param {PlaceParams} changes
     * @param {{ replace?: boolean }} [options] replace: without a step of its own for the back button
     */
    set(changes, { replace = false } = {}) {
      if (signal.aborted) return;
      const hash = hashOf(tab, withChanges(readHash().params, changes));
      if (hash === location.hash) return;
      if (replace) history.replaceState(null, '', hash);
      else history.pushState(null, '', hash);
      notify();
    },
    /** Calls back after every change, whoever made it. @param {() => void} listener */
    onChange(listener) {
      listeners.add(listener);
    },
  };
}

/**
 * The filters that the other of Usage and Requests takes over.
 * @param {URLSearchParams} params
 */
export function sharedFilters(params) {
  return new URLSearchParams([...params].filter(([name]) => SHARED_FILTERS.includes(name)));
}

/**
 * @param {URLSearchParams} params
 * @param {PlaceParams} changes
 */
function withChanges(params, changes) {
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const one of typeof value === 'string' ? [value] : (value ?? []))
      if (one !== '') params.append(name, one);
  }
  return params;
}

/**
 * @param {string} text
 * @param {string} mark
 */
function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
