import { api } from '../lib/api.js';
import { checkField, selectField, textField } from '../lib/form.js';
import { formDialog } from '../lib/form-dialog.js';
import { dateTime } from '../lib/format.js';
import { h } from '../lib/h.js';
import { memberPath } from '../lib/resource.js';
import { limitFields } from './limit-fields.js';
import { modelAccess } from './model-access.js';

const DAY_MS = 86_400_000;
const LIFETIMES = [
  { value: '', label: 'Never' },
  { value: '7', label: 'In 7 days' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'date', label: 'At a date and time …' },
];

/**
 * Asks for the properties of an API key and saves them.
 * @param {import('../lib/types.js').ApiKey | null} key null: create a key
 * @param {{ path: string, models: readonly { id: string, name: string }[], users: readonly import('../lib/types.js').User[] | null }} context
 *   users: null for users, who make keys for themselves only
 * @returns {Promise<import('../lib/types.js').ApiKey | null>} a created record contains the key itself; null after Cancel
 */
export function editKey(key, context) {
  const isNew = key === null;
  const name = textField({
    label: 'Name',
    param: 'name',
    input: { value: key?.name, required: true, maxlength: 200, placeholder: 'John’s laptop' },
  });
  const custom = textField({
    label: 'Custom Key',
    optional: true,
    param: 'key',
    hint: 'Leave empty to get a strong random key. Otherwise 24 to 256 characters.',
    input: { minlength: 24, maxlength: 256, spellcheck: 'false', autocapitalize: 'none' },
  });
  const owner = selectField({
    label: 'Owner',
    param: 'userId',
    choices: [
      { value: '', label: 'You (admin)' },
      ...(context.users ?? []).map((user) => ({ value: user.id, label: user.username })),
    ],
    value: key?.userId ?? '',
    hint: 'The key can use only the models that its owner may use.',
  });
  const access = modelAccess({ models: key?.models ?? null, known: context.models });
  const expiry = expiryField(key?.expiresAt ?? null);
  const enabled = checkField({ label: 'Enabled', input: { checked: key?.enabled ?? true } });
  const passThrough = checkField({
    label: 'May use other paths of /v1',
    hint: 'Files, batches, assistants and the like, at the default provider chosen in Settings.',
    input: { checked: key?.passThrough ?? false },
  });
  const limits = limitFields({ limits: key?.limits });
  return formDialog({
    title: isNew ? 'Add API Key' : `Edit ${key.name}`,
    submitLabel: isNew ? 'Create key' : 'Save',
    fields: [name, owner, access.field, ...expiry.fields, ...limits.fields, custom],
    content: [
      name.element,
      context.users !== null && owner.element,
      access.element,
      expiry.element,
      h('fieldset', { class: 'field' }, h('legend', { class: 'label' }, 'Limits'), limits.element),
      context.users !== null && passThrough.element,
      isNew && custom.element,
      !isNew && enabled.element,
    ],
    save: () => {
      const body = {
        name: name.control.value.trim(),
        models: access.value(),
        expiresAt: expiry.value(),
        ...(limits.isChanged() && { limits: limits.value() }),
        ...(context.users !== null && {
          userId: owner.control.value || null,
          passThrough: passThrough.control.checked,
        }),
      };
      if (!isNew)
        return api.put(memberPath(context.path, key.id), { ...body, enabled: enabled.control.checked });
      return api.post(context.path, { ...body, ...(custom.control.value && { key: custom.control.value }) });
    },
  });
}

/** @param {string | null} stored */
function expiryField(stored) {
  const choices = stored === null ? LIFETIMES : [{ value: 'keep', label: dateTime(stored) }, ...LIFETIMES];
  const field = selectField({
    label: 'Expires',
    param: 'expiresAt',
    choices,
    value: stored === null ? '' : 'keep',
  });
  const date = textField({ label: 'Expires at', param: 'expiresAt', input: { type: 'datetime-local' } });
  date.element.hidden = true;
  function check() {
    const isDate = field.control.value === 'date';
    date.element.hidden = !isDate;
    date.control.required = isDate;
    const isOver = isDate && Date.parse(date.control.value) <= Date.now();
    date.control.setCustomValidity(isOver ? 'This time has passed. Choose a time in the future.' : '');
  }
  field.control.addEventListener('change', check);
  date.control.addEventListener('input', check);
  return {
    element: h('div', { class: 'columns' }, field.element, date.element),
    fields: [date, field],
    /** @returns {string | null} */
    value() {
      const { value } = field.control;
      if (value === '') return null;
      if (value === 'keep') return stored;
      if (value === 'date') return new Date(date.control.value).toISOString();
      return new Date(Date.now() + Number(value) * DAY_MS).toISOString();
    },
  };
}
