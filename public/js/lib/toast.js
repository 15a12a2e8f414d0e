import { h } from './h.js';
import { icon } from './icons.js';

/** @type {HTMLElement | null} */
let region = null;
const MAX_TOASTS = 4;

/** Short messages in the corner. Screen readers announce them; the focus stays where it is. */
export const toast = {
  /** @param {string} message */
  ok: (message) => show(message, 'ok', 5000),
  /** @param {string} message */
  info: (message) => show(message, 'info', 5000),
  /**
   * Says what was done, with a button that takes it back.
   * @param {string} message
   * @param {() => unknown} undo
   */
  undo: (message, undo) => show(message, 'info', 10_000, { label: 'Undo', run: undo }),
  /** Stays longer than the others. @param {string} message */
  error: (message) => show(message, 'error', 12000),
};

/**
 * Tells screen readers about a change that is visible on the page.
 * @param {string} message
 * @param {HTMLElement} near the changed element: while a modal dialog is open, only elements inside it are announced
 */
export function announce(message, near) {
  const host = near.closest('dialog') ?? document.body;
  const node = host.querySelector('.announcer') ?? h('div', { class: 'announcer sr', role: 'status' });
  node.replaceChildren();
  host.append(node);
  // Screen readers announce a change of the region, not its first content.
  setTimeout(() => node.replaceChildren(message), 50);
}

/**
 * @param {string} message
 * @param {'ok' | 'info' | 'error'} kind
 * @param {number} lifeMs
 * @param {{ label: string, run: () => unknown }} [action]
 */
function show(message, kind, lifeMs, action) {
  const host = toastRegion();
  const close = h(
    'button',
    { type: 'button', class: 'btn quiet small square', 'aria-label': 'Dismiss' },
    icon('close'),
  );
  const symbol = icon(kind === 'ok' ? 'check' : kind === 'error' ? 'warning' : 'info');
  const act = action
    ? h(
        'button',
        {
          type: 'button',
          class: 'btn quiet small',
          onclick: () => {
            remove();
            void action.run();
          },
        },
        action.label,
      )
    : null;
  const node = h(
    'div',
    { class: `toast ${kind}`, role: kind === 'error' ? 'alert' : null },
    symbol,
    h('div', null, message),
    act,
    close,
  );
  let timer = setTimeout(remove, lifeMs);
  function remove() {
    clearTimeout(timer);
    node.remove();
    if (host.childElementCount === 0 && host.matches(':popover-open')) host.hidePopover();
  }
  close.addEventListener('click', remove);
  node.addEventListener('pointerenter', () => clearTimeout(timer));
  node.addEventListener('pointerleave', () => {
    timer = setTimeout(remove, lifeMs / 2);
  });
  // Of things that went well, the last one is enough.
  if (kind === 'ok') host.querySelector('.toast.ok')?.remove();
  while (host.childElementCount >= MAX_TOASTS) host.firstElementChild?.remove();
  host.append(node);
  // Hidden and shown again, to be above a dialog that opened meanwhile.
  if (host.matches(':popover-open')) host.hidePopover();
  host.showPopover();
}

function toastRegion() {
  region ??= h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite', popover: 'manual' });
  if (!region.isConnected) document.body.append(region);
  return region;
}
