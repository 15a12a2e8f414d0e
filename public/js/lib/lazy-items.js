import { h } from './h.js';

const CHUNK = 30;

/**
 * Fills a container with the first few of many items, and with more as the end comes into sight, so that thousands
 * cost no more than dozens.
 * @template T
 * @param {{ host: HTMLElement, end: HTMLElement, draw: (item: T) => Node }} options end: an element after the host
 */
export function createWindow({ host, end, draw }) {
  /** @type {readonly T[]} */
  let items = [];
  let shown = 0;
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) more();
    },
    { rootMargin: '400px' },
  );
  function more() {
    const next = items.slice(shown, shown + CHUNK);
    shown += next.length;
    host.append(...next.map(draw));
    observer.unobserve(end);
    // Observed anew: if the end is still in sight, that is reported again.
    if (shown < items.length) observer.observe(end);
  }
  return {
    /** @param {readonly T[]} next */
    show(next) {
      const least = Math.min(Math.max(shown, CHUNK), 4 * CHUNK);
      items = next;
      shown = Math.min(least, next.length);
      host.replaceChildren(...next.slice(0, shown).map(draw));
      observer.unobserve(end);
      if (shown < items.length) observer.observe(end);
    },
    /** Forgets how far it was scrolled: for a new search or order. */
    rewind() {
      shown = 0;
    },
  };
}

/** The element that marks the end of a list. */
export function endMark() {
  return h('div', { class: 'end-mark', 'aria-hidden': 'true' });
}
