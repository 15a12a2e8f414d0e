/** The chat's own styles: read by the page that shows it, not by those that do not. */
import { h } from '../lib/h.js';

/** Adds the style sheet to the page, once. */
export function loadChatStyles() {
  if (document.querySelector('link[href="chat.css"]')) return;
  document.head.append(h('link', { rel: 'stylesheet', href: 'chat.css' }));
}
