import { messageOf } from './api.js';
import { confirmDialog } from './dialog.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { toast } from './toast.js';

/**
 * The switch of a row; it goes back when the server says no.
 * @param {{ name: string, isOn: boolean, isFixed?: boolean, save: (isOn: boolean) => Promise<unknown> }} options
 */
export function enabledSwitch(options) {
  const control = h('input', {
    type: 'checkbox',
    role: 'switch',
    class: 'switch',
    'aria-label': options.name,
    title: options.isFixed ? 'Always on' : options.isOn ? 'On' : 'Off',
    checked: options.isOn,
    disabled: options.isFixed,
  });
  let isBusy = false;
  control.addEventListener('click', (event) => {
    if (isBusy) event.preventDefault();
  });
  control.addEventListener('change', async () => {
    isBusy = true;
    try {
      await options.save(control.checked);
    } catch (error) {
      control.checked = !control.checked;
      toast.error(messageOf(error));
    } finally {
      isBusy = false;
    }
  });
  return control;
}

/**
 * An icon button of a row; `label` says what it does to which thing.
 * @param {import('./icons.js').IconName} symbol
 * @param {string} label
 * @param {() => unknown} onclick
 * @param {{ isDangerous?: boolean, id?: string, text?: string }} [options] text: shown beside the icon where there is room
 */
export function rowButton(symbol, label, onclick, options = {}) {
  return h(
    'button',
    {
      type: 'button',
      class: `btn ghost small ${options.text ? 'with-text' : 'icon-only'} ${options.isDangerous ? 'dangerous' : ''}`,
      'aria-label': label,
      title: label,
      id: options.id,
      onclick: () => void onclick(),
    },
    icon(symbol),
    options.text && h('span', null, options.text),
  );
}

/**
 * The first cell of a row: its name, with what belongs to it below.
 * @param {string} title
 * @param {import('./h.js').Child} detail
 * @param {...import('./h.js').Child} badges
 */
export function titleCell(title, detail, ...badges) {
  return h(
    'div',
    { class: 'title-cell' },
    h('div', { class: 'title' }, h('span', { class: 'truncate', title }, title), ...badges),
    h('div', { class: 'muted small truncate' }, detail),
  );
}

/**
 * Asks, then deletes.
 * @param {{ title: string, message: string | import('./h.js').Child[], confirmLabel?: string, run: () => Promise<unknown>, done: string }} options
 * @returns {Promise<boolean>} true when it is gone
 */
export async function confirmAndDelete(options) {
  const question = {
    title: options.title,
    message: options.message,
    confirmLabel: options.confirmLabel ?? 'Delete',
    danger: true,
  };
  if (!(await confirmDialog(question))) return false;
  try {
    await options.run();
  } catch (error) {
    toast.error(messageOf(error));
    return false;
  }
  toast.ok(options.done);
  return true;
}
