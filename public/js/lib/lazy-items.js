import { h } from './h.js';

const CHUNK = 30;

/**
 * Renders the first few of many items, and more when the end of the container scrolls into view. A list of thousands
 * costs no more than a list of dozens.
 * @template T
 * @param {{ host: HTMLElement, sentinel: HTMLElement, renderItem: (item: T) => Node }} options
 *   sentinel: an element after the host
 */
export function createLazyItems({ host, sentinel, renderItem }) {
  /** @type {readonly T[]} */
  let items = [];
  let shown = 0;
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) showMore();
    },
    { rootMargin: '400px' },
  );
  function showMore() {
    const next = items.slice(shown, shown + CHUNK);
    shown += next.length;
    host.append(...next.map(renderItem));
    observeEnd();
  }
  function observeEnd() {
    // Observing again makes the browser report again, even if the sentinel never left the view.
    observer.unobserve(sentinel);
    if (shown < items.length) observer.observe(sentinel);
  }
  return {
    /** Replaces the items; keeps about as many rendered as before. @param {readonly T[]} next */
    show(next) {
      const least = Math.min(Math.max(shown, CHUNK), 4 * CHUNK);
      items = next;
      shown = Math.min(least, next.length);
      host.replaceChildren(...next.slice(0, shown).map(renderItem));
      observeEnd();
    },
    /** Forgets how many items were rendered: for a new search or sort order. */
    reset() {
      shown = 0;
    },
  };
}

/** The invisible element that marks the end of a list. */
export function createSentinel() {
  return h('div', { class: 'sentinel', 'aria-hidden': 'true' });
}
