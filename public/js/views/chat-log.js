/** The messages on the page. Scrolls to new text only while the reader is at the end. */
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/** The reader is at the end if no more than this is hidden below. */
const NEAR_END_PX = 24;
const MAX_ANNOUNCED_CHARS = 500;

export function createLog() {
  const empty = h('div', { class: 'empty' });
  /** @param {import('../lib/h.js').Child[] | null} missing what to do first, if no model can be used */
  function showEmpty(missing) {
    empty.replaceChildren(
      icon(missing ? 'cube' : 'chat'),
      h('h2', null, missing ? 'No model yet' : 'Start a conversation'),
      h(
        'p',
        null,
        ...(missing ?? ['The conversation is not stored. It is lost when you close or reload this page.']),
      ),
    );
  }
  showEmpty(null);
  const messages = h('div', { class: 'chat-messages' }, empty);
  const scroller = h(
    'div',
    { class: 'chat-log', role: 'log', 'aria-live': 'off', 'aria-label': 'Conversation', tabindex: 0 },
    messages,
  );
  const down = h(
    'button',
    {
      type: 'button',
      class: 'btn small square chat-down',
      'aria-label': 'Scroll to the end',
      hidden: true,
    },
    icon('chevron'),
  );
  const announcer = h('p', { class: 'sr', role: 'status' });
  const element = h('div', { class: 'chat-log-frame' }, scroller, down, announcer);
  let isFollowing = true;

  function follow() {
    // A person who edits a message is looking at it.
    const isEdited = messages.querySelector('textarea:focus') !== null;
    if (isFollowing && !isEdited) scroller.scrollTop = scroller.scrollHeight;
    down.hidden = isFollowing;
  }

  scroller.addEventListener('scroll', () => {
    // While another tab of the panel is open, the log has no size and no scroll position.
    if (scroller.clientHeight === 0) return;
    isFollowing = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR_END_PX;
    down.hidden = isFollowing;
  });
  down.addEventListener('click', () => {
    isFollowing = true;
    follow();
    scroller.focus();
  });
  const observer = new ResizeObserver(follow);
  observer.observe(scroller);
  observer.observe(messages);

  return {
    element,
    follow,
    showEmpty,
    /** @param {HTMLElement} message */
    add(message) {
      empty.remove();
      messages.append(message);
      isFollowing = true;
      follow();
    },
    /** Keeps the first messages and removes the others. The focus stays in the log. @param {number} count */
    keep(count) {
      const hadFocus = messages.contains(document.activeElement);
      const all = [...messages.children].filter((child) => child !== empty);
      for (const child of all.slice(count)) child.remove();
      if (count === 0) messages.replaceChildren(empty);
      if (hadFocus && !messages.contains(document.activeElement)) scroller.focus();
    },
    /** Announces a text to screen readers. @param {string} text */
    announce(text) {
      const isLong = text.length > MAX_ANNOUNCED_CHARS;
      announcer.textContent = isLong ? `${text.slice(0, MAX_ANNOUNCED_CHARS)} …` : text;
    },
  };
}
