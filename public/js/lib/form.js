import { ApiError, messageOf } from './api.js';
import { h } from './h.js';
import { icon } from './icons.js';

let count = 0;

/**
 * @typedef {{
 *   label: string, param?: string, hint?: import('./h.js').Child, optional?: boolean, input?: import('./h.js').Props,
 * }} FieldOptions
 */
/**
 * @typedef {{
 *   element: HTMLElement, param: string, control: HTMLElement, setError: (message: string | null) => void,
 * }} Field
 */

/**
 * A text field with label, hint and error message.
 * @param {FieldOptions} options
 * @returns {Field & { control: HTMLInputElement }}
 */
export function textField(options) {
  const id = `field-${++count}`;
  const control = h('input', { class: 'input', id, type: 'text', autocomplete: 'off', ...options.input });
  return createField(control, options, id);
}

/**
 * A search field without a visible label. Typing does not count as a change of the form around it, and Enter does not
 * submit that form.
 * @param {string} label
 * @param {(query: string) => void} onQuery called with the trimmed text in lower case
 */
export function searchField(label, onQuery) {
  const control = h('input', {
    class: 'input',
    type: 'search',
    'aria-label': label,
    placeholder: label,
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: (event) => {
      event.stopPropagation();
      onQuery(control.value.trim().toLowerCase());
    },
    onkeydown: (event) => {
      if (event.key === 'Enter') event.preventDefault();
    },
  });
  return { element: h('div', { class: 'search' }, icon('search'), control), control };
}

/**
 * A text field of several lines.
 * @param {FieldOptions} options
 * @returns {Field & { control: HTMLTextAreaElement }}
 */
export function textAreaField(options) {
  const id = `field-${++count}`;
  return createField(h('textarea', { class: 'input', id, rows: 3, ...options.input }), options, id);
}

/**
 * A drop-down list.
 * @param {FieldOptions & { choices: readonly { value: string, label: string }[], value?: string }} options
 * @returns {Field & { control: HTMLSelectElement }}
 */
export function selectField(options) {
  const id = `field-${++count}`;
  const control = h('select', { class: 'input', id, ...options.input });
  control.append(...options.choices.map((choice) => h('option', { value: choice.value }, choice.label)));
  if (options.value !== undefined) control.value = options.value;
  return createField(control, options, id);
}

/**
 * A checkbox with its label beside it.
 * @param {FieldOptions} options
 * @returns {Field & { control: HTMLInputElement }}
 */
export function checkField(options) {
  const hintId = `hint-${++count}`;
  const control = h('input', {
    type: 'checkbox',
    'aria-describedby': options.hint ? hintId : null,
    ...options.input,
  });
  const label = h('label', { class: 'check' }, control, h('span', { class: 'label' }, options.label));
  const element = h(
    'div',
    { class: 'field' },
    label,
    options.hint && h('p', { class: 'hint', id: hintId }, options.hint),
  );
  return { element, param: options.param ?? '', control, setError: () => {} };
}

/**
 * Puts label, hint and error message around a control.
 * @template {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} T
 * @param {T} control
 * @param {FieldOptions} options
 * @param {string} id
 * @returns {Field & { control: T }}
 */
function createField(control, options, id) {
  const hint = options.hint ? h('p', { class: 'hint', id: `${id}-hint` }, options.hint) : null;
  const error = h('p', { class: 'field-error', id: `${id}-error`, hidden: true });
  if (hint) control.setAttribute('aria-describedby', hint.id);
  const mark = options.optional ? h('span', { class: 'optional' }, ' (optional)') : null;
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, options.label, mark),
    control,
    hint,
    error,
  );
  /** @param {string | null} message */
  const setError = (message) => {
    error.textContent = message ?? '';
    error.hidden = message === null;
    if (message === null) control.removeAttribute('aria-invalid');
    else control.setAttribute('aria-invalid', 'true');
    const described = [message !== null && error.id, hint?.id].filter(Boolean).join(' ');
    if (described) control.setAttribute('aria-describedby', described);
    else control.removeAttribute('aria-describedby');
  };
  control.addEventListener('input', () => setError(null));
  return { element, param: options.param ?? '', control, setError };
}

/**
 * A message that screen readers announce when it appears.
 * @param {'bad' | 'warn' | 'ok' | ''} [kind]
 */
export function alertBox(kind = 'bad') {
  const element = h('div', { role: kind === 'bad' ? 'alert' : 'status' });
  return {
    element,
    /** @param {import('./h.js').Child | null} message */
    show(message) {
      const symbol = icon(kind === 'ok' ? 'check' : kind === '' ? 'info' : 'warning');
      element.replaceChildren(
        ...(message ? [h('div', { class: `note ${kind}` }, symbol, h('div', null, message))] : []),
      );
    },
  };
}

/**
 * Runs `save` when a valid form is submitted, one run at a time. The button is busy meanwhile. An error appears at the
 * field that the server names, else at the top of the form. The fields keep their values.
 * @param {HTMLFormElement} form
 * @param {{ fields: readonly Field[], submit: HTMLButtonElement, alert: ReturnType<typeof alertBox>, save: () => Promise<unknown>, explain?: (error: ApiError) => import('./h.js').Child }} options
 */
export function handleSubmit(form, options) {
  form.noValidate = true;
  let busy = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy || !checkValid(form, options.fields)) return;
    busy = true;
    setBusy(options.submit, true);
    options.alert.show(null);
    try {
      await options.save();
    } catch (error) {
      showError(error, options);
    } finally {
      busy = false;
      setBusy(options.submit, false);
    }
  });
}

/**
 * Shows an error at its field, or in the form's alert box.
 * @param {unknown} error
 * @param {{ fields: readonly Field[], alert: ReturnType<typeof alertBox>, explain?: (error: ApiError) => import('./h.js').Child }} options
 */
function showError(error, options) {
  const field =
    error instanceof ApiError && error.param
      ? options.fields.find((one) => one.param === error.param)
      : undefined;
  if (field === undefined) {
    options.alert.show((error instanceof ApiError && options.explain?.(error)) || messageOf(error));
    options.alert.element.scrollIntoView({ block: 'nearest' });
    return;
  }
  // The message stands below the field, so that it need not begin with the field's name.
  field.setError(messageOf(error).replace(/^`[^`]+`(?= )/, 'This'));
  focusField(field.control);
}

/**
 * Marks the invalid fields and moves the focus to the first of them.
 * @param {HTMLFormElement} form
 * @param {readonly Field[]} fields
 * @returns {boolean} true when all are valid
 */
function checkValid(form, fields) {
  /** @type {HTMLElement | null} */
  let first = null;
  for (const { control, setError } of fields) {
    if (
      !(
        control instanceof HTMLInputElement ||
        control instanceof HTMLTextAreaElement ||
        control instanceof HTMLSelectElement
      )
    )
      continue;
    if (!form.contains(control) || control.validity.valid) continue;
    setError(control.validity.valueMissing ? 'Please fill this in.' : control.validationMessage);
    first ??= control;
  }
  if (first !== null) focusField(first);
  return first === null;
}

/**
 * Focuses a field, which may be in a collapsed part of the form.
 * @param {HTMLElement} control
 */
function focusField(control) {
  for (let details = control.closest('details'); details !== null; ) {
    details.open = true;
    details = details.parentElement?.closest('details') ?? null;
  }
  control.focus();
}

/**
 * Shows on a button that its work is running.
 * @param {HTMLButtonElement} button
 * @param {boolean} busy
 */
export function setBusy(button, busy) {
  button.setAttribute('aria-busy', String(busy));
  button.setAttribute('aria-disabled', String(busy));
  if (busy) button.prepend(h('span', { class: 'spin' }));
  else button.querySelector('.spin')?.remove();
}
