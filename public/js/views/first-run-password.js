import { alertBox, handleSubmit, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { stepButtons } from './first-run-step.js';
import { changePassword } from './password.js';

const DEFAULT_PASSWORD = 'admin';

/**
 * The first step: a password in place of the default one.
 * @param {import('./first-run.js').FirstRun} run
 * @returns {import('./first-run.js').Step}
 */
export function passwordStep(run) {
  return {
    id: 'password',
    title: 'Password',
    todo: `It is still the default, “${DEFAULT_PASSWORD}”. Until you set your own, sign-in works on this machine only.`,
    isDone: ({ hasPassword }) => hasPassword,
    doneText: ({ isManaged }) => `Set for ${run.username}${isManaged ? ' by UI_PASSWORD' : ''}`,
    change: { label: 'Change', run: () => run.navigate('settings', 'password') },
    content: () => passwordForm(run),
  };
}

/** @param {import('./first-run.js').FirstRun} run */
function passwordForm(run) {
  const { isManagedByEnvironment } = run.records().status.adminPassword;
  if (isManagedByEnvironment) {
    const hint = 'UI_PASSWORD sets it. Change this variable and restart the server.';
    return h(
      'div',
      { class: 'stack' },
      h('p', null, hint),
      stepButtons(h('span'), () => run.skip('password')),
    );
  }
  const field = textField({
    label: 'New password',
    param: 'newPassword',
    hint: '8 to 128 characters.',
    input: { type: 'password', autocomplete: 'new-password', required: true, minlength: 8, maxlength: 128 },
  });
  const name = h('input', {
    type: 'text',
    autocomplete: 'username',
    value: run.username,
    hidden: true,
    readonly: true,
  });
  const alert = alertBox();
  const submit = h('button', { type: 'submit', class: 'btn primary large' }, 'Set the password');
  const form = h(
    'form',
    { class: 'stack' },
    alert.element,
    name,
    field.element,
    stepButtons(submit, () => run.skip('password')),
  );
  handleSubmit(form, {
    fields: [field],
    submit,
    alert,
    save: async () => {
      await changePassword('/api/admin/password', DEFAULT_PASSWORD, field.control.value);
      await run.finish();
    },
  });
  return form;
}
