import { h } from './h.js';

/** @typedef {ReturnType<typeof createPageHead>} PageHead */

/**
 * The head of a page, or of a part of it: its title, actions at the end of the line, and a muted line below.
 * @param {HTMLElement} [title]
 */
export function createPageHead(title = h('h1')) {
  /** @type {Node[]} */
  let actions = [];
  /** @type {HTMLElement | null} */
  let lead = null;
  const element = h('div', { class: 'page-head' }, title);
  function render() {
    element.replaceChildren(title, ...actions, ...(lead ? [lead] : []));
  }
  return {
    element,
    /** @param {string} text */
    setTitle(text) {
      title.textContent = text;
    },
    /** Replaces the actions. @param {...import('./h.js').Child} children search, segmented control, buttons */
    set(...children) {
      actions = [...h('div', null, ...children).childNodes];
      render();
    },
    /** @param {import('./h.js').Child} child null: none */
    setLead(child) {
      lead = child ? h('p', { class: 'lead' }, child) : null;
      render();
    },
    /** Removes everything but the title. */
    clear() {
      actions = [];
      lead = null;
      render();
    },
  };
}
