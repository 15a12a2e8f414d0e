import { toNanoUsd, toUsd } from '../usage/money.ts';
import type { Price } from './entities.ts';

/** The largest amount in a price, in USD. */
export const PRICE_LIMIT_USD = 1_000_000;

/** The members of a price that are amounts. */
export const PRICE_AMOUNTS = [
  'inputPerMTok',
  'outputPerMTok',
  'cachedInputPerMTok',
  'cacheWritePerMTok',
  'perAudioMinute',
  'perImage',
  'perRequest',
] as const satisfies (keyof Price)[];

/** A price of which nothing is known. */
export const UNKNOWN_PRICE: Price = {
  inputPerMTok: null,
  outputPerMTok: null,
  cachedInputPerMTok: null,
  cacheWritePerMTok: null,
  perAudioMinute: null,
  perImage: null,
  perRequest: null,
  above: null,
};

/**
 * True for an amount that a price may hold: a number from 0 to `PRICE_LIMIT_USD` with at most 9 decimals. Within these bounds
 * the amount is exact in nano-dollars.
 */
export function isPriceAmount(value: unknown): value is number {
  return (
    typeof value === 'number' && value >= 0 && value <= PRICE_LIMIT_USD && toUsd(toNanoUsd(value)) === value
  );
}

/** The amount with 9 decimals that is nearest to a number of USD; null: it is out of bounds. */
export function roundPriceAmount(usd: number): number | null {
  const rounded = toUsd(toNanoUsd(usd));
  return isPriceAmount(rounded) ? rounded : null;
}

/** True if the price says what something costs, apart from long prompts. */
export function isKnownPrice(price: Price): boolean {
  for (const name of PRICE_AMOUNTS) if (price[name] !== null) return true;
  return false;
}
