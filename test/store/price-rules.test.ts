import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isPriceAmount, roundPriceAmount, UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { PROVIDER_PRICES_LIMIT } from '../../src/store/price-rules.ts';
import { MODEL, PROVIDER, readRecord } from '../../src/store/records.ts';
import { toNanoUsd } from '../../src/usage/money.ts';
import { TIME } from './store-contract.ts';

describe('an amount of a price', () => {
  test('is a number of at most nine decimals within bounds', () => {
    for (const right of [0, 0.0375, 1e-9, 2.5, 1_000_000, 999_999.999999999, 0.1 + 0])
      assert.ok(isPriceAmount(right), String(right));
    for (const wrong of [
      -1e-9,
      1e-10,
      0.1 + 0.2,
      1_000_000.000000001,
      Number.NaN,
      Infinity,
      '1',
      null,
      undefined,
      true,
      1n,
    ])
      assert.ok(!isPriceAmount(wrong), String(wrong));
  });

  test('is exact in nano-dollars', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger().filter((count) => count >= 0 && count <= 1e15),
        (count) => {
          const amount = Number(`${count}e-9`);
          assert.ok(isPriceAmount(amount));
          assert.equal(toNanoUsd(amount), count);
          assert.equal(roundPriceAmount(amount), amount);
        },
      ),
    );
  });

  test('is rounded where a provider tells more digits', () => {
    assert.equal(roundPriceAmount(0.06599999999999999), 0.066);
    assert.equal(roundPriceAmount(-1), null);
    assert.equal(roundPriceAmount(Number.NaN), null);
    assert.equal(roundPriceAmount(1e9), null);
  });
});

describe('stored prices', () => {
  const times = { createdAt: TIME, updatedAt: TIME };
  const readModel = (price: unknown) =>
    readRecord(MODEL, { id: 'm', name: 'M', providerId: 'p', enabled: true, ...times, price }, 'models[0]');
  const readProvider = (prices: unknown) => {
    const record = {
      id: 'p',
      name: 'P',
      baseUrl: 'https://p.example',
      type: 'openai',
      enabled: true,
      ...times,
    };
    return readRecord(PROVIDER, { ...record, prices }, 'providers[0]');
  };

  test('have all their members', () => {
    assert.equal(readModel(undefined).price, null);
    assert.deepEqual(readModel({ inputPerMTok: 1 }).price, { ...UNKNOWN_PRICE, inputPerMTok: 1 });
    const rates = {
      inputPerMTok: null,
      outputPerMTok: null,
      cachedInputPerMTok: null,
      cacheWritePerMTok: null,
    };
    assert.deepEqual(readModel({ above: { inputTokens: 5 } }).price?.above, { ...rates, inputTokens: 5 });
    assert.deepEqual(readProvider(undefined).prices, {});
    const entry = { price: { perImage: 1 }, asOf: TIME };
    const stored = JSON.parse(`{"__proto__":${JSON.stringify(entry)}}`);
    const { prices } = readProvider(stored);
    assert.deepEqual(Object.entries(prices), [
      ['__proto__', { price: { ...UNKNOWN_PRICE, perImage: 1 }, asOf: TIME }],
    ]);
  });

  for (const [price, problem] of [
    [5, /price is not an object/],
    [{ inputPerMTok: -1 }, /price\.inputPerMTok is not a number of USD/],
    [{ perRequest: '1' }, /price\.perRequest is not a number of USD/],
    [{ above: 5 }, /price\.above is not an object/],
    [{ above: {} }, /price\.above\.inputTokens is not a whole number/],
    [{ above: { inputTokens: 1, outputPerMTok: 1e7 } }, /price\.above\.outputPerMTok is not/],
  ] as const) {
    test(`of a model are refused as ${JSON.stringify(price)}`, () => {
      assert.throws(() => readModel(price), problem);
    });
  }

  const many = Object.fromEntries(
    Array.from({ length: PROVIDER_PRICES_LIMIT + 1 }, (_, index) => [`m${index}`, { price: {}, asOf: TIME }]),
  );
  for (const [name, prices, problem] of [
    ['a list', [], /prices is not an object/],
    ['too many', many, /prices is not an object of at most 2000 prices/],
    ['a long name', { ['x'.repeat(513)]: { price: {}, asOf: TIME } }, /prices is not an object/],
    ['no price', { m: { asOf: TIME } }, /prices\.m\.price is not an object/],
    ['no date', { m: { price: {} } }, /prices\.m\.asOf is not a time/],
    ['a wrong amount', { m: { price: { perImage: true }, asOf: TIME } }, /prices\.m\.price\.perImage is not/],
  ] as const) {
    test(`of a provider are refused with ${name}`, () => {
      assert.throws(() => readProvider(prices), problem);
    });
  }
});
