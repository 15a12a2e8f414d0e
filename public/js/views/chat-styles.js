import { h } from '../lib/h.js';

/**
 * Adds the chat's style sheet if the page does not have it. Resolves when it is loaded, or when loading failed.
 * @returns {Promise<void>}
 */
export function loadChatStyles() {
  const href = new URL('../../chat.css', import.meta.url).href;
  const known = [...document.querySelectorAll('link')].some((link) => link.href === href);
  if (known) return Promise.resolve();
  const link = h('link', { rel: 'stylesheet', href });
  return new Promise((resolve) => {
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => resolve());
    document.head.append(link);
  });
}

/**
 * Sets `--chat-top` to the position of the chat on the page, so that the chat fills the rest of the window.
 * @param {HTMLElement} element
 */
export function watchChatTop(element) {
  const measure = () => {
    if (element.clientWidth === 0) return;
    const top = Math.round(element.getBoundingClientRect().top + scrollY);
    element.style.setProperty('--chat-top', `${top}px`);
  };
  new ResizeObserver(measure).observe(element);
  addEventListener('resize', measure);
}
