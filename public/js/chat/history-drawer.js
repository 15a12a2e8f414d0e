/** The place of the list of chats: beside the conversation, over it on a narrow screen. */
import { h } from '../lib/h.js';

/** From here on the list stands beside the conversation. */
const WIDE = '(min-width: 1101px)';

/**
 * @param {{ toggle: HTMLElement }} options toggle: the button that opens it
 */
export function createHistoryDrawer({ toggle }) {
  const wide = matchMedia(WIDE);
  const element = h('div', { class: 'history-place', id: 'chat-history' });
  const scrim = h('div', { class: 'history-scrim', hidden: true, onclick: close });
  toggle.setAttribute('aria-controls', element.id);

  /** @param {boolean} isOpen */
  function setOpen(isOpen) {
    element.classList.toggle('is-open', isOpen);
    document.documentElement.classList.toggle('has-open-list', isOpen);
    scrim.hidden = !isOpen;
    toggle.setAttribute('aria-expanded', String(isOpen));
  }
  function open() {
    if (wide.matches) return;
    setOpen(true);
    const first = element.querySelector('button, input, a');
    if (first instanceof HTMLElement) first.focus();
  }
  function close() {
    if (!element.classList.contains('is-open')) return;
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    setOpen(false);
    if (hadFocus) toggle.focus();
  }
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    if (!element.classList.contains('is-open')) return;
    event.preventDefault();
    close();
  });
  element.addEventListener('focusout', ({ relatedTarget }) => {
    // A dialog or a menu of the list may have the focus meanwhile.
    const isOutside = relatedTarget instanceof Element && !element.contains(relatedTarget);
    if (isOutside && relatedTarget.closest('dialog, [popover]') === null) setOpen(false);
  });
  wide.addEventListener('change', () => setOpen(false));
  return { element, scrim, open, close };
}
