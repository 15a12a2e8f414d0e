import { h } from '../../lib/h.js';
import { menuButton } from '../../lib/menu.js';
import { MAX_TITLE_LENGTH } from './records.js';
import { fold } from './search.js';

/** @typedef {import('./types.js').Chat} Chat */
/**
 * @typedef {{
 *   hrefOf: (chat: Chat) => string, onOpen: (chat: Chat) => void, onRename: (chat: Chat, title: string) => void,
 *   onPin: (chat: Chat) => void, onExport: (chat: Chat) => void, onDelete: (chat: Chat) => void,
 * }} RowActions
 */
/** @typedef {ReturnType<typeof createRow>} Row */

/**
 * One chat of the list: a link, and its menu. The title can be changed in place.
 * @param {Chat} first
 * @param {RowActions} actions
 */
export function createRow(first, actions) {
  let chat = first;
  const title = h('span', { class: 'history-title' });
  const snippet = h('span', { class: 'history-snippet', hidden: true });
  const link = h('a', { tabindex: -1 }, title, snippet);
  const more = menuButton({ label: `More for ${chat.title}`, items: menuItems });
  more.tabIndex = -1;
  const element = h('li', null, link, more);
  link.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    actions.onOpen(chat);
  });
  update(chat, null);

  /** @returns {import('../../lib/menu.js').MenuItem[]} */
  function menuItems() {
    return [
      { label: 'Rename', icon: 'edit', detail: 'F2', onSelect: rename },
      { label: chat.pinned ? 'Unpin' : 'Pin', icon: 'pin', onSelect: () => actions.onPin(chat) },
      { label: 'Export as Markdown', icon: 'download', onSelect: () => actions.onExport(chat) },
      {
        label: 'Delete',
        icon: 'trash',
        detail: 'Del',
        isDangerous: true,
        startsGroup: true,
        onSelect: () => actions.onDelete(chat),
      },
    ];
  }

  /** @param {Chat} next @param {string | null} found a piece of the text that was searched for @param {string} [word] marked in it */
  function update(next, found, word = '') {
    chat = next;
    title.textContent = chat.title;
    snippet.replaceChildren(...withMark(found ?? '', word));
    snippet.hidden = found === null;
    link.title = chat.title;
    link.href = actions.hrefOf(chat);
    more.setAttribute('aria-label', `More for ${chat.title}`);
    more.title = `More for ${chat.title}`;
  }

  function rename() {
    if (element.classList.contains('is-renamed')) return;
    let isOver = false;
    const field = h('input', {
      class: 'input',
      type: 'text',
      value: chat.title,
      maxlength: MAX_TITLE_LENGTH,
      'aria-label': 'Name of the chat',
    });
    /** @param {boolean} isSaved */
    const finish = (isSaved) => {
      if (isOver) return;
      isOver = true;
      const hadFocus = document.activeElement === field;
      const text = field.value.trim();
      element.classList.remove('is-renamed');
      field.remove();
      if (hadFocus) link.focus();
      if (isSaved && text !== '' && text !== chat.title) actions.onRename(chat, text);
    };
    // Later, because a row that moves loses the focus, and gets it back at once.
    field.addEventListener('blur', () =>
      setTimeout(() => document.activeElement !== field && finish(true), 0),
    );
    field.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      event.preventDefault();
      finish(event.key === 'Enter');
    });
    element.classList.add('is-renamed');
    element.prepend(field);
    field.focus();
    field.select();
  }

  return {
    element,
    link,
    more,
    update,
    rename,
    chat: () => chat,
    /** Whether Tab reaches it; of all rows one does. @param {boolean} isActive */
    setActive(isActive) {
      link.tabIndex = isActive ? 0 : -1;
      more.tabIndex = isActive ? 0 : -1;
    },
    /** @param {boolean} isCurrent */
    setCurrent(isCurrent) {
      if (isCurrent) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    },
  };
}

/** @param {string} text @param {string} word in small letters */
function withMark(text, word) {
  const at = word === '' ? -1 : fold(text).indexOf(word);
  if (at < 0) return [text];
  const end = at + word.length;
  return [text.slice(0, at), h('mark', null, text.slice(at, end)), text.slice(end)];
}
