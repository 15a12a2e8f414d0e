import { groupOf } from './traffic-names.js';
import { errorsOf, lastUses, nanoCostOf, SECOND_GROUP, tokensOf } from './usage-data.js';

/**
 * @import { Names } from './traffic-names.js'
 * @import { Figures, GroupName } from './traffic-types.js'
 * @import { UsageAnswer } from './usage-data.js'
 */

/**
 * A line of the table. costNano: in nano-dollars, null where nothing was priced; lastUse: null where it is not known;
 * seconds: the names of what the second group says.
 * @typedef {{
 *   id: string | null, name: string, seconds: string[], requests: number, errors: number, promptTokens: number,
 *   cachedTokens: number, completionTokens: number, costNano: number | null, unpriced: number,
 *   lastUse: { atMs: number, isExact: boolean } | null,
 * }} UsageLine
 */

/**
 * The lines of the table: the rows of a group added up over the second group.
 * @param {UsageAnswer} answer
 * @param {GroupName} group
 * @param {Names} names
 * @returns {UsageLine[]}
 */
export function linesOf(answer, group, names) {
  const second = SECOND_GROUP[group];
  const uses = lastUses(answer, group);
  /** @type {Map<string | null, UsageLine>} */
  const lines = new Map();
  for (const row of answer.lines.data) {
    const { id, name } = groupOf(row, group, names);
    const line = lines.get(id);
    // What a limit refused has no provider; that says nothing of the others.
    const other = second === undefined || row[second] === null ? null : groupOf(row, second, names);
    const seconds = other === null ? [] : [other.name];
    const sums = sumsOf(row);
    if (line === undefined) lines.set(id, { id, name, seconds, ...sums, lastUse: uses.get(id) ?? null });
    else lines.set(id, { ...line, ...added(line, sums), seconds: [...line.seconds, ...seconds] });
  }
  return [...lines.values()];
}

/** @param {Figures} figures */
export function sumsOf(figures) {
  const { requests, promptTokens, cachedTokens, completionTokens, unpricedRequests } = figures;
  return {
    requests,
    errors: errorsOf(figures),
    promptTokens,
    cachedTokens,
    completionTokens,
    costNano: nanoCostOf(figures),
    unpriced: unpricedRequests,
  };
}

/**
 * @param {ReturnType<typeof sumsOf>} one
 * @param {ReturnType<typeof sumsOf>} other
 */
function added(one, other) {
  const isPriced = one.costNano !== null || other.costNano !== null;
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    promptTokens: one.promptTokens + other.promptTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    costNano: isPriced ? (one.costNano ?? 0) + (other.costNano ?? 0) : null,
    unpriced: one.unpriced + other.unpriced,
  };
}

/**
 * What a million tokens really cost, in dollars; null where nothing is to be paid or no tokens were counted.
 * @param {ReturnType<typeof sumsOf>} sums
 */
export function perMillion({ costNano, promptTokens, completionTokens }) {
  const tokens = tokensOf(/** @type {Figures} */ ({ promptTokens, completionTokens }));
  return costNano === null || costNano === 0 || tokens === 0 ? null : costNano / 1000 / tokens;
}
