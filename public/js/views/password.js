import { api } from '../lib/api.js';
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
      await api.put(
        '/api/user/password',
        { currentPassword: current.control.value, newPassword: next.control.value },
        { keepSession: true },
      );
      form.reset();
      toast.ok('Your password is changed.');
    },
  });
  return h('section', { class: 'card stack' }, h('h2', null, 'Password'), form);
}
