import { h } from './h.js';

/** Space between the popup and the edge of the window, or its anchor. */
const EDGE_PX = 8;
const GAP_PX = 4;

/** @typedef {{ element: HTMLElement, close: () => void }} Popup */

/**
 * Opens content at a control, above everything else. Escape, a click elsewhere, leaving with the Tab key and scrolling of
 * the page close it. The focus goes to the first control in it, and back to the anchor.
 * @param {HTMLElement} anchor gets `aria-expanded`
 * @param {import('./h.js').Child} content
 * @param {{ label: string, role?: 'group' | 'dialog' | 'menu', align?: 'start' | 'end', class?: string, onClose?: () => void }} options
 * @returns {Popup}
 */
export function openPopup(anchor, content, options) {
  const { role = 'group', align = 'start' } = options;
  const element = h(
    'div',
    { class: `pop ${options.class ?? ''}`, role, 'aria-label': options.label, popover: 'auto', tabindex: -1 },
    content,
  );
  const ending = new AbortController();
  const { signal } = ending;
  // Inside a modal dialog only its descendants can be reached; elsewhere it belongs to the landmark of the anchor.
  (anchor.closest('dialog, main, nav') ?? document.body).append(element);
  element.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'closed') end();
  });
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !element.contains(relatedTarget) && relatedTarget !== anchor)
      close();
  });
  addEventListener('resize', close, { signal });
  // Pressing the anchor again closes by the click outside; without this the same click would open it again.
  anchor.addEventListener('click', stopOnce, { capture: true, signal });
  anchor.setAttribute('aria-expanded', 'true');
  element.showPopover();
  place(element, anchor, align);
  const first = firstControl(element);
  (first ?? element).focus({ preventScroll: true });

  /** @param {Event} event */
  function stopOnce(event) {
    event.stopImmediatePropagation();
    close();
  }
  function close() {
    if (element.matches(':popover-open')) element.hidePopover();
    else end();
  }
  function end() {
    if (signal.aborted) return;
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    // Later, because the click that closed it may be one on the anchor.
    setTimeout(() => ending.abort(), 0);
    anchor.setAttribute('aria-expanded', 'false');
    element.remove();
    if (hadFocus && anchor.isConnected) anchor.focus({ preventScroll: true });
    options.onClose?.();
    options = { ...options, onClose: undefined };
  }
  return { element, close };
}

/**
 * The chosen radio button, else the first control.
 * @param {HTMLElement} element
 * @returns {HTMLElement | null}
 */
function firstControl(element) {
  return (
    element.querySelector('input[type="radio"]:checked') ??
    element.querySelector('input, button, [tabindex="0"]')
  );
}

/**
 * Below the anchor, or above it where there is more room.
 * @param {HTMLElement} element
 * @param {HTMLElement} anchor
 * @param {'start' | 'end'} align
 */
function place(element, anchor, align) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const below = at.bottom + GAP_PX;
  const above = at.top - GAP_PX - height;
  const fitsBelow = below + height <= innerHeight - EDGE_PX;
  const y = fitsBelow || above < EDGE_PX ? Math.min(below, innerHeight - EDGE_PX - height) : above;
  const x = align === 'end' ? at.right - width : at.left;
  const most = document.documentElement.clientWidth - EDGE_PX - width;
  element.style.setProperty('--pop-x', `${Math.round(Math.max(EDGE_PX, Math.min(x, most)))}px`);
  element.style.setProperty('--pop-y', `${Math.round(Math.max(EDGE_PX, y))}px`);
}
