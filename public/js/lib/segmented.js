import { h } from './h.js';

let count = 0;

/**
 * Radio buttons that look like one segmented button.
 * @param {{
 *   label: string, choices: readonly { value: string, label: string }[], value: string, onChange?: (value: string) => void,
 *   hasLegend?: boolean, class?: string,
 * }} options hasLegend: the label stands above, as in a form; else only screen readers get it
 */
export function createSegmented(options) {
  const name = `choice-${++count}`;
  const inputs = options.choices.map(({ value }) =>
    h('input', {
      type: 'radio',
      name,
      value,
      checked: value === options.value,
      onchange: () => options.onChange?.(value),
    }),
  );
  const seg = h(
    'div',
    {
      class: `seg ${options.class ?? ''}`,
      role: options.hasLegend ? null : 'radiogroup',
      'aria-label': options.hasLegend ? null : options.label,
    },
    ...options.choices.map((choice, index) => h('label', null, inputs[index], h('span', null, choice.label))),
  );
  const element = options.hasLegend
    ? h('fieldset', { class: 'field' }, h('legend', { class: 'label' }, options.label), seg)
    : seg;
  return {
    element,
    value: () => inputs.find((input) => input.checked)?.value ?? options.value,
    /** Chooses without calling `onChange`. @param {string} value */
    set(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
