import type { Price } from '../store/entities.ts';
import { PRICE_AMOUNTS } from '../store/price-amounts.ts';

const LARGE_RATIO = 3;

/**
 * True if an amount becomes more than three times as large or as small, or free, or no longer free: then it may be a mistake
 * of the list. Amounts that are known on one side only are not compared.
 */
export function isLargeChange(before: Price | null, after: Price | null): boolean {
  if (before === null || after === null) return false;
  return PRICE_AMOUNTS.some((name) => isLarge(before[name], after[name]));
}

function isLarge(before: number | null, after: number | null): boolean {
  if (before === null || after === null || before === after) return false;
  if (before === 0 || after === 0) return true;
  return before > after * LARGE_RATIO || after > before * LARGE_RATIO;
}
