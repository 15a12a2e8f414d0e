import { selectField, textAreaField, textField } from '../lib/form.js';
import { h } from '../lib/h.js';

/** @typedef {import('../lib/types.js').ModelOptions} ModelOptions */

const MAX_TOKENS_FIELDS = [
  { value: '', label: 'As sent' },
  { value: 'max_tokens', label: 'max_tokens' },
  { value: 'max_completion_tokens', label: 'max_completion_tokens' },
];
const GUESS = [
  { value: '', label: 'Guess from the name' },
  { value: 'true', label: 'Yes' },
  { value: 'false', label: 'No' },
];
/** @type {Record<string, boolean | 'reasoning' | null>} */
const GUESS_VALUES = { '': null, true: true, false: false, reasoning: 'reasoning' };
const OBJECT_MISTAKE = 'Enter a JSON object, such as {"temperature": 0.2}.';
const NAMES_MISTAKE = 'Enter a JSON object with new names, such as {"old_name": "new_name"}.';

/**
 * What a model takes and what is changed in its requests, collapsed under “More options”.
 * @param {ModelOptions} stored
 */
export function modelOptionFields(stored) {
  const maxOutput = textField({
    label: 'Maximum output tokens',
    param: 'options.maxOutputTokens',
    hint: 'A larger limit in a request is lowered to this.',
    input: {
      type: 'number',
      min: 1,
      step: 1,
      inputmode: 'numeric',
      value: stored.maxOutputTokens ?? '',
      placeholder: 'No limit',
    },
  });
  const maxField = selectField({
    label: 'Field for the token limit',
    param: 'options.maxTokensField',
    choices: MAX_TOKENS_FIELDS,
    value: stored.maxTokensField ?? '',
    hint: 'The field that the model expects.',
  });
  const effort = selectField({
    label: 'Takes reasoning effort',
    param: 'options.reasoningEffort',
    choices: GUESS,
    value: String(stored.reasoningEffort ?? ''),
  });
  const reasoning = selectField({
    label: 'Takes its reasoning back',
    param: 'options.reasoningContent',
    choices: [...GUESS, { value: 'reasoning', label: 'Yes, as “reasoning”' }],
    value: String(stored.reasoningContent ?? ''),
    hint: 'In translated Messages and Responses requests.',
  });
  const pdf = selectField({
    label: 'Reads PDF files',
    param: 'options.pdf',
    choices: GUESS,
    value: String(stored.pdf ?? ''),
    hint: 'In translated Messages and Responses requests.',
  });
  const rename = jsonField('Rename fields', 'rename', stored, '{"old_name": "new_name"}');
  const drop = textField({
    label: 'Remove fields',
    param: 'options.drop',
    hint: 'Names, separated by commas.',
    input: {
      value: stored.drop?.join(', ') ?? '',
      spellcheck: 'false',
      autocapitalize: 'none',
      placeholder: 'logprobs, seed',
    },
  });
  const defaults = jsonField('Add missing fields', 'defaults', stored, '{"temperature": 0.2}');
  const fields = [maxOutput, maxField, effort, reasoning, pdf, rename, drop, defaults];
  const element = h(
    'details',
    null,
    h('summary', null, 'More options'),
    h(
      'div',
      { class: 'stack' },
      h('div', { class: 'columns' }, maxOutput.element, maxField.element),
      effort.element,
      h('div', { class: 'columns' }, reasoning.element, pdf.element),
      h(
        'p',
        { class: 'hint' },
        'Changes to the top-level fields of every request for this model, made in this order:',
      ),
      rename.element,
      drop.element,
      defaults.element,
    ),
  );
  return {
    element,
    fields,
    /** All options; null stands for the default. @returns {ModelOptions} */
    value: () => ({
      maxOutputTokens: maxOutput.control.valueAsNumber || null,
      maxTokensField: /** @type {ModelOptions['maxTokensField']} */ (maxField.control.value || null),
      reasoningEffort: /** @type {boolean | null} */ (GUESS_VALUES[effort.control.value]),
      reasoningContent: GUESS_VALUES[reasoning.control.value],
      pdf: /** @type {boolean | null} */ (GUESS_VALUES[pdf.control.value]),
      rename: /** @type {Record<string, string> | null} */ (readObject(rename.control.value)),
      drop: readNames(drop.control.value),
      defaults: readObject(defaults.control.value),
    }),
  };
}

/**
 * A field for a JSON object, checked while it is edited.
 * @param {string} label
 * @param {'rename' | 'defaults'} name
 * @param {ModelOptions} stored
 * @param {string} placeholder
 */
function jsonField(label, name, stored, placeholder) {
  const value = stored[name];
  const isEmpty = value === undefined || value === null || Object.keys(value).length === 0;
  const field = textAreaField({
    label,
    param: `options.${name}`,
    input: {
      class: 'input mono',
      rows: 2,
      value: isEmpty ? '' : JSON.stringify(value, null, 1),
      placeholder,
      spellcheck: 'false',
      autocapitalize: 'none',
      autocomplete: 'off',
    },
  });
  const { control } = field;
  control.addEventListener('input', () => {
    const object = readObject(control.value);
    const isMistake = control.value.trim() !== '' && object === null;
    const hasOtherNames =
      name === 'rename' && Object.values(object ?? {}).some((one) => typeof one !== 'string');
    const mistake = name === 'rename' ? NAMES_MISTAKE : OBJECT_MISTAKE;
    control.setCustomValidity(isMistake || hasOtherNames ? mistake : '');
  });
  return field;
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null} null for an empty text and for anything but a JSON object
 */
function readObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {string} text */
function readNames(text) {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length === 0 ? null : [...new Set(names)];
}
