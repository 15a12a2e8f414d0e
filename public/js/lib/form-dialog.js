import { messageOf } from './api.js';
import { openDialog } from './dialog.js';
import { alertBox, handleSubmit } from './form.js';
import { h } from './h.js';
import { toast } from './toast.js';

/**
 * A dialog with a form in it: Save and Cancel, errors in their places, a question before typed things are thrown away.
 * @template T
 * @param {{
 *   title: string, fields: readonly import('./form.js').Field[], content: import('./h.js').Child[], save: () => Promise<T>,
 *   submitLabel?: string, size?: '' | 'narrow' | 'wide', explain?: (error: import('./api.js').ApiError) => import('./h.js').Child,
 * }} options
 * @returns {Promise<T | null>} what `save` gave, also where it was closed meanwhile; null when it was cancelled
 */
export async function formDialog(options) {
  /** @type {T | null} */
  let result = null;
  let isDirty = false;
  let isSaving = false;
  /** @type {Promise<void>} */
  let saving = Promise.resolve();
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
    isDirty: () => isDirty && !isSaving,
    body: [form],
  });
  dialog.content.classList.replace('dialog-body', 'dialog-form');
  cancel.addEventListener('click', () => dialog.tryClose());
  handleSubmit(form, {
    fields: options.fields,
    submit,
    alert,
    explain: options.explain,
    save: () => {
      isSaving = true;
      saving = (async () => {
        result = await options.save();
        dialog.close();
      })().finally(() => {
        isSaving = false;
      });
      return saving;
    },
  });
  await dialog.closed;
  // What was sent before it was closed is done all the same: the caller shows what came of it.
  if (isSaving) await saving.catch((error) => toast.error(messageOf(error)));
  return result;
}
