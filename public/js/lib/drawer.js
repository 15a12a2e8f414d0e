import { h } from './h.js';
import { icon } from './icons.js';
import { announce } from './toast.js';

/** Here the drawer fills the window, and the page behind it cannot be reached. */
const PHONE = '(max-width: 640px)';
/** In these the arrow keys and Escape have a meaning of their own. */
const OWN_KEYS =
  'input, select, textarea, [contenteditable], [role="tablist"], [role="radiogroup"], [role="menu"], [popover], dialog, [data-own-keys]';

/**
 * @typedef {{
 *   label: string, title: import('./h.js').Child, subtitle?: import('./h.js').Child, actions?: import('./h.js').Child[],
 *   body: import('./h.js').Child[], footer?: import('./h.js').Child[], onMove?: (step: 1 | -1) => void, onClose?: () => void,
 *   opener?: () => HTMLElement | null,
 * }} DrawerContent
 *   label: for assistive tech, such as `Request req_1`; actions: buttons in the head; onMove: opens the neighbour by `open`;
 *   onClose: not called when `open` replaces the content; opener: gets the focus afterwards
 */
/** @typedef {ReturnType<typeof createDrawer>} Drawer */

/**
 * The place beside the page where one thing is looked at. No scrim: the page stays usable. The arrow keys up and down move
 * to the neighbours, Escape closes.
 * @param {HTMLElement} main holds the page; the drawer is its last child
 */
export function createDrawer(main) {
  const body = h('div', { class: 'drawer-body' });
  const element = h('aside', { class: 'drawer', tabindex: -1, hidden: true }, body);
  const phone = matchMedia(PHONE);
  /** @type {DrawerContent | null} */
  let content = null;
  /** @type {Element | null} */
  let opener = null;
  main.append(element);
  phone.addEventListener('change', setBehind);
  document.addEventListener('keydown', onKey);

  /**
   * Opens the drawer, or replaces what it shows.
   * @param {DrawerContent} next
   */
  function open(next) {
    const wasOpen = content !== null;
    const hadFocus = element.contains(document.activeElement);
    if (!wasOpen) opener = document.activeElement;
    content = next;
    body.replaceChildren(...children(next.body));
    body.scrollTop = 0;
    element.setAttribute('aria-label', next.label);
    element.replaceChildren(
      head(next),
      body,
      ...(next.footer ? [h('div', { class: 'drawer-foot' }, ...next.footer)] : []),
    );
    element.hidden = false;
    main.classList.add('docked');
    setBehind();
    if (!wasOpen || hadFocus) element.focus({ preventScroll: true });
    if (wasOpen) announce(next.label, element);
  }

  /** @param {DrawerContent} next */
  function head(next) {
    const { onMove } = next;
    return h(
      'div',
      { class: 'drawer-head' },
      h(
        'div',
        { class: 'grow' },
        h('h2', { class: 'truncate' }, next.title),
        next.subtitle && h('div', { class: 'small muted truncate' }, next.subtitle),
      ),
      ...(next.actions ?? []),
      onMove && button('up', 'Previous', () => onMove(-1)),
      onMove && button('down', 'Next', () => onMove(1)),
      button('close', 'Close', close),
    );
  }

  function close() {
    if (content === null) return;
    const { onClose, opener: findOpener } = content;
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    content = null;
    element.hidden = true;
    body.replaceChildren();
    main.classList.remove('docked');
    setBehind();
    const target = findOpener?.() ?? opener;
    if (hadFocus && target instanceof HTMLElement) target.focus({ preventScroll: true });
    opener = null;
    onClose?.();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (content === null || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (event.target instanceof Element && event.target.closest(OWN_KEYS) !== null) return;
    if (event.key === 'Escape') close();
    else if (event.key === 'ArrowDown' && content.onMove) content.onMove(1);
    else if (event.key === 'ArrowUp' && content.onMove) content.onMove(-1);
    else return;
    event.preventDefault();
  }

  function setBehind() {
    const isCovered = content !== null && phone.matches;
    for (const child of main.children)
      if (child !== element) /** @type {HTMLElement} */ (child).inert = isCovered;
  }

  return {
    open,
    close,
    isOpen: () => content !== null,
    /** What `body` became: for changes in place. */
    body,
  };
}

/**
 * @param {import('./icons.js').IconName} symbol
 * @param {string} label
 * @param {() => void} onclick
 */
function button(symbol, label, onclick) {
  return h(
    'button',
    { type: 'button', class: 'btn quiet small square', 'aria-label': label, title: label, onclick },
    icon(symbol),
  );
}

/** @param {import('./h.js').Child[]} parts */
function children(parts) {
  return [...h('div', null, ...parts).childNodes];
}
