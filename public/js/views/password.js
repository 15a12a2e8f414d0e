import { ApiError, api, requestSignIn } from '../lib/api.js';
import { alertBox, handleSubmit, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { toast } from '../lib/toast.js';

/**
 * The card where users and the admin change their own password.
 * @param {{ username: string, path: string, intro?: HTMLElement, onChanged?: () => void }} options username: for password
 *   managers; path: of the API; intro: shown above the form
 */
export function passwordCard({ username, path, intro, onChanged }) {
  const current = textField({
    label: 'Current password',
    param: 'currentPassword',
    input: { type: 'password', autocomplete: 'current-password', required: true },
  });
  const next = textField({
    label: 'New password',
    param: 'newPassword',
    hint: '8 to 128 characters. You will be signed out on other devices.',
    input: { type: 'password', autocomplete: 'new-password', required: true, minlength: 8, maxlength: 128 },
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary' }, 'Change password');
  const name = h('input', {
    type: 'text',
    autocomplete: 'username',
    value: username,
    hidden: true,
    readonly: true,
  });
  const form = h(
    'form',
    { class: 'stack' },
    name,
    alert.element,
    current.element,
    next.element,
    h('div', null, submit),
  );
  handleSubmit(form, {
    fields: [current, next],
    submit,
    alert,
    save: async () => {
      await changePassword(path, current.control.value, next.control.value);
      form.reset();
      toast.ok('Your password is changed.');
      onChanged?.();
    },
  });
  return h('section', { class: 'card pad stack' }, h('h2', null, 'Password'), intro, form);
}

/**
 * Changes the password. A wrong current password is a 401 too, so only the code `not_signed_in` opens the sign-in dialog.
 * @param {string} path
 * @param {string} currentPassword
 * @param {string} newPassword
 */
export async function changePassword(path, currentPassword, newPassword) {
  const send = () => api.put(path, { currentPassword, newPassword }, { keepSession: true });
  try {
    await send();
  } catch (error) {
    const isSignedOut = error instanceof ApiError && error.code === 'not_signed_in';
    if (!isSignedOut || !(await requestSignIn())) throw error;
    await send();
  }
}
