import { ApiError, api, endSession } from '../lib/api.js';
import { alertBox, handleSubmit, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { toast } from '../lib/toast.js';

/**
 * The card in which users change their password.
 * @param {string} username for password managers
 */
export function passwordCard(username) {
  const current = textField({
    label: 'Current password',
    param: 'currentPassword',
    input: { type: 'password', autocomplete: 'current-password', required: true },
  });
  const next = textField({
    label: 'New password',
    param: 'newPassword',
    hint: '8 to 128 characters. Your other sessions end.',
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
      await changePassword(current.control.value, next.control.value);
      form.reset();
      toast.ok('Your password is changed.');
    },
  });
  return h('section', { class: 'card stack' }, h('h2', null, 'Password'), form);
}

/**
 * A wrong present password is answered with 401 too, so only a session that has ended leads to the sign-in.
 * @param {string} currentPassword
 * @param {string} newPassword
 */
async function changePassword(currentPassword, newPassword) {
  const send = () => api.put('/api/user/password', { currentPassword, newPassword }, { keepSession: true });
  try {
    await send();
  } catch (error) {
    const isOver = error instanceof ApiError && error.code === 'not_signed_in';
    if (!isOver || !(await endSession())) throw error;
    await send();
  }
}
