import { plural } from '../lib/format.js';
import { h } from '../lib/h.js';

/**
 * What a restore would change, in words; the report's own names are shown, so that nothing in it is passed over.
 * @param {any} report
 */
export function restoreReport(report) {
  const rows = Object.entries(report ?? {}).flatMap(([name, value]) => describe(words(name), value));
  return h(
    'div',
    { class: 'stack tight' },
    h('h3', null, 'What would change'),
    rows.length === 0
      ? h('p', null, 'Nothing: the file holds what is here already.')
      : h('dl', { class: 'facts' }, ...rows),
  );
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {HTMLElement[]}
 */
function describe(name, value) {
  if (value === null || value === undefined || typeof value === 'boolean') return [];
  if (Array.isArray(value)) return value.length === 0 ? [] : [row(name, list(value))];
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([part, inner]) =>
      describe(`${name}, ${words(part).toLowerCase()}`, inner),
    );
  }
  return value === 0 ? [] : [row(name, String(value))];
}

/** @param {unknown[]} values */
function list(values) {
  const names = values.slice(0, 12).map(label);
  const rest = values.length - names.length;
  return `${names.join(', ')}${rest > 0 ? ` and ${plural(rest, 'more', 'more')}` : ''}`;
}

/** @param {unknown} value */
function label(value) {
  if (typeof value !== 'object' || value === null) return String(value);
  return String(
    Reflect.get(value, 'name') ??
      Reflect.get(value, 'username') ??
      Reflect.get(value, 'id') ??
      JSON.stringify(value),
  );
}

/** `apiKeys` as `Api keys`. @param {string} name */
function words(name) {
  const spaced = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/**
 * @param {string} term
 * @param {string} text
 */
function row(term, text) {
  return h('div', null, h('dt', null, term), h('dd', { class: 'wrap-anywhere' }, text));
}
