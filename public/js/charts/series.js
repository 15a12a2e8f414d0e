/** @import { ChartData, Series, SeriesInput, Unit } from './types.js' */

/** More colours cannot be told apart. */
const MOST_SERIES = 5;

/**
 * The largest five series and the sum of the others, largest first and Other last. Parts always add up to the whole.
 * A unit that cannot be summed has no Other: the five largest stay.
 * @param {readonly SeriesInput[]} inputs
 * @param {Unit} unit
 * @returns {Series[]}
 */
export function foldSeries(inputs, { isSummable }) {
  const all = inputs.map(toSeries).sort((a, b) => b.sum - a.sum || (a.id < b.id ? -1 : 1));
  const named = all.filter((series) => !series.isOther && !series.isBad);
  const rest = [...named.slice(MOST_SERIES), ...all.filter((series) => series.isOther)];
  const kept = [...named.slice(0, MOST_SERIES), ...all.filter((series) => series.isBad && !series.isOther)];
  if (rest.length === 0 || !isSummable) return kept;
  const values = (rest[0]?.values ?? []).map((_, index) => totalAt(rest, index));
  const sum = rest.reduce((total, series) => total + series.sum, 0);
  const ids = rest.flatMap((series) => series.ids);
  return [...kept, { id: 'other', name: 'Other', values, isOther: true, isBad: false, ids, sum }];
}

/**
 * The sum of the series in one bucket; null where none has data.
 * @param {readonly Series[]} series
 * @param {number} index
 * @returns {number | null}
 */
export function totalAt(series, index) {
  let total = null;
  for (const { values } of series) {
    const value = values[index] ?? null;
    if (value !== null) total = (total ?? 0) + value;
  }
  return total;
}

/**
 * The largest total (stacked) or the largest value (lines).
 * @param {readonly Series[]} series
 * @param {number} count of the buckets
 * @param {boolean} isStacked
 */
export function largest(series, count, isStacked) {
  let max = 0;
  for (let index = 0; index < count; index++) {
    if (isStacked) max = Math.max(max, totalAt(series, index) ?? 0);
    else for (const { values } of series) max = Math.max(max, values[index] ?? 0);
  }
  return max;
}

/**
 * The parts of one bar from the bottom up, in pixels. Between two parts lies one pixel of ground; every value above 0 is seen.
 * @param {readonly Series[]} series
 * @param {number} index
 * @param {(value: number) => number} y
 * @returns {{ series: number, y: number, height: number }[]}
 */
export function stackParts(series, index, y) {
  const parts = [];
  let below = 0;
  for (const [number, { values }] of series.entries()) {
    const value = values[index] ?? 0;
    if (value <= 0) continue;
    const gap = below === 0 ? 0 : 1;
    const bottom = y(below) - gap;
    below += value;
    const height = Math.max(1, bottom - y(below));
    parts.push({ series: number, y: bottom - height, height });
  }
  return parts;
}

/**
 * `12 %`; `<1 %` for what is there but small.
 * @param {number} value
 * @param {number} total
 */
export function share(value, total) {
  if (total <= 0) return '';
  const percent = Math.round((value / total) * 100);
  return percent === 0 && value > 0 ? '<1\u202f%' : `${percent}\u202f%`;
}

/**
 * What the legend says while series are hidden; empty while all are shown.
 * @param {readonly Series[]} series
 * @param {ReadonlySet<string>} hidden
 * @param {Unit} unit
 */
export function shownPart(series, hidden, unit) {
  const shown = series.filter(({ id }) => !hidden.has(id));
  if (shown.length === series.length) return '';
  if (!unit.isSummable) return `${shown.length} of ${series.length} shown`;
  const sum = (/** @type {readonly Series[]} */ list) => list.reduce((total, one) => total + one.sum, 0);
  return `${unit.value(sum(shown))} of ${unit.value(sum(series))} shown`;
}

/**
 * The name of the whole chart: its title, the sum, and where it is highest.
 * @param {Pick<ChartData, 'title' | 'unit'>} data
 * @param {readonly Series[]} series
 * @param {readonly string[]} names of the buckets
 */
export function summary({ title, unit }, series, names) {
  const isStacked = unit.isSummable;
  const max = largest(series, names.length, isStacked);
  const at = names.findIndex((_, index) =>
    isStacked ? totalAt(series, index) === max : series.some(({ values }) => values[index] === max),
  );
  if (!hasData(series)) return `${title}: no data`;
  const sum = unit.value(series.reduce((total, one) => total + one.sum, 0));
  const highest = max > 0 && at >= 0 ? `highest ${unit.value(max)}, ${names[at]}` : 'nothing above zero';
  return isStacked ? `${title}: ${sum}, ${highest}` : `${title}: ${highest}`;
}

/** @param {readonly Series[]} series */
function hasData(series) {
  return series.some(({ values }) => values.some((value) => value !== null));
}

/**
 * @param {SeriesInput} input
 * @returns {Series}
 */
function toSeries({ id, name, values, isOther = false, isBad = false }) {
  let sum = 0;
  for (const value of values) sum += value ?? 0;
  return { id, name, values, isOther, isBad, ids: [id], sum };
}
