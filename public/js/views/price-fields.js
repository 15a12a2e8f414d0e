import { requestCost } from '../lib/format.js';
import { h } from '../lib/h.js';
import { icon } from '../lib/icons.js';
import { exampleCost, NO_PRICE, priceText, priceWarnings, sourceText } from '../lib/prices.js';

/** @typedef {import('../lib/types.js').Price} Price */
/** @typedef {import('../lib/types.js').EffectivePrice} EffectivePrice */

let count = 0;

/** @type {readonly [keyof import('../lib/types.js').TokenRates, string][]} */
const RATES = [
  ['inputPerMTok', 'Input'],
  ['outputPerMTok', 'Output'],
  ['cachedInputPerMTok', 'Cached input'],
  ['cacheWritePerMTok', 'Cache write'],
];
/** @type {readonly ['perAudioMinute' | 'perImage' | 'perRequest', string][]} */
const OTHERS = [
  ['perAudioMinute', 'Minute of audio'],
  ['perImage', 'Picture'],
  ['perRequest', 'Request'],
];

/**
 * The fields of a target's own price, with what an example costs and what looks like a mistake.
 * @param {{ price: Price | null | undefined, effective: EffectivePrice | null | undefined, param: string, heading: 'h3' | 'h4' }} options
 *   price: the own one; effective: what counts now; param: `price`, or `fallbacks[0].price`
 */
export function priceFields({ price, effective, param, heading }) {
  const before = price ?? NO_PRICE;
  const fallback = effective && effective.source !== null && effective.source !== 'own' ? effective : null;
  const rates = RATES.map(([name, label]) => amount({ name, label, value: before[name] }));
  const others = OTHERS.map(([name, label]) => amount({ name, label, value: before[name] }));
  const from = tokensField(before.above?.inputTokens ?? null);
  const long = RATES.map(([name, label]) => {
    return amount({ name, label: `Long ${label.toLowerCase()}`, value: before.above?.[name] ?? null });
  });
  const example = h('p', { class: 'grow small' });
  const warnings = h('div', { role: 'status' });
  const copy = h(
    'button',
    { type: 'button', class: 'link-btn small', onclick: takeOver },
    fallback?.source === 'provider' ? 'Start from the provider’s price' : 'Start from the list price',
  );
  const more = h(
    'details',
    { class: 'more' },
    h('summary', { class: 'small' }, 'Audio, pictures and long prompts'),
    h(
      'div',
      { class: 'stack tight' },
      h('div', { class: 'price-grid' }, ...others.map((one) => one.element)),
      h('p', { class: 'hint' }, 'For a whole request whose prompt is longer:'),
      h('div', { class: 'price-grid' }, from.element, ...long.map((one) => one.element)),
    ),
  );
  if (others.some((one) => one.isFilled()) || before.above !== null) more.open = true;
  const element = h(
    'div',
    { class: 'stack tight price-fields', role: 'group', 'aria-label': 'Price' },
    h(heading, null, 'Price'),
    h('p', { class: 'hint' }, hintText(fallback)),
    h('div', { class: 'price-grid' }, ...rates.map((one) => one.element)),
    h('div', { class: 'note' }, icon('info'), example, fallback && copy),
    warnings,
    more,
  );
  const fields = [...rates, ...others, from, ...long];
  element.addEventListener('input', update);

  /** @returns {Price | null} null: no own price */
  function value() {
    if (fields.every((one) => !one.isFilled())) return null;
    const above = [from, ...long].some((one) => one.isFilled())
      ? { inputTokens: from.value(), ...valuesOf(long) }
      : null;
    return /** @type {Price} */ ({ ...NO_PRICE, ...valuesOf(rates), ...valuesOf(others), above });
  }

  function update() {
    const own = value();
    const shown = own ?? fallback;
    for (const one of [...rates, ...others])
      one.placehold(own === null ? (fallback?.[one.name] ?? null) : null);
    copy.hidden = own !== null;
    const cost = shown === null ? null : exampleCost(shown);
    const text = shown === null ? null : priceText(shown);
    example.textContent =
      cost !== null
        ? `1,000 in + 500 out ≈ ${requestCost(cost)}`
        : (text ?? 'Without a price the cost of requests is not known.');
    const mistakes = own === null ? [] : priceWarnings(own);
    warnings.replaceChildren(
      ...(mistakes.length === 0
        ? []
        : [h('div', { class: 'note warn' }, icon('warning'), h('div', null, mistakes.join(' ')))]),
    );
  }

  function takeOver() {
    if (fallback === null) return;
    for (const one of [...rates, ...others]) one.set(fallback[one.name]);
    from.set(fallback.above?.inputTokens ?? null);
    for (const one of long) one.set(fallback.above?.[one.name] ?? null);
    element.dispatchEvent(new Event('input', { bubbles: true }));
    rates[0]?.control.focus();
  }

  /** Names the fields as the API does. @param {string} next */
  function setParam(next) {
    for (const one of [...rates, ...others]) one.param = `${next}.${one.name}`;
    for (const one of [from, ...long]) one.param = `${next}.above.${one.name}`;
  }

  setParam(param);
  update();
  return { element, fields, value, setParam };
}

/** @param {EffectivePrice | null} fallback */
function hintText(fallback) {
  const unit = 'Dollars for a million tokens. 0 is free.';
  if (fallback === null) return unit;
  return `${unit} Left empty, this counts: ${priceText(fallback)} (${sourceText(fallback)}).`;
}

/** @param {readonly { name: string, value: () => number | null }[]} fields */
function valuesOf(fields) {
  return Object.fromEntries(fields.map((one) => [one.name, one.value()]));
}

/**
 * A field for an amount in dollars.
 * @template {string} N
 * @param {{ name: N, label: string, value: number | null }} options
 */
function amount({ name, label, value }) {
  return numberField({ name, label, value, unit: '$', isRight: (number) => number >= 0 });
}

/** @param {number | null} value */
function tokensField(value) {
  return numberField({
    name: 'inputTokens',
    label: 'Longer than',
    value,
    unit: 'tokens',
    isRight: (number) => Number.isInteger(number) && number > 0,
  });
}

/**
 * @template {string} N
 * @param {{ name: N, label: string, value: number | null, unit: string, isRight: (value: number) => boolean }} options
 */
function numberField({ name, label, value, unit, isRight }) {
  const id = `price-${++count}`;
  const error = h('p', { class: 'field-error', id: `${id}-error`, hidden: true });
  const control = h('input', {
    id,
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    value: value === null ? '' : String(value),
    oninput: () => {
      const number = read();
      const isMistake = number !== null && !isRight(number);
      control.setCustomValidity(isMistake ? 'Enter a number such as 2.50.' : '');
      setError(null);
    },
  });
  const read = () => {
    const text = control.value
      .trim()
      .replace(/^\$\s*/, '')
      .replaceAll(',', '');
    return text === '' ? null : Number(text);
  };
  /** @param {string | null} message */
  function setError(message) {
    error.textContent = message ?? '';
    error.hidden = message === null;
    control.setAttribute('aria-invalid', String(message !== null));
    if (message === null) control.removeAttribute('aria-describedby');
    else control.setAttribute('aria-describedby', error.id);
  }
  const mark = h('span', { 'aria-hidden': 'true' }, unit);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    h('div', { class: 'affix' }, ...(unit === '$' ? [mark, control] : [control, mark])),
    error,
  );
  return {
    name,
    element,
    control,
    setError,
    param: '',
    isFilled: () => control.value.trim() !== '',
    value: () => read(),
    /** @param {number | null} next */
    set(next) {
      control.value = next === null ? '' : String(next);
    },
    /** Shows what counts where the field is empty. @param {number | null} next */
    placehold(next) {
      control.placeholder = next === null ? '' : String(next);
    },
  };
}
