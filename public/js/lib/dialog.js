import { h } from './h.js';
import { icon } from './icons.js';
import { rememberControl } from './row-control.js';

let count = 0;

/**
 * @typedef {{
 *   title: string, body: import('./h.js').Child[], footer?: import('./h.js').Child[], size?: '' | 'narrow' | 'wide',
 *   isDirty?: () => boolean, isBusy?: () => boolean, mayClose?: () => Promise<boolean>, closable?: boolean, role?: 'dialog' | 'alertdialog', describedBy?: string, onClose?: () => void,
 * }} DialogOptions
 */
/** @typedef {{ element: HTMLDialogElement, content: HTMLElement, close: () => void, tryClose: () => Promise<void>, closed: Promise<void> }} Dialog */

/**
 * Opens a modal dialog. The browser keeps the focus inside and gives it back afterwards. Escape and the close button
 * close the dialog: not while `isBusy`, and if `isDirty`, only after a question. A closed dialog is removed from the page.
 * @param {DialogOptions} options
 * @returns {Dialog}
 */
export function openDialog(options) {
  const titleId = `dialog-${++count}`;
  const returnFocus = rememberFocus();
  const body = h('div', { class: 'dialog-body' }, ...options.body);
  const closeButton = h(
    'button',
    { type: 'button', class: 'btn quiet square', 'aria-label': 'Close', onclick: () => void tryClose() },
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
      returnFocus();
      options.onClose?.();
      resolve();
    });
  });
  async function tryClose() {
    if (options.closable === false || options.isBusy?.()) return;
    if (options.isDirty?.() && !(await confirmDialog(DISCARD))) return;
    if (options.mayClose && !(await options.mayClose())) return;
    element.close();
  }
  element.addEventListener('cancel', (event) => {
    event.preventDefault();
    void tryClose();
  });
  // Browsers may close a dialog on a second Escape without a `cancel` event, so the key is handled here.
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
 * Whether a dialog may open after its data was loaded: false if the view was closed or another dialog was opened
 * meanwhile (by a double click).
 * @param {AbortSignal} signal of the view
 */
export function mayOpenDialog(signal) {
  return !signal.aborted && document.querySelector('dialog[open]') === null;
}

const DISCARD = {
  title: 'Discard your changes?',
  message: 'Your changes are not saved yet.',
  confirmLabel: 'Discard',
  cancelLabel: 'Keep editing',
  danger: true,
};

/**
 * Asks for a confirmation. If `danger` is set, the focus starts on Cancel, so that Enter does not confirm.
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
  const first =
    element.querySelector('[autofocus]') ??
    element.querySelector('.dialog-body :is(input, select, textarea):not(:disabled)') ??
    element.querySelector('.dialog-foot .btn:last-child') ??
    closeButton;
  if (first instanceof HTMLElement) first.focus();
}

/** Gives the focus back, also where a list has replaced the opener meanwhile; where that is gone, to the search field. */
function rememberFocus() {
  const opener = document.activeElement;
  if (!(opener instanceof HTMLElement)) return () => {};
  const successor = rememberControl(opener);
  return () => {
    const same = opener.isConnected ? opener : opener.id && document.getElementById(opener.id);
    const target = same || successor() || document.querySelector('[data-focus-home]');
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  };
}
