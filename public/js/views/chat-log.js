/** The conversation on the page: follows its end while the reader is there, and leaves him alone where he is not. */
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';

/** So near to the end counts as being there. */
const NEAR_PX = 24;
const SPOKEN_CHARS = 500;

export function createLog() {
  const empty = h('div', { class: 'empty' });
  /** @param {import('../lib/h.js').Child[] | null} missing what to do before there can be a conversation */
  function showEmpty(missing) {
    empty.replaceChildren(
      icon(missing ? 'cube' : 'chat'),
      h('h2', null, missing ? 'No model yet' : 'Start a conversation'),
      h(
        'p',
        null,
        ...(missing ?? ['It stays in this page’s memory: leaving or reloading the page forgets it.']),
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
      class: 'btn small icon-only chat-down',
      'aria-label': 'Scroll to the end',
      hidden: true,
    },
    icon('chevron'),
  );
  const spoken = h('p', { class: 'visually-hidden', role: 'status' });
  const element = h('div', { class: 'chat-log-frame' }, scroller, down, spoken);
  let isFollowing = true;

  function follow() {
    // Who edits a message looks at it.
    const isEdited = messages.querySelector('textarea:focus') !== null;
    if (isFollowing && !isEdited) scroller.scrollTop = scroller.scrollHeight;
    down.hidden = isFollowing;
  }

  scroller.addEventListener('scroll', () => {
    // A log out of sight, in another tab of the panel, has no size and no place to be at.
    if (scroller.clientHeight === 0) return;
    isFollowing = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR_PX;
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
    /** Takes away all messages from the given one on; the focus stays in the log. @param {number} count how many stay */
    keep(count) {
      const hadFocus = messages.contains(document.activeElement);
      const all = [...messages.children].filter((child) => child !== empty);
      for (const child of all.slice(count)) child.remove();
      if (count === 0) messages.replaceChildren(empty);
      if (hadFocus && !messages.contains(document.activeElement)) scroller.focus();
    },
    /** Tells screen readers, once and politely. @param {string} text */
    announce(text) {
      spoken.textContent = text.length > SPOKEN_CHARS ? `${text.slice(0, SPOKEN_CHARS)} …` : text;
    },
  };
}
