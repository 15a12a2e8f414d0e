import { api } from '../lib/api.js';
import { checkField, textField } from '../lib/form.js';
import { formDialog } from '../lib/form-dialog.js';
import { h } from '../lib/h.js';
import { memberPath } from '../lib/resource.js';
import { limitFields } from './limit-fields.js';
import { modelAccess } from './model-access.js';

const PATH = '/api/admin/users';

/**
 * Asks for the properties of a user and saves them.
 * @param {import('../lib/types.js').User | null} user null: add a user
 * @param {readonly { id: string, name: string }[]} models
 * @returns {Promise<{ user: import('../lib/types.js').User, password: string } | null>} the saved user and the password that was
 *   entered, if any; null after Cancel
 */
export function editUser(user, models) {
  const isNew = user === null;
  const username = textField({
    label: 'Username',
    param: 'username',
    input: {
      value: user?.username,
      required: true,
      maxlength: 64,
      spellcheck: 'false',
      autocapitalize: 'none',
    },
  });
  const name = textField({
    label: 'Full name',
    optional: true,
    param: 'name',
    input: { value: user === null || user.name === user.username ? '' : user.name, maxlength: 200 },
  });
  const password = textField({
    label: isNew ? 'Password' : 'New password',
    optional: !isNew,
    param: 'password',
    hint: isNew
      ? '8 to 128 characters. After Save you get a message with it to hand over; the user can change it.'
      : 'Leave empty to keep the current password. A new password signs this user out everywhere.',
    // Visible, because the admin has to tell it to the user.
    input: { spellcheck: 'false', autocapitalize: 'none', required: isNew, minlength: 8, maxlength: 128 },
  });
  const access = modelAccess({ models: user?.models ?? null, known: models });
  const enabled = checkField({
    label: 'Enabled',
    hint: 'A disabled user cannot sign in, and their keys do not work.',
    input: { checked: user?.enabled ?? true },
  });
  const limits = limitFields({ limits: user?.limits });
  return formDialog({
    title: isNew ? 'Add User' : `Edit ${user.username}`,
    fields: [username, name, password, access.field, ...limits.fields],
    content: [
      h('div', { class: 'columns' }, username.element, name.element),
      password.element,
      access.element,
      h(
        'fieldset',
        { class: 'field' },
        h('legend', { class: 'label' }, 'Limits over all keys of this user'),
        limits.element,
      ),
      enabled.element,
    ],
    save: async () => {
      const body = {
        username: username.control.value.trim(),
        name: name.control.value.trim() || username.control.value.trim(),
        models: access.value(),
        enabled: enabled.control.checked,
        ...(limits.isChanged() && { limits: limits.value() }),
        ...(password.control.value && { password: password.control.value }),
      };
      const saved = await (isNew ? api.post(PATH, body) : api.put(memberPath(PATH, user.id), body));
      return { user: saved, password: password.control.value };
    },
  });
}
