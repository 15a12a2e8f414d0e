import { api, messageOf } from './api.js';
import { confirmDialog } from './dialog.js';
import { h } from './h.js';
import { icon } from './icons.js';
import { memberPath } from './resource.js';
import { toast } from './toast.js';

/** @typedef {{ id: string, enabled: boolean }} Switchable */

/**
 * The column with the switches that enable and disable records.
 * @template {Switchable} T
 * @param {{ path: string, name: (item: T) => string, isFixed?: (item: T) => boolean, onChange: (item: T) => void }} options
 *   path: of the list at the API; isFixed: always on; onChange: gets the changed record
 * @returns {import('./list.js').Column<T>}
 */
export function switchColumn({ path, name, isFixed = () => false, onChange }) {
  return {
    label: 'On',
    class: 'switch-cell',
    sort: (item) => Number(!item.enabled),
    cell: (item) =>
      enabledSwitch({
        name: name(item),
        isOn: item.enabled,
        isFixed: isFixed(item),
        save: async (enabled) => onChange(await api.put(memberPath(path, item.id), { enabled })),
      }),
  };
}

/**
 * A switch that goes back when the server refuses the change.
 * @param {{ name: string, isOn: boolean, isFixed: boolean, save: (isOn: boolean) => Promise<unknown> }} options
 */
function enabledSwitch(options) {
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
 * The button above a list that adds a record.
 * @param {string} label
 * @param {() => unknown} onclick
 */
export function addButton(label, onclick) {
  return h(
    'button',
    { type: 'button', class: 'btn primary', id: 'add', onclick: () => void onclick() },
    icon('plus'),
    label,
  );
}

/**
 * The cell with the buttons of a row.
 * @param {{ name: string, onEdit: () => unknown, onDelete: () => unknown, more?: import('./h.js').Child[] }} options
 *   name: of the record, for the labels of Edit and Delete; more: buttons before these two
 */
export function actionsCell({ name, onEdit, onDelete, more = [] }) {
  return h(
    'div',
    { class: 'acts on-hover' },
    ...more,
    rowButton('edit', `Edit ${name}`, onEdit),
    rowButton('trash', `Delete ${name}`, onDelete, { isDangerous: true }),
  );
}

/**
 * The name in the first cell, which opens the row: its hit area is the whole row.
 * @param {string} text
 * @param {string} href such as `hashOf('requests', { open: id })`, so that the row can be opened in another tab
 * @param {() => unknown} onOpen
 */
export function openLink(text, href, onOpen) {
  const onclick = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void onOpen();
  };
  return h('a', { class: 'name truncate', href, title: text, onclick }, text);
}

/**
 * An icon button of a row.
 * @param {import('./icons.js').IconName} symbol
 * @param {string} label the action and its object, such as `Edit GPT-4`
 * @param {() => unknown} onclick
 * @param {{ isDangerous?: boolean, text?: string }} [options] text: shown beside the icon where there is room
 */
export function rowButton(symbol, label, onclick, options = {}) {
  return h(
    'button',
    {
      type: 'button',
      class: `btn quiet small ${options.text ? 'with-text' : 'square'} ${options.isDangerous ? 'dangerous' : ''}`,
      'aria-label': label,
      title: label,
      onclick: () => void onclick(),
    },
    icon(symbol),
    options.text && h('span', null, options.text),
  );
}

/**
 * The first cell of a row: the record's name and badges, with a detail below.
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
 * Asks for a confirmation, then deletes.
 * @param {{ title: string, message: string | import('./h.js').Child[], confirmLabel?: string, run: () => Promise<unknown>, done: string }} options
 * @returns {Promise<boolean>} true when the record was deleted
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
