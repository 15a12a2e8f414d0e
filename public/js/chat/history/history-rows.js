import { h } from '../../lib/h.js';
import { createRow } from './history-row.js';

/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {{ label: string, chats: readonly Chat[] }} Group */

/**
 * The rows of the list in groups. Rows that stay are kept, so that focus, menus and renaming survive changes from other tabs.
 * From the keyboard: one row is reached with Tab, arrows, Home and End move, F2 renames, Delete deletes.
 * @param {import('./history-row.js').RowActions} actions
 */
export function createRows(actions) {
  const element = h('div');
  /** @type {Map<string, import('./history-row.js').Row>} */
  let rows = new Map();
  /** @type {string | null} */
  let currentId = null;
  /** @type {string | null} */
  let activeId = null;

  /**
   * @param {readonly Group[]} groups
   * @param {{ snippets: ReadonlyMap<string, string>, word: string }} found pieces of found texts, by chat; word: what is
   *   marked in them
   */
  function show(groups, { snippets, word }) {
    const focus = rememberFocus();
    /** @type {typeof rows} */
    const next = new Map();
    const sections = groups.map(({ label, chats }) => {
      const items = chats.map((chat) => {
        const row = rows.get(chat.id) ?? createRow(chat, actions);
        row.update(chat, snippets.get(chat.id) ?? null, word);
        next.set(chat.id, row);
        return row.element;
      });
      const section = sectionOf(label);
      placeChildren(section.querySelector('ul') ?? section, items);
      return section;
    });
    rows = next;
    placeChildren(element, sections);
    mark();
    focus();
  }

  /** @param {string} label */
  function sectionOf(label) {
    const known = [...element.children].find((one) => one.firstElementChild?.textContent === label);
    return known ?? h('div', null, h('h2', null, label), h('ul', { 'aria-label': label }));
  }

  function mark() {
    if (activeId === null || !rows.has(activeId))
      activeId = currentId !== null && rows.has(currentId) ? currentId : (rows.keys().next().value ?? null);
    for (const [id, row] of rows) {
      row.setCurrent(id === currentId);
      row.setActive(id === activeId);
    }
  }

  /** Moving a row takes its focus; a row that goes gives it to the next one, else to the one before. */
  function rememberFocus() {
    const before = [...rows.keys()];
    const { activeElement } = document;
    const id = before.find((one) => rows.get(one)?.element.contains(activeElement));
    return () => {
      if (id === undefined || document.activeElement === activeElement) return;
      if (rows.has(id)) {
        if (activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
        return;
      }
      const index = before.indexOf(id);
      const heir = [...before.slice(index + 1), ...before.slice(0, index).reverse()].find((one) =>
        rows.has(one),
      );
      if (heir !== undefined) focusRow(heir);
    };
  }

  /** @param {string} id */
  function focusRow(id) {
    activeId = id;
    mark();
    rows.get(id)?.link.focus();
  }

  element.addEventListener('focusin', ({ target }) => {
    const id = [...rows.keys()].find(
      (one) => target instanceof Node && rows.get(one)?.element.contains(target),
    );
    if (id === undefined || id === activeId) return;
    activeId = id;
    mark();
  });
  element.addEventListener('keydown', (event) => {
    const row = [...rows.values()].find(({ link, more }) => event.target === link || event.target === more);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const ids = [...rows.keys()];
    const index = ids.indexOf(row.chat().id);
    const to = nextIndex(event.key, index, ids.length - 1);
    if (to !== null) focusRow(ids[to]);
    else if (event.key === 'F2') row.rename();
    else if (event.key === 'Delete') actions.onDelete(row.chat());
    else return;
    event.preventDefault();
  });

  return {
    element,
    show,
    /** @param {string | null} id */
    setCurrent(id) {
      currentId = id;
      if (!element.contains(document.activeElement)) activeId = null;
      mark();
    },
    /** Gives the focus to the row that Tab reaches; false without rows. */
    focus() {
      if (activeId === null) return false;
      focusRow(activeId);
      return true;
    },
  };
}

/**
 * Makes these the children, and moves only those that are not in their place.
 * @param {Element} parent
 * @param {readonly Element[]} children
 */
function placeChildren(parent, children) {
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, index) => {
    const there = parent.children[index];
    if (there !== child) parent.insertBefore(child, there ?? null);
  });
}

/** @param {string} key @param {number} index @param {number} last */
function nextIndex(key, index, last) {
  if (key === 'ArrowDown') return Math.min(last, index + 1);
  if (key === 'ArrowUp') return Math.max(0, index - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? last : null;
}
