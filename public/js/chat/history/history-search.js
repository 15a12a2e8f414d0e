import { messageOf } from '../../lib/api.js';
import { plural } from '../../lib/format.js';
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { MAX_FOUND } from './search.js';

const PAUSE_MS = 150;

/** @typedef {import('./search.js').Found} Found */

/**
 * The search field. A new letter ends the search before it.
 * @param {{
 *   store: import('./open-history.js').History, onFound: (found: readonly Found[] | null, query: string) => void, onLeave: () => void,
 * }} options onFound: so far; null without a search. onLeave: the arrow key down goes to the list
 */
export function createHistorySearch({ store, onFound, onLeave }) {
  /** @type {AbortController | null} */
  let running = null;
  let timer = 0;
  const field = h('input', {
    class: 'input',
    type: 'search',
    placeholder: 'Search chats',
    'aria-label': 'Search chats',
    autocomplete: 'off',
    maxlength: 200,
  });
  const progress = h('p', { class: 'history-progress', hidden: true, 'aria-hidden': 'true' });
  const spoken = h('p', { class: 'sr', role: 'status' });
  const element = h(
    'div',
    { class: 'history-search' },
    h('div', { class: 'search' }, icon('search'), field),
    progress,
    spoken,
  );

  function stop() {
    clearTimeout(timer);
    running?.abort();
    running = null;
    progress.hidden = true;
  }

  function start() {
    stop();
    const query = field.value.trim();
    if (query === '') {
      spoken.textContent = '';
      onFound(null, '');
      return;
    }
    timer = setTimeout(() => void run(query), PAUSE_MS);
  }

  /** @param {string} query */
  async function run(query) {
    const controller = new AbortController();
    const { signal } = controller;
    running = controller;
    try {
      const found = await store.search(query, {
        signal,
        onProgress: ({ done, total, found: soFar }) => {
          progress.hidden = false;
          progress.textContent = `Searching … ${Math.floor((100 * done) / Math.max(1, total))} %`;
          if (soFar.length > 0) onFound(soFar, query);
        },
      });
      signal.throwIfAborted();
      spoken.textContent = describe(found.length);
      onFound(found, query);
    } catch (error) {
      if (signal.aborted) return;
      spoken.textContent = messageOf(error);
    }
    progress.hidden = true;
  }

  field.addEventListener('input', start);
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') onLeave();
    else if (event.key === 'Escape' && field.value !== '') {
      field.value = '';
      start();
    } else return;
    event.preventDefault();
  });

  return {
    element,
    focus: () => field.focus(),
    /** Ends the search and empties the field. */
    clear() {
      field.value = '';
      start();
    },
    close: stop,
  };
}

/** @param {number} count */
function describe(count) {
  if (count === 0) return 'No chat found';
  return count < MAX_FOUND ? `${plural(count, 'chat')} found` : `The first ${MAX_FOUND} chats found`;
}
