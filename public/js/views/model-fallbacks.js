import { dragHandle } from '../lib/drag-handle.js';
import { selectField, textField } from '../lib/form.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { priceText, sourceText } from '../lib/prices.js';
import { announce } from '../lib/toast.js';
import { priceFields } from './price-fields.js';

/** @typedef {import('../lib/types.js').Fallback} Fallback */
/** @typedef {import('../lib/form.js').Field} Field */
/**
 * @typedef {{
 *   element: HTMLElement, head: HTMLElement, legend: HTMLElement, title: HTMLElement, role: HTMLElement, up: HTMLButtonElement, down: HTMLButtonElement, remove: HTMLButtonElement,
 *   provider: ReturnType<typeof selectField>, upstream: ReturnType<typeof textField>, weight: ReturnType<typeof textField>,
 *   price: ReturnType<typeof priceFields>,
 * }} Row
 */

const MOST = 32;
const WEIGHT_MISTAKE = 'Enter a number above 0, at most 1,000.';

/**
 * The fallbacks of a model, in their order, and the model's own weight, which counts only beside fallbacks with a weight.
 * @param {{ fallbacks: readonly Fallback[], weight: number | null, fields: Field[], choicesFor: (fallback: Fallback) => readonly { value: string, label: string }[] }} options
 *   fields: of the form; those of the fallbacks are added and removed here
 */
export function fallbackFields({ fallbacks, weight, fields, choicesFor }) {
  const ownWeight = weightField(weight, '1');
  ownWeight.param = 'weight';
  const ownShare = h('p', { class: 'hint' });
  ownWeight.element.append(ownShare);
  fields.push(ownWeight);
  const list = h('ol', { class: 'fallbacks' });
  const add = h(
    'button',
    { type: 'button', class: 'btn small', onclick: addRow },
    icon('plus'),
    'Add fallback',
  );
  /** @type {Row[]} */
  let rows = [];
  for (const fallback of fallbacks) insertRow(fallback);

  /** @param {Fallback} fallback */
  function insertRow(fallback) {
    const row = createRow(fallback, choicesFor(fallback));
    row.head.prepend(dragHandle(row.element, (step) => move(row, step)));
    row.up.addEventListener('click', () => move(row, -1));
    row.down.addEventListener('click', () => move(row, 1));
    row.remove.addEventListener('click', () => remove(row));
    fields.push(row.provider, row.upstream, row.weight, ...row.price.fields);
    list.append(row.element);
    rows.push(row);
    return row;
  }

  function addRow() {
    const row = insertRow({ providerId: '', upstreamModel: null, weight: null });
    changed();
    row.provider.control.focus();
  }

  /**
   * @param {Row} row
   * @param {-1 | 1} step
   */
  function move(row, step) {
    const from = rows.indexOf(row);
    const to = from + step;
    if (to < 0 || to >= rows.length) return;
    const active = document.activeElement;
    rows.splice(from, 1);
    rows.splice(to, 0, row);
    list.insertBefore(row.element, rows[to + 1]?.element ?? null);
    changed();
    // Moved elements lose the focus.
    if (active instanceof HTMLElement) active.focus();
    announce(`Now at place ${to + 1} of ${rows.length}.`, list);
  }

  /** @param {Row} row */
  function remove(row) {
    const index = rows.indexOf(row);
    rows = rows.filter((one) => one !== row);
    row.element.remove();
    for (const field of [row.provider, row.upstream, row.weight, ...row.price.fields])
      fields.splice(fields.indexOf(field), 1);
    changed();
    (rows[Math.min(index, rows.length - 1)]?.remove ?? add).focus();
    announce('The fallback is removed.', list);
  }

  /** Tells the form that it has changes, and shows the new order and shares. */
  function changed() {
    update();
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function update() {
    const shares = sharesOf(ownWeight.control, rows);
    ownWeight.element.hidden = shares === null;
    ownShare.textContent = shares === null ? '' : shareText(shares[0]);
    // A hidden mistake could not be mended.
    if (shares === null && !ownWeight.control.validity.valid) setValue(ownWeight.control, '');
    let before = shares === null ? 'the first choice fails' : 'all with a weight fail';
    rows.forEach((row, index) => {
      const share = shares?.[index + 1] ?? null;
      numberRow(row, index, rows.length);
      row.role.textContent = share === null ? `Tried if ${before}` : shareText(share);
      if (share === null) before = `fallback ${index + 1} fails`;
    });
    list.hidden = rows.length === 0;
    add.hidden = rows.length >= MOST;
  }
  ownWeight.control.addEventListener('input', update);
  list.addEventListener('input', update);
  update();

  const element = h(
    'section',
    { class: 'stack tight', 'aria-label': 'Fallbacks' },
    h('h3', null, 'Fallbacks'),
    h(
      'p',
      { class: 'hint' },
      'Fallbacks are tried in this order when the first choice fails. A fallback with a weight shares the load with the first choice instead.',
    ),
    list,
    h('div', null, add),
  );
  return {
    element,
    ownWeight: ownWeight.element,
    value: () => ({
      weight: ownWeight.element.hidden ? null : numberIn(ownWeight.control),
      fallbacks: rows.map((row) => ({
        providerId: row.provider.control.value,
        upstreamModel: row.upstream.control.value.trim() || null,
        weight: numberIn(row.weight.control),
        price: row.price.value(),
      })),
    }),
  };
}

/**
 * @param {Fallback} fallback
 * @param {readonly { value: string, label: string }[]} choices
 * @returns {Row}
 */
function createRow(fallback, choices) {
  const provider = selectField({
    label: 'Provider',
    choices,
    value: fallback.providerId,
    input: { required: true },
  });
  const upstream = textField({
    label: 'Upstream Name',
    input: {
      value: fallback.upstreamModel ?? '',
      placeholder: 'Same as the ID',
      spellcheck: 'false',
      autocapitalize: 'none',
    },
  });
  const weight = weightField(fallback.weight, 'None');
  const price = priceFields({
    price: fallback.price,
    effective: fallback.effectivePrice,
    param: '',
    heading: 'h4',
  });
  const [up, down] = [iconButton('up'), iconButton('down')];
  const remove = iconButton('trash');
  const legend = h('legend', { class: 'sr' });
  const title = h('strong', { 'aria-hidden': 'true' });
  const role = h('span', { class: 'role muted small grow' });
  const head = h('div', { class: 'row' }, title, role, h('div', { class: 'acts' }, up, down, remove));
  const element = h(
    'li',
    null,
    h(
      'fieldset',
      { class: 'stack tight' },
      legend,
      head,
      h('div', { class: 'target-fields' }, provider.element, upstream.element, weight.element),
      h(
        'details',
        { class: 'more' },
        h('summary', { class: 'small' }, priceSummary(fallback)),
        price.element,
      ),
    ),
  );
  return { element, head, legend, title, role, up, down, remove, provider, upstream, weight, price };
}

/** @param {Fallback} fallback */
function priceSummary({ effectivePrice }) {
  const text = priceText(effectivePrice);
  return effectivePrice && text !== null
    ? `Price: ${text} (${sourceText(effectivePrice)})`
    : 'Price: none yet';
}

/**
 * @param {Row} row
 * @param {number} index
 * @param {number} count
 */
function numberRow(row, index, count) {
  const name = `fallback ${index + 1}`;
  row.title.textContent = row.legend.textContent = `Fallback ${index + 1}`;
  setName(row.up, `Move ${name} up`);
  setName(row.down, `Move ${name} down`);
  setName(row.remove, `Remove ${name}`);
  // Not `disabled`, which would take the focus away after the last step.
  row.up.setAttribute('aria-disabled', String(index === 0));
  row.down.setAttribute('aria-disabled', String(index === count - 1));
  row.provider.param = `fallbacks[${index}].providerId`;
  row.upstream.param = `fallbacks[${index}].upstreamModel`;
  row.weight.param = `fallbacks[${index}].weight`;
  row.price.setParam(`fallbacks[${index}].price`);
}

/**
 * @param {HTMLElement} button
 * @param {string} name
 */
function setName(button, name) {
  button.setAttribute('aria-label', name);
  button.title = name;
}

/** @param {import('../lib/icons.js').IconName} symbol */
function iconButton(symbol) {
  const look = symbol === 'trash' ? 'dangerous' : '';
  return h('button', { type: 'button', class: `btn quiet small square ${look}` }, icon(symbol));
}

/**
 * @param {number | null} value
 * @param {string} placeholder
 */
function weightField(value, placeholder) {
  const field = textField({
    label: 'Weight',
    input: { type: 'number', step: 'any', inputmode: 'decimal', value: value ?? '', placeholder },
  });
  const { control } = field;
  control.addEventListener('input', () => {
    const isMistake = control.value !== '' && !(control.valueAsNumber > 0 && control.valueAsNumber <= 1000);
    control.setCustomValidity(isMistake ? WEIGHT_MISTAKE : '');
  });
  return field;
}

/**
 * @param {HTMLInputElement} control
 * @param {string} value
 */
function setValue(control, value) {
  control.value = value;
  control.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @param {HTMLInputElement} control */
function numberIn(control) {
  return Number.isNaN(control.valueAsNumber) ? null : control.valueAsNumber;
}

/**
 * The parts of the load, from 0 to 1: the model's own first, then those of the fallbacks, null without a weight.
 * @param {HTMLInputElement} own
 * @param {readonly Row[]} rows
 * @returns {(number | null)[] | null} null when the load is not shared
 */
function sharesOf(own, rows) {
  const weights = [numberIn(own) ?? 1, ...rows.map((row) => numberIn(row.weight.control))];
  if (weights.slice(1).every((one) => one === null)) return null;
  const total = weights.reduce((sum, one) => Number(sum) + Number(one ?? 0), 0);
  return weights.map((one) => (one === null ? null : one / Number(total)));
}

/** @param {number | null} share */
function shareText(share) {
  return share === null || !Number.isFinite(share) ? '' : `${Math.round(share * 100)} % of the requests`;
}
