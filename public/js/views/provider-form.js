import { api } from '../lib/api.js';
import { checkField, selectField, textField } from '../lib/form.js';
import { formDialog } from '../lib/form-dialog.js';
import { h } from '../lib/h.js';
import { memberPath } from '../lib/resource.js';
import { presetOfKey } from './first-run-facts.js';
import { findPreset, PRESET_GROUPS } from './presets.js';
import { providerOptionFields } from './provider-options.js';

const PATH = '/api/admin/providers';
const TYPES = [
  { value: 'openai', label: 'OpenAI Compatible' },
  { value: 'chutes', label: 'Chutes' },
];
const PRESET_HINT = 'Fills in the fields below.';
const NEW_KEY_HINT =
  'Paste it first: most keys show which provider they belong to. It is stored on the server and never shown again. Leave it empty if the provider needs no key.';
const KEY_HINT = 'Stored on the server and never shown again. Leave empty if the provider needs no key.';

/**
 * Asks for the properties of a provider and saves them.
 * @param {import('../lib/types.js').Provider | null} provider null: add a provider
 * @param {readonly string[]} takenIds
 * @returns {Promise<import('../lib/types.js').Provider | null>} the saved provider; null after Cancel
 */
export function editProvider(provider, takenIds) {
  const fields = providerFields(provider);
  const options = providerOptionFields(provider?.options ?? {});
  const isNew = provider === null;
  const preset = isNew ? presetField(fields, takenIds) : null;
  const note = h('p', { class: 'field-error', role: 'status', hidden: true });
  if (provider && fields.removeKey) warnAboutNewHost(provider, fields, note);
  fields.key.element.append(note);
  return formDialog({
    title: isNew ? 'Add Provider' : `Edit ${provider.name}`,
    fields: isNew
      ? [fields.key, fields.name, fields.id, fields.url, ...options.fields]
      : [fields.name, fields.id, fields.url, fields.key, ...options.fields],
    content: [
      isNew && fields.key.element,
      preset,
      h('div', { class: 'columns' }, fields.name.element, fields.id.element),
      fields.url.element,
      !isNew && fields.key.element,
      fields.removeKey?.element,
      fields.type.element,
      fields.enabled.element,
      options.element,
    ],
    save: () => {
      const body = {
        name: fields.name.control.value.trim(),
        baseUrl: fields.url.control.value.trim(),
        type: fields.type.control.value,
        enabled: fields.enabled.control.checked,
        options: options.value(),
        ...keyValue(fields),
      };
      if (provider !== null) return api.put(memberPath(PATH, provider.id), body);
      return api.post(PATH, { ...body, id: fields.id.control.value.trim() || undefined });
    },
  });
}

/** @param {import('../lib/types.js').Provider | null} provider */
function providerFields(provider) {
  const isNew = provider === null;
  const name = textField({
    label: 'Provider Name',
    param: 'name',
    input: {
      value: provider?.name,
      required: true,
      maxlength: 200,
      placeholder: 'OpenRouter',
      autofocus: !isNew,
    },
  });
  const id = textField({
    label: 'Provider ID',
    param: 'id',
    hint: isNew ? 'Leave empty to derive it from the name. You cannot change it later.' : null,
    input: {
      value: provider?.id,
      readonly: !isNew,
      spellcheck: 'false',
      autocapitalize: 'none',
      placeholder: isNew ? 'openrouter' : null,
    },
  });
  const url = textField({
    label: 'Base URL',
    param: 'baseUrl',
    input: {
      value: provider?.baseUrl,
      required: true,
      inputmode: 'url',
      spellcheck: 'false',
      autocapitalize: 'none',
      placeholder: 'https://openrouter.ai/api/v1',
    },
  });
  const stored = provider?.apiKeyHint;
  const count = provider?.apiKeys.length ?? 0;
  const key = textField({
    label: 'API Key',
    param: 'apiKey',
    hint: isNew ? NEW_KEY_HINT : stored ? storedKeyHint(stored, count) : KEY_HINT,
    input: { type: 'password', autocomplete: 'new-password', spellcheck: 'false', placeholder: stored ?? '' },
  });
  const removeKey =
    stored || provider?.apiKeyUnreadable
      ? checkField({ label: count > 1 ? 'Remove the first key' : 'Remove the stored key', input: {} })
      : null;
  removeKey?.control.addEventListener('change', () => {
    key.control.disabled = removeKey.control.checked;
  });
  const type = selectField({
    label: 'Type',
    param: 'type',
    choices: TYPES,
    value: provider?.type ?? 'openai',
    hint: 'Addresses at chutes.ai are recognised automatically.',
  });
  const enabled = checkField({ label: 'Enabled', input: { checked: provider?.enabled ?? true } });
  return { name, id, url, key, removeKey, type, enabled };
}

/**
 * @param {string} hint
 * @param {number} count
 */
function storedKeyHint(hint, count) {
  const place = count > 1 ? `, the first of ${count} keys` : '';
  return `Stored: ${hint}${place}. Leave empty to keep it, or enter a new key to replace it. To add another key, choose the provider’s state in the list.`;
}

/** @param {ReturnType<typeof providerFields>} fields */
function keyValue(fields) {
  if (fields.removeKey?.control.checked) return { apiKey: null };
  const key = fields.key.control.value.trim();
  return key ? { apiKey: key } : {};
}

/**
 * A list of known providers. Choosing one fills in the form, and so does a key that shows whose it is.
 * @param {ReturnType<typeof providerFields>} fields
 * @param {readonly string[]} takenIds
 */
function presetField(fields, takenIds) {
  const field = selectField({
    label: 'Preset',
    choices: [{ value: '', label: 'None: I know the address' }],
    hint: PRESET_HINT,
  });
  const hint = field.element.querySelector('.hint');
  hint?.setAttribute('role', 'status');
  field.control.append(
    ...PRESET_GROUPS.map((group) =>
      h(
        'optgroup',
        { label: group.label },
        ...group.presets.map((preset) => h('option', { value: preset.id }, preset.name)),
      ),
    ),
  );
  const filled = [fields.name, fields.id, fields.url];
  /** Whether somebody wrote into the fields, which a pasted key then leaves alone. */
  let isWritten = false;
  /** @param {import('./presets.js').Preset} preset */
  const fill = (preset) => {
    fields.name.control.value = preset.name;
    fields.id.control.value = freeId(preset.id, takenIds);
    fields.url.control.value = preset.baseUrl;
    fields.type.control.value = preset.type ?? 'openai';
    for (const one of filled) one.setError(null);
    fields.key.control.placeholder = preset.isKeyless ? 'Not needed' : '';
  };
  field.control.addEventListener('change', () => {
    const preset = findPreset(field.control.value);
    if (hint) hint.textContent = preset?.hint ?? PRESET_HINT;
    if (preset === undefined) return;
    fill(preset);
    isWritten = false;
  });
  for (const one of filled) one.control.addEventListener('input', () => (isWritten = true));
  fields.key.control.addEventListener('input', () => {
    const preset = presetOfKey(fields.key.control.value.trim());
    if (preset === null || isWritten || field.control.value === preset.id) return;
    field.control.value = preset.id;
    fill(preset);
    if (hint) hint.textContent = `This is a key of ${preset.name}.`;
  });
  return field.element;
}

/**
 * @param {string} id
 * @param {readonly string[]} takenIds
 */
function freeId(id, takenIds) {
  let free = id;
  for (let number = 2; takenIds.includes(free); number++) free = `${id}-${number}`;
  return free;
}

/**
 * Warns while the person enters a base URL on another host, because a stored key is never sent there. The warning
 * replaces the hint of the API Key field, until the server's own message does.
 * @param {import('../lib/types.js').Provider} provider
 * @param {ReturnType<typeof providerFields>} fields
 * @param {HTMLElement} note
 */
function warnAboutNewHost(provider, { url, key, removeKey }, note) {
  const hint = key.element.querySelector('.hint');
  const hintText = hint?.textContent ?? '';
  const { setError } = key;
  const update = () => {
    const address = url.control.value;
    const isNewHost =
      URL.canParse(address) &&
      URL.canParse(provider.baseUrl) &&
      new URL(address).origin !== new URL(provider.baseUrl).origin;
    const isDecided = key.control.value !== '' || removeKey?.control.checked === true;
    const hasError = key.control.getAttribute('aria-invalid') === 'true';
    note.hidden = !isNewHost || isDecided || hasError;
    note.textContent = note.hidden
      ? ''
      : 'This is another host. The stored key will not be sent there: enter the key again, or remove it.';
    // The text is removed too, because screen readers read the description of a field even if it is hidden.
    if (hint) hint.textContent = isNewHost ? '' : hintText;
    hint?.toggleAttribute('hidden', isNewHost);
  };
  key.setError = (message) => {
    setError(message);
    update();
  };
  key.control.addEventListener('input', update);
  // An error about the key concerned the previous host.
  url.control.addEventListener('input', () => key.setError(null));
  removeKey?.control.addEventListener('change', () => key.setError(null));
}
