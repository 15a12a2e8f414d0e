/** @import { Unit } from './types.js' */

const NANO = 1e9;
/** Narrow, and no line breaks there. */
const SPACE = '\u202f';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const mills = new Intl.NumberFormat('en', { minimumFractionDigits: 4, maximumFractionDigits: 4 });

/** Nano-dollars: `$12.40`, four decimals below a cent. @type {Unit} */
export const MONEY = {
  value: (nanoUsd) => `$${(nanoUsd > 0 && nanoUsd < NANO / 100 ? mills : cents).format(nanoUsd / NANO)}`,
  tick: (nanoUsd, step) => (nanoUsd === 0 ? '$0' : `$${decimals(nanoUsd / NANO, moneyDigits(step / NANO))}`),
  isSummable: true,
  leastStep: NANO / 10_000,
};

/** Whole numbers: `29,952`. @type {Unit} */
export const COUNT = {
  value: (count) => whole.format(count),
  tick: (count, step) => compact(count, step),
  isSummable: true,
  leastStep: 1,
};

/** Tokens: `35.9 M`. @type {Unit} */
export const TOKENS = { ...COUNT, value: (tokens) => compact(tokens, tokens / 100) };

/** Milliseconds: `820 ms`, `1.86 s`. @type {Unit} */
export const MS = {
  value: (ms) => (ms < 1000 ? `${whole.format(ms)}${SPACE}ms` : `${decimals(ms / 1000, 2)}${SPACE}s`),
  tick: (ms, step) => {
    if (ms === 0) return '0';
    return step < 1000 && ms < 1000
      ? `${whole.format(ms)}${SPACE}ms`
      : `${decimals(ms / 1000, digits(step / 1000))}${SPACE}s`;
  },
  isSummable: false,
  leastStep: 1,
};

/** @param {number} step dollars */
function moneyDigits(step) {
  return step >= 1 ? 0 : Math.max(2, digits(step));
}

/**
 * `950`, `12.5 k`, `1.2 M`, with as many decimals as the step needs.
 * @param {number} value
 * @param {number} step
 */
function compact(value, step) {
  for (const [size, letter] of /** @type {const} */ ([
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (value >= size) return `${decimals(value / size, Math.min(2, digits(step / size)))}${SPACE}${letter}`;
  }
  return whole.format(value);
}

/**
 * The decimals that a step of this size needs.
 * @param {number} step
 */
function digits(step) {
  return step > 0 ? Math.min(4, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))) : 0;
}

/**
 * @param {number} value
 * @param {number} count
 */
function decimals(value, count) {
  return value.toLocaleString('en', { minimumFractionDigits: count, maximumFractionDigits: count });
}
