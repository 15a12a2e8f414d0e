import { textField } from '../lib/form.js';
import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';
import { createPicker } from '../lib/picker.js';
import { createSegmented } from '../lib/segmented.js';

const CHOICES = [
  { value: 'all', label: 'All models' },
  { value: 'some', label: 'Only selected' },
];

/**
 * The fields for the models that a key or a user may use: all, or a list of ids, which may end in `*`.
 * @param {{ models: string[] | null, known: readonly { id: string, name: string }[] }} options
 */
export function modelAccess(options) {
  const ids = new Set(options.known.map((model) => model.id));
  const others = (options.models ?? []).filter((id) => !ids.has(id));
  const picker = createPicker({
    label: 'Models to choose from',
    search: 'Find a model',
    choices: options.known.map((model) => ({
      id: model.id,
      detail: model.name === model.id ? '' : model.name,
    })),
    selected: (options.models ?? []).filter((id) => ids.has(id)),
    onchange: check,
  });
  const patterns = textField({
    label: 'Patterns',
    optional: true,
    param: 'models',
    hint: 'Separated by commas, with * at the end: gpt-4*, openrouter/*. They also match models that you add later.',
    input: { value: others.join(', '), spellcheck: 'false', autocapitalize: 'none' },
  });
  const details = h(
    'div',
    { class: 'stack', hidden: options.models === null },
    picker.element,
    patterns.element,
  );
  const choice = createSegmented({
    hasLegend: true,
    label: 'Allowed models',
    choices: CHOICES,
    value: options.models === null ? 'all' : 'some',
    onChange: (value) => {
      details.hidden = value === 'all';
      check();
    },
  });
  patterns.control.addEventListener('input', check);
  check();

  function read() {
    const typed = patterns.control.value.split(',').map((text) => text.trim());
    return [...new Set([...picker.selected(), ...typed.filter(Boolean)])];
  }

  /** An empty list is a mistake: to allow no model at all, people switch the key or user off. */
  function check() {
    const isEmpty = choice.value() === 'some' && read().length === 0;
    patterns.control.setCustomValidity(isEmpty ? 'Select a model above, or enter a pattern.' : '');
    if (!isEmpty) patterns.setError(null);
  }

  return {
    element: h('div', { class: 'stack' }, choice.element, details),
    field: patterns,
    /** @returns {string[] | null} */
    value: () => (choice.value() === 'all' ? null : read()),
  };
}

/**
 * The allowed models in one cell of a table.
 * @param {readonly string[] | null} models
 */
export function accessText(models) {
  if (models === null) return h('span', { class: 'muted' }, 'all');
  if (models.length === 0) return h('span', { class: 'badge warn' }, 'none');
  return h(
    'div',
    { class: 'truncate', title: models.join(', ') },
    models.length === 1 ? models[0] : summary(models),
  );
}

/** @param {readonly string[]} models */
function summary(models) {
  const patterns = models.filter((model) => model.endsWith('*')).length;
  const ids = models.length - patterns;
  return [ids > 0 && plural(ids, 'model'), patterns > 0 && plural(patterns, 'pattern')]
    .filter(Boolean)
    .join(', ');
}
