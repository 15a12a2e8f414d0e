/** The place of the messages. Scrolls to new text only while the reader is at the end. */
import { h } from '../../lib/h.js';
import { icon } from '../../lib/icons.js';
import { createSought } from './sought.js';

/** The reader is at the end if no more than this is hidden below. */
const NEAR_END_PX = 24;
const MAX_ANNOUNCED_CHARS = 500;

export function createLog() {
  const messages = h('div', { class: 'thread' });
  const scroller = h(
    'div',
    { class: 'talk-body', role: 'log', 'aria-live': 'off', 'aria-label': 'Conversation', tabindex: 0 },
    messages,
  );
  const down = h(
    'button',
    {
      type: 'button',
      class: 'btn small square talk-down',
      'aria-label': 'Scroll to the end',
      title: 'Scroll to the end',
      hidden: true,
    },
    icon('down'),
  );
  const announcer = h('p', { class: 'sr', role: 'status' });
  const element = h('div', { class: 'talk-frame' }, scroller, down, announcer);
  let isFollowing = true;
  /** What a search has found. @type {ReturnType<typeof createSought> | null} */
  let sought = null;
  /** It is kept in view, until the person scrolls, presses a key or clicks. */
  let isHeld = false;
  let topPx = 0;

  function follow() {
    // A person who edits a message is looking at it.
    const { activeElement } = document;
    const isEdited = activeElement instanceof HTMLTextAreaElement && messages.contains(activeElement);
    if (isHeld && !isEdited) {
      sought?.show();
      isFollowing = isAtEnd();
    } else if (isFollowing && !isEdited) scroller.scrollTop = scroller.scrollHeight;
    showDown();
  }

  const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR_END_PX;

  /** Not set again with each word: the browser would style it each time. */
  function showDown() {
    if (down.hidden !== isFollowing) down.hidden = isFollowing;
  }

  scroller.addEventListener('scroll', () => {
    // While another tab of the panel is open, the log has no size and no scroll position.
    if (scroller.clientHeight === 0) return;
    const before = topPx;
    topPx = scroller.scrollTop;
    // A picture that is loaded after the log has scrolled moves the end away: only a reader who scrolls back leaves it.
    if (isAtEnd()) isFollowing = true;
    else if (topPx < before) isFollowing = false;
    showDown();
  });
  const release = () => {
    isHeld = false;
  };
  for (const type of ['wheel', 'pointerdown', 'keydown'])
    addEventListener(type, release, { capture: true, passive: true });
  down.addEventListener('click', () => {
    isHeld = false;
    isFollowing = true;
    follow();
    scroller.focus();
  });
  const observer = new ResizeObserver(follow);
  observer.observe(scroller);
  observer.observe(messages);

  return {
    element,
    scroller,
    follow,
    /**
     * Shows these elements, in this order. Those that are on the page already stay as they are. The focus stays in the log.
     * @param {readonly HTMLElement[]} elements
     * @param {{ isEndShown: boolean }} options isEndShown: scroll to the end
     */
    show(elements, { isEndShown }) {
      const hadFocus = messages.contains(document.activeElement);
      let same = 0;
      while (same < elements.length && messages.children[same] === elements[same]) same += 1;
      while (messages.children.length > same) messages.lastElementChild?.remove();
      messages.append(...elements.slice(same));
      messages.classList.toggle('is-welcome', elements[0]?.classList.contains('welcome') === true);
      if (hadFocus && !messages.contains(document.activeElement)) scroller.focus({ preventScroll: true });
      if (isEndShown) {
        sought?.end();
        sought = null;
        isHeld = false;
        isFollowing = true;
      }
      follow();
    },
    /**
     * Scrolls to a message that is on the page, and to a word in it.
     * @param {HTMLElement} message
     * @param {string} word in small letters
     */
    seek(message, word) {
      if (!messages.contains(message)) return;
      sought?.end();
      sought = createSought(scroller, message, word);
      isHeld = true;
      follow();
    },
    /** Announces a text to screen readers. @param {string} text */
    announce(text) {
      const isLong = text.length > MAX_ANNOUNCED_CHARS;
      announcer.textContent = isLong ? `${text.slice(0, MAX_ANNOUNCED_CHARS)} …` : text;
    },
  };
}
