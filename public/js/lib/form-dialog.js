import { openDialog } from './dialog.js';
import { alertBox, handleSubmit } from './form.js';
import { h } from './h.js';

/**
 * A dialog with a form: Save and Cancel buttons, errors at their fields, a question before edits are discarded.
 * @template T
 * @param {{
 *   title: string, fields: readonly import('./form.js').Field[], content: import('./h.js').Child[], save: () => Promise<T>,
 *   submitLabel?: string, size?: '' | 'narrow' | 'wide', explain?: (error: import('./api.js').ApiError) => import('./h.js').Child,
 * }} options
 * @returns {Promise<T | null>} the result of `save`; null after Cancel
 */
export async function formDialog(options) {
  /** @type {T | null} */
  let result = null;
  let isDirty = false;
  let isSaving = false;
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary' }, options.submitLabel ?? 'Save');
  const cancel = h('button', { type: 'button', class: 'btn' }, 'Cancel');
  const form = h(
    'form',
    { oninput: () => (isDirty = true), onchange: () => (isDirty = true) },
    h('div', { class: 'dialog-body stack' }, alert.element, ...options.content),
    h('div', { class: 'dialog-foot' }, cancel, submit),
  );
  const dialog = openDialog({
    title: options.title,
    size: options.size,
    isDirty: () => isDirty,
    // If the server refuses the values, the form must still be open.
    isBusy: () => isSaving,
    body: [form],
  });
  dialog.content.classList.replace('dialog-body', 'dialog-form');
  cancel.addEventListener('click', () => dialog.tryClose());
  handleSubmit(form, {
    fields: options.fields,
    submit,
    alert,
    explain: options.explain,
    save: async () => {
      isSaving = true;
      try {
        result = await options.save();
        dialog.close();
      } finally {
        isSaving = false;
      }
    },
  });
  await dialog.closed;
  return result;
}
