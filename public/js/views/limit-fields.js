import { money } from '../lib/format.js';
import { h } from '../lib/h.js';
import { NO_LIMITS } from '../lib/limits.js';

/** @typedef {import('../lib/types.js').Limits} Limits */
/** @typedef {import('../lib/form.js').Field} Field */
/**
 * @typedef {{
 *   name: Exclude<keyof Limits, 'budgetPeriod'>, label: string, empty: string, format: (value: any) => string,
 *   parse: (text: string) => unknown, mistake: string,
 * }} SlotOptions empty: what an empty field means
 */

let count = 0;
/** @type {readonly { value: NonNullable<Limits['budgetPeriod']>, label: string }[]} */
const PERIODS = [
  { value: 'day', label: 'a day' },
  { value: 'week', label: 'a week' },
  { value: 'month', label: 'a month' },
  { value: 'total', label: 'in all' },
];
const SUFFIXES = { '': 1, k: 1e3, m: 1e6, b: 1e9 };

/**
 * Limits as sentences with fields in them. An empty field is no limit and says so; a changed one shows its old value.
 * @param {{ limits: Limits | null | undefined, onInput?: () => void }} options
 */
export function limitFields({ limits, onInput }) {
  const before = limits ?? NO_LIMITS;
  const error = h('p', { class: 'field-error', id: `limits-error-${++count}`, hidden: true, role: 'alert' });
  const budgetUsd = slot(
    { name: 'budgetUsd', label: 'Budget in dollars', empty: 'any amount', format: money, ...DOLLARS },
    before.budgetUsd,
  );
  const budgetTokens = slot(counted('budgetTokens', 'Budget in tokens'), before.budgetTokens);
  const rpm = slot(counted('rpm', 'Requests per minute'), before.rpm);
  const tpm = slot(counted('tpm', 'Tokens per minute'), before.tpm);
  const concurrency = slot(
    { ...counted('concurrency', 'Requests at the same time'), empty: 'any number' },
    before.concurrency,
  );
  const warnPercent = slot(
    { ...counted('warnPercent', 'Warn at percent'), empty: '80', mistake: 'Warn at 1 to 100 percent.' },
    before.warnPercent,
  );
  const allowedIps = slot(ADDRESSES, before.allowedIps);
  const period = h(
    'select',
    { class: 'slot', 'aria-label': 'Period' },
    ...PERIODS.map(({ value, label }) => h('option', { value }, label)),
  );
  period.value = before.budgetPeriod ?? 'month';
  const slots = [budgetUsd, budgetTokens, rpm, tpm, concurrency, allowedIps, warnPercent];
  const sentence = h(
    'div',
    { class: 'sentence' },
    h(
      'p',
      null,
      'May spend ',
      ...budgetUsd.nodes,
      ' and use ',
      ...budgetTokens.nodes,
      ' tokens ',
      period,
      ',',
    ),
    h('p', null, 'and send ', ...rpm.nodes, ' requests and ', ...tpm.nodes, ' tokens a minute,'),
    h('p', null, ...concurrency.nodes, ' at the same time, from ', ...allowedIps.nodes, '.'),
    h('p', null, 'Warn at ', ...warnPercent.nodes, ' % of the budget.'),
  );
  const element = h('div', { class: 'stack tight', role: 'group', 'aria-label': 'Limits' }, sentence, error);
  sentence.addEventListener('input', update);
  sentence.addEventListener('change', update);

  function update() {
    for (const one of slots) one.update();
    const wrong = slots.find((one) => one.isWrong() && document.activeElement !== one.control);
    if (wrong === undefined) showError(null);
    onInput?.();
  }

  /** @param {string | null} message @param {HTMLInputElement} [control] */
  function showError(message, control) {
    for (const one of slots) one.control.removeAttribute('aria-invalid');
    error.textContent = message ?? '';
    error.hidden = message === null;
    if (message === null || control === undefined) return;
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', error.id);
  }

  /** @returns {Limits | null} null: no limits */
  function value() {
    const given = Object.fromEntries(slots.map((one) => [one.name, one.value()]));
    if (Object.values(given).every((one) => one === null)) return null;
    const hasBudget = given.budgetUsd !== null || given.budgetTokens !== null;
    const budgetPeriod = hasBudget ? /** @type {Limits['budgetPeriod']} */ (period.value) : null;
    return /** @type {Limits} */ ({ ...NO_LIMITS, ...given, budgetPeriod });
  }

  update();
  return {
    element,
    value,
    /** For forms: one field per limit, so that a mistake is shown. @type {Field[]} */
    fields: slots.map((one) => ({
      element,
      param: `limits.${one.name}`,
      control: one.control,
      setError: (message) => showError(message, one.control),
    })),
    isChanged() {
      const [next, old] = [value() ?? NO_LIMITS, limits ?? NO_LIMITS];
      const names = /** @type {(keyof Limits)[]} */ (Object.keys(NO_LIMITS));
      return (
        slots.some((one) => one.isWrong()) ||
        names.some((name) => JSON.stringify(next[name]) !== JSON.stringify(old[name] ?? null))
      );
    },
    /** Shows the first mistake. @returns {boolean} true when there is none */
    check() {
      const wrong = slots.find((one) => one.isWrong());
      showError(wrong?.mistake ?? null, wrong?.control);
      wrong?.control.focus();
      return wrong === undefined;
    },
  };
}

/**
 * @param {SlotOptions} options
 * @param {unknown} before
 */
function slot({ name, label, empty, format, parse, mistake }, before) {
  const initial = before === null ? '' : format(before);
  const old = h('del', null, initial || empty);
  const was = h('span', { class: 'was small muted num', id: `was-${++count}`, hidden: true }, ' ', old);
  const control = h('input', {
    class: 'slot',
    type: 'text',
    value: initial,
    placeholder: empty,
    'aria-label': label,
    autocomplete: 'off',
    spellcheck: 'false',
    onblur: () => {
      const read = parse(control.value);
      if (control.value.trim() !== '' && read !== undefined) control.value = format(read);
    },
  });
  const read = () => (control.value.trim() === '' ? null : parse(control.value));
  return {
    name,
    control,
    mistake,
    nodes: [control, was],
    isWrong: () => read() === undefined,
    value: () => read() ?? null,
    update() {
      // For browsers that do not fit a field to its content.
      control.setAttribute('size', String(Math.max(control.value.length || empty.length, 2)));
      control.setCustomValidity(read() === undefined ? mistake : '');
      const isChanged = JSON.stringify(read() ?? null) !== JSON.stringify(before ?? null);
      was.hidden = !isChanged;
      if (isChanged) control.setAttribute('aria-describedby', was.id);
      else control.removeAttribute('aria-describedby');
    },
  };
}

const DOLLARS = {
  mistake: 'Enter an amount over 0 in dollars, such as 20 or 0.50, or leave the field empty.',
  /** @param {string} text */
  parse(text) {
    const plain = text
      .trim()
      .replace(/^\$\s*/, '')
      .replaceAll(',', '');
    const value = Number(plain);
    return /^\d*\.?\d+$/.test(plain) && value > 0 && value <= 1_000_000 ? value : undefined;
  },
};

/**
 * @param {SlotOptions['name']} name
 * @param {string} label
 * @returns {SlotOptions}
 */
function counted(name, label) {
  return {
    name,
    label,
    empty: 'any number of',
    format: (value) => new Intl.NumberFormat('en').format(value),
    parse: parseCount,
    mistake: `${label}: enter a whole number over 0, such as 60 or 100k, or leave the field empty.`,
  };
}

/**
 * @param {string} text such as `1,500`, `100k` or `2.5M`
 * @returns {number | undefined} a whole number over 0
 */
export function parseCount(text) {
  const match = /^(\d*\.?\d+)\s*([kmb]?)$/i.exec(text.trim().replaceAll(',', ''));
  if (match === null) return undefined;
  const suffix = /** @type {keyof typeof SUFFIXES} */ (match[2].toLowerCase());
  const value = Number((Number(match[1]) * SUFFIXES[suffix]).toPrecision(12));
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** @type {SlotOptions} */
const ADDRESSES = {
  name: 'allowedIps',
  label: 'Allowed addresses',
  empty: 'any address',
  format: (/** @type {string[]} */ value) => value.join(', '),
  parse(text) {
    const addresses = text.split(/[\s,]+/).filter(Boolean);
    return addresses.length === 0 ? undefined : addresses;
  },
  mistake: 'Enter addresses or networks, such as 192.0.2.7 or 10.0.0.0/8, with commas between them.',
};
