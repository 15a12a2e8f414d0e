/** Money is counted in whole nano-dollars, so that sums are exact. */
export const NANO_PER_USD = 1_000_000_000;

/** An amount of US dollars in nano-dollars, rounded. */
export function toNanoUsd(usd: number): number {
  return Math.round(usd * NANO_PER_USD);
}

/** An amount of nano-dollars in US dollars. */
export function toUsd(nanoUsd: number): number {
  return nanoUsd / NANO_PER_USD;
}
