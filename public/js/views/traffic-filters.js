import { api } from '../lib/api.js';
import { createFilterChips } from '../lib/filter-chips.js';
import { compact } from '../lib/format.js';
import { groupOf, OUTCOMES } from './traffic-names.js';

/** @import { FilterName, TrafficFilters, UsageReport } from './traffic-types.js' */

/** @type {readonly { id: FilterName, label: string }[]} */
const FILTERS = [
  { id: 'provider', label: 'Provider' },
  { id: 'model', label: 'Model' },
  { id: 'key', label: 'Key' },
  { id: 'user', label: 'User' },
  { id: 'outcome', label: 'Outcome' },
  { id: 'endpoint', label: 'Endpoint' },
];

/**
 * The filters in the address.
 * @param {import('../lib/url-state.js').UrlState} url
 */
export function readFilters(url) {
  /** @type {TrafficFilters} */
  const filters = {};
  for (const { id } of FILTERS) {
    const value = url.get(id);
    if (value) filters[id] = value;
  }
  return filters;
}

/** Takes all filters off but the time. @param {import('../lib/url-state.js').UrlState} url */
export function clearFilters(url) {
  url.set({ ...Object.fromEntries(FILTERS.map(({ id }) => [id, null])), search: null });
}

/**
 * The chips of Usage and Requests. Their choices are what was used in the given time.
 * @param {{
 *   url: import('../lib/url-state.js').UrlState, names: import('./traffic-names.js').Names,
 *   time: () => Record<string, string>, before?: readonly import('../lib/filter-chips.js').Filter[],
 *   onBefore?: (id: string, values: string[]) => void, end?: import('../lib/h.js').Child,
 * }} options time: `from` and `to` of the API; before: more filters, in front, which `onBefore` hears of
 */
export function createTrafficFilters({ url, names, time, before = [], onBefore, end }) {
  /** @param {FilterName} kind */
  async function choices(kind) {
    if (kind === 'outcome') return [...OUTCOMES].map(([value, label]) => ({ value, label }));
    const others = { ...readFilters(url), [kind]: undefined };
    const query = queryOf({ ...time(), ...others, groupBy: kind });
    const { data } = /** @type {UsageReport} */ (await api.get(`/api/admin/usage?${query}`));
    return data.flatMap((row) => {
      const { id, name } = groupOf(row, kind, names);
      return id === null ? [] : [{ value: id, label: name, detail: compact(row.requests) }];
    });
  }
  const chips = createFilterChips({
    label: 'Filters',
    filters: [
      ...before,
      ...FILTERS.map(({ id, label }) => ({
        id,
        label,
        choices: () => choices(id),
        nameOf: (/** @type {string} */ value) => names.of(id, value),
      })),
    ],
    values: {},
    onChange: (id, values) => {
      if (before.some((filter) => filter.id === id)) onBefore?.(id, values);
      else url.set({ [id]: values });
    },
    end,
  });
  return {
    element: chips.element,
    /** Shows what the address says. @param {Record<string, readonly string[]>} [more] of the filters in front */
    show(more = {}) {
      const given = Object.entries(readFilters(url)).map(([id, value]) => [id, [value]]);
      chips.set({ ...Object.fromEntries(given), ...more });
    },
  };
}

/**
 * A query string; null, undefined and empty values are left out.
 * @param {Record<string, string | number | null | undefined>} values
 */
export function queryOf(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value));
  return query.toString();
}
