import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Price } from '../../src/store/entities.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { isLargeChange } from '../../src/usage/price-change.ts';

const ROWS: readonly (readonly [
  before: Partial<Price> | null,
  after: Partial<Price> | null,
  isLarge: boolean,
])[] = [
  [{ inputPerMTok: 1 }, { inputPerMTok: 3 }, false],
  [{ inputPerMTok: 1 }, { inputPerMTok: 3.000001 }, true],
  [{ inputPerMTok: 3 }, { inputPerMTok: 1 }, false],
  [{ inputPerMTok: 3.1 }, { inputPerMTok: 1 }, true],
  [{ outputPerMTok: 0 }, { outputPerMTok: 0.001 }, true],
  [{ cachedInputPerMTok: 0.001 }, { cachedInputPerMTok: 0 }, true],
  [{ perRequest: 0 }, { perRequest: 0 }, false],
  [{ perImage: 1 }, { perImage: 9, inputPerMTok: 1 }, true],
  [{ inputPerMTok: 1 }, { outputPerMTok: 9 }, false],
  [{ inputPerMTok: 1 }, null, false],
  [null, { inputPerMTok: 1 }, false],
];

for (const [before, after, isLarge] of ROWS) {
  test(`from ${JSON.stringify(before)} to ${JSON.stringify(after)} is ${isLarge ? 'a large' : 'no large'} change`, () => {
    const full = (price: Partial<Price> | null): Price | null =>
      price === null ? null : { ...UNKNOWN_PRICE, ...price };
    assert.equal(isLargeChange(full(before), full(after)), isLarge);
  });
}
