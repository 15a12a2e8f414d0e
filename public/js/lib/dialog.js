import { h } from './h.js';
import { icon } from './icons.js';

let count = 0;

/**
 * @typedef {{
 *   title: string, body: import('./h.js').Child[], footer?: import('./h.js').Child[], size?: '' | 'narrow' | 'wide',
 *   isDirty?: () => boolean, isBusy?: () => boolean, closable?: boolean, role?: 'dialog' | 'alertdialog', describedBy?: string, onClose?: () => void,
 * }} DialogOptions
 */
/** @typedef {{ element: HTMLDialogElement, content: HTMLElement, close: () => void, tryClose: () => Promise<void>, closed: Promise<void> }} Dialog */

/**
 * Opens a modal dialog: the browser keeps the focus inside and gives it back at the end; Escape and the cross close
 * it, after a question where `isDirty` says that something typed would be lost, and not while `isBusy`. It leaves the page when closed.
 * @param {DialogOptions} options
 * @returns {Dialog}
 */
export function openDialog(options) {
  const titleId = `dialog-${++count}`;
  const opener = document.activeElement;
  const body = h('div', { class: 'dialog-body' }, ...options.body);
  const closeButton = h(
    'button',
    { type: 'button', class: 'btn ghost icon-only', 'aria-label': 'Close', onclick: () => void tryClose() },
    icon('close'),
  );
  const element = h(
    'dialog',
    {
      class: `dialog ${options.size ?? ''}`,
      role: options.role === 'alertdialog' ? 'alertdialog' : null,
      'aria-labelledby': titleId,
      'aria-describedby': options.describedBy,
    },
    h(
      'div',
      { class: 'dialog-head' },
      h('h2', { id: titleId }, options.title),
      options.closable !== false && closeButton,
    ),
    body,
    options.footer && h('div', { class: 'dialog-foot' }, ...options.footer),
  );
  /** @type {Promise<void>} */
  const closed = new Promise((resolve) => {
    element.addEventListener('close', () => {
      element.remove();
      returnFocus(opener);
      options.onClose?.();
      resolve();
    });
  });
  async function tryClose() {
    if (options.closable === false || options.isBusy?.()) return;
    if (options.isDirty?.() && !(await confirmDialog(DISCARD))) return;
    element.close();
  }
  element.addEventListener('cancel', (event) => {
    event.preventDefault();
    void tryClose();
  });
  // A browser may close a dialog on a second Escape without asking; the key itself is stopped before that.
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    void tryClose();
  });
  document.body.append(element);
  element.showModal();
  focusFirst(element, closeButton);
  return { element, content: body, close: () => element.close(), tryClose, closed };
}

/**
 * False where, while something was read for a dialog, its view went or another dialog came up (by a double click).
 * @param {AbortSignal} signal of the view
 */
export function mayOpenDialog(signal) {
  return !signal.aborted && document.querySelector('dialog[open]') === null;
}

const DISCARD = {
  title: 'Discard your changes?',
  message: 'What you typed here is not saved yet.',
  confirmLabel: 'Discard',
  cancelLabel: 'Keep editing',
  danger: true,
};

/**
 * Asks before something that cannot be undone. Enter does not confirm a dangerous one: the focus starts on Cancel.
 * @param {{ title: string, message: string | import('./h.js').Child[], confirmLabel: string, cancelLabel?: string, danger?: boolean }} options
 * @returns {Promise<boolean>}
 */
export async function confirmDialog(options) {
  let confirmed = false;
  const messageId = `dialog-message-${++count}`;
  const cancel = h(
    'button',
    { type: 'button', class: 'btn', autofocus: options.danger === true },
    options.cancelLabel ?? 'Cancel',
  );
  const confirm = h(
    'button',
    { type: 'button', class: options.danger ? 'btn danger' : 'btn primary', autofocus: !options.danger },
    options.confirmLabel,
  );
  const text = typeof options.message === 'string' ? [h('p', null, options.message)] : options.message;
  const dialog = openDialog({
    title: options.title,
    role: 'alertdialog',
    describedBy: messageId,
    size: 'narrow',
    body: [h('div', { id: messageId, class: 'stack muted wrap-anywhere' }, ...text)],
    footer: [cancel, confirm],
  });
  cancel.addEventListener('click', dialog.close);
  confirm.addEventListener('click', () => {
    confirmed = true;
    dialog.close();
  });
  await dialog.closed;
  return confirmed;
}

/**
 * @param {HTMLDialogElement} element
 * @param {HTMLElement} closeButton
 */
function focusFirst(element, closeButton) {
  const wanted =
    element.querySelector('[autofocus]') ??
    element.querySelector('.dialog-body :is(input, select, textarea):not(:disabled)');
  const first = wanted ?? element.querySelector('.dialog-foot .btn:last-child') ?? closeButton;
  if (first instanceof HTMLElement) first.focus();
}

/**
 * The browser gives the focus back itself, except to an element that a list has drawn anew meanwhile.
 * @param {Element | null} opener
 */
function returnFocus(opener) {
  if (!(opener instanceof HTMLElement)) return;
  const twin = opener.isConnected ? opener : opener.id && document.getElementById(opener.id);
  const target = twin || document.querySelector('[data-focus-home]');
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}
