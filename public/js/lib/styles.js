import { h } from './h.js';

/**
 * Adds a style sheet if the page does not have it, such as `chat.css`. Resolves when it is loaded, or when loading failed.
 * @param {string} name in the folder of the pages
 * @returns {Promise<void>}
 */
export function loadStyles(name) {
  const { href } = new URL(`../../${name}`, import.meta.url);
  const known = [...document.querySelectorAll('link')].some((link) => link.href === href);
  if (known) return Promise.resolve();
  const link = h('link', { rel: 'stylesheet', href });
  return new Promise((resolve) => {
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => {
      // The next call tries again.
      link.remove();
      resolve();
    });
    document.head.append(link);
  });
}
