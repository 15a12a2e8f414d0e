import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Price } from '../../src/store/entities.ts';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { PRICE_LIST_AS_OF } from '../../src/usage/price-list.ts';
import { costOf, costOfCall, effectivePriceOf, priceOf } from '../../src/usage/prices.ts';
import { NO_USAGE, type Usage } from '../../src/usage/usage.ts';
import { makeProvider } from '../helpers/records.ts';
import { slowCostOf } from './slow-cost.ts';

const price = (fields: Partial<Price>): Price => ({ ...UNKNOWN_PRICE, ...fields });
const usage = (fields: Partial<Usage>): Usage => ({ ...NO_USAGE, ...fields });

const CHAT = price({ inputPerMTok: 2.5, outputPerMTok: 10 });
const CACHES = price({ ...CHAT, cachedInputPerMTok: 0.25, cacheWritePerMTok: 3.125 });
const RATES = { inputPerMTok: null, outputPerMTok: null, cachedInputPerMTok: null, cacheWritePerMTok: null };
const TIERED = price({
  ...CACHES,
  above: { ...RATES, inputTokens: 1000, inputPerMTok: 5, outputPerMTok: 15 },
});
const LONG = { promptTokens: 1001, completionTokens: 1 };

const COSTS: readonly (readonly [name: string, Price, Partial<Usage>, number | null])[] = [
  ['input and output', CHAT, { promptTokens: 1000, completionTokens: 500 }, 7_500_000],
  ['a price of a few decimals, exactly', price({ inputPerMTok: 0.0375 }), { promptTokens: 1 }, 38],
  ['one of its tokens rounded half up', price({ inputPerMTok: 0.0005 }), { promptTokens: 1 }, 1],
  ['below half', price({ inputPerMTok: 0.0004 }), { promptTokens: 1 }, 0],
  [
    'rounded once, not for each part',
    price({ inputPerMTok: 0.0004, outputPerMTok: 0.0004 }),
    { promptTokens: 1, completionTokens: 1 },
    1,
  ],
  [
    '0.1 + 0.2 without a rest',
    price({ inputPerMTok: 0.1, outputPerMTok: 0.2 }),
    { promptTokens: 1e6, completionTokens: 1e6 },
    300_000_000,
  ],
  [
    'null for cached: as input',
    CHAT,
    { promptTokens: 1000, cachedTokens: 1000, completionTokens: 0 },
    2_500_000,
  ],
  ['null for writing: as input', CHAT, { promptTokens: 1000, cacheWriteTokens: 400 }, 2_500_000],
  [
    'cached and written tokens are part of the prompt',
    CACHES,
    { promptTokens: 1000, cachedTokens: 600, cacheWriteTokens: 300, completionTokens: 0 },
    100 * 2500 + 600 * 250 + 300 * 3125,
  ],
  [
    'more cached tokens than prompt count as the prompt',
    CACHES,
    { promptTokens: 10, cachedTokens: 50, cacheWriteTokens: 9 },
    2500,
  ],
  [
    'reasoning is part of the answer',
    CHAT,
    { promptTokens: 0, completionTokens: 10, reasoningTokens: 9 },
    100_000,
  ],
  ['exactly at `above`', TIERED, { ...LONG, promptTokens: 1000 }, 2_510_000],
  ['greater: the whole call', TIERED, LONG, 1001 * 5000 + 15_000],
  [
    'null in `above`: its input',
    TIERED,
    { ...LONG, cachedTokens: 1000, cacheWriteTokens: 1 },
    1001 * 5000 + 15_000,
  ],
  [
    'all members of `above`',
    price({
      ...CACHES,
      above: {
        inputTokens: 1000,
        inputPerMTok: 1,
        outputPerMTok: 2,
        cachedInputPerMTok: 3,
        cacheWritePerMTok: 4,
      },
    }),
    { ...LONG, cachedTokens: 10, cacheWriteTokens: 20 },
    971 * 1000 + 2000 + 30_000 + 80_000,
  ],
  [
    'null in `above` for the answer: its input',
    price({ ...CHAT, above: { ...RATES, inputTokens: 1000, inputPerMTok: 5 } }),
    LONG,
    1002 * 5000,
  ],
  [
    'nothing in `above`: the input below',
    price({ ...CHAT, above: { ...RATES, inputTokens: 1000 } }),
    LONG,
    1002 * 2500,
  ],
  ['embeddings have no answer', price({ inputPerMTok: 0.02 }), { promptTokens: 8, completionTokens: 0 }, 160],
  ['a free model', price({ inputPerMTok: 0, outputPerMTok: 0 }), { promptTokens: 8, completionTokens: 8 }, 0],
  ['no tokens at all', CHAT, { promptTokens: 0, completionTokens: 0 }, 0],
  [
    'tokens that only the other side prices',
    price({ inputPerMTok: 1 }),
    { promptTokens: 8, completionTokens: 8 },
    null,
  ],
  ['no price', UNKNOWN_PRICE, { promptTokens: 8, completionTokens: 8, audioSeconds: 5, images: 1 }, null],
  ['no usage that is priced', CHAT, { audioSeconds: 5, images: 1 }, null],
  ['minutes', price({ perAudioMinute: 0.006 }), { audioSeconds: 90 }, 9_000_000],
  ['minutes, to the millisecond', price({ perAudioMinute: 0.006 }), { audioSeconds: 0.0014 }, 100],
  [
    'tokens before minutes',
    price({ ...CHAT, perAudioMinute: 1 }),
    { promptTokens: 1, audioSeconds: 60 },
    2500,
  ],
  [
    'minutes where the tokens have no price',
    price({ perAudioMinute: 1 }),
    { promptTokens: 1, audioSeconds: 60 },
    1e9,
  ],
  [
    'minutes where a side of the tokens has none',
    price({ inputPerMTok: 1, perAudioMinute: 1 }),
    { promptTokens: 1, completionTokens: 1, audioSeconds: 60 },
    1e9,
  ],
  ['pictures', price({ perImage: 0.04 }), { images: 3 }, 120_000_000],
  [
    'minutes before pictures',
    price({ perAudioMinute: 1, perImage: 1 }),
    { images: 3, audioSeconds: 30 },
    5e8,
  ],
  ['a request beside tokens', price({ ...CHAT, perRequest: 0.005 }), { promptTokens: 1000 }, 7_500_000],
  ['a request alone', price({ perRequest: 0.005 }), { promptTokens: 1000 }, 5_000_000],
  ['a request without any usage', price({ perRequest: 0.005 }), {}, 5_000_000],
  ['a free request', price({ perRequest: 0 }), { promptTokens: 1 }, 0],
  [
    'more than numbers hold exactly',
    price({ inputPerMTok: 1e6 }),
    { promptTokens: 1e12 },
    Number.MAX_SAFE_INTEGER,
  ],
];

describe('the cost of a usage', () => {
  for (const [name, at, used, expected] of COSTS) {
    test(name, () => assert.equal(costOf(at, usage(used)), expected));
  }

  test('what the provider reports stands above the price', () => {
    const used = { price: CHAT, source: 'own' } as const;
    const reported = usage({ promptTokens: 1000, costNanoUsd: 7 });
    assert.equal(costOfCall(used, reported), 7);
    assert.equal(costOfCall(null, reported), 7);
    assert.equal(costOfCall(used, usage({ promptTokens: 1000, costNanoUsd: 0 })), 0);
    assert.equal(costOfCall(used, usage({ promptTokens: 1000 })), 2_500_000);
    assert.equal(costOfCall(null, usage({ promptTokens: 1000 })), null);
    assert.equal(costOfCall(used, null), null);
  });

  test('is what exact arithmetic says', () => {
    const nano = fc.oneof(fc.integer({ min: 0, max: 5e9 }), fc.integer({ min: 0, max: 1e15 }));
    const amount = fc.option(nano.map((count) => count / 1e9));
    const tokens = fc.option(fc.oneof(fc.nat(10), fc.nat(2_000_000)));
    const rates = {
      inputPerMTok: amount,
      outputPerMTok: amount,
      cachedInputPerMTok: amount,
      cacheWritePerMTok: amount,
    };
    const above = fc.option(fc.record({ ...rates, inputTokens: fc.integer({ min: 1, max: 1_000_000 }) }));
    const prices = fc.record({
      ...rates,
      perAudioMinute: amount,
      perImage: amount,
      perRequest: amount,
      above,
    });
    const usages = fc.record({
      ...NO_USAGE_ARBITRARIES,
      promptTokens: tokens,
      cachedTokens: tokens,
      cacheWriteTokens: tokens,
      completionTokens: tokens,
      audioSeconds: fc.option(fc.nat(36_000_000).map((ms) => ms / 1000)),
      images: fc.option(fc.nat(10)),
    });
    fc.assert(
      fc.property(prices, usages, (at, used) => assert.equal(costOf(at, used), slowCostOf(at, used))),
      { numRuns: 3000 },
    );
  });
});

const NO_USAGE_ARBITRARIES = {
  reasoningTokens: fc.constant(null),
  costNanoUsd: fc.constant(null),
  isEstimated: fc.constant(false),
};

describe('the price of a target', () => {
  const own = price({ inputPerMTok: 1 });
  const told = price({ inputPerMTok: 2 });
  const modelPrice = price({ inputPerMTok: 3 });
  const asOf = '2026-01-01T00:00:00.000Z';
  const provider = (baseUrl: string, prices = {}) => makeProvider({ id: 'p', baseUrl, prices });
  const openai = provider('https://api.openai.com/v1');
  const target = { own: null, modelPrice: null, provider: openai, upstreamModel: 'gpt-4o' };
  const taken = provider('https://api.openai.com/v1', { 'gpt-4o': { price: told, asOf } });

  test('is its own, else the provider’s, else the list’s, else the model’s own', () => {
    assert.deepEqual(priceOf({ ...target, own, modelPrice, provider: taken }), { price: own, source: 'own' });
    assert.deepEqual(priceOf({ ...target, modelPrice, provider: taken }), {
      price: told,
      source: 'provider',
    });
    const listed = priceOf({ ...target, modelPrice });
    assert.deepEqual([listed?.source, listed?.price.outputPerMTok], ['list', 10]);
    const unlisted = { ...target, modelPrice, upstreamModel: 'gpt-4o-mine' };
    assert.deepEqual(priceOf(unlisted), { price: modelPrice, source: 'own' });
    assert.equal(priceOf({ ...unlisted, modelPrice: null }), null);
  });

  test('is not a price of which nothing is known', () => {
    const empty = provider('https://x.example', { m: { price: UNKNOWN_PRICE, asOf } });
    const nothing = { own: UNKNOWN_PRICE, modelPrice: UNKNOWN_PRICE, provider: empty, upstreamModel: 'm' };
    assert.equal(priceOf(nothing), null);
  });

  for (const [baseUrl, isListed] of [
    ['https://api.openai.com', true],
    ['https://API.OpenAI.com/v1/', true],
    ['http://api.openai.com:80/x', true],
    ['https://api.openai.com:8443/v1', false],
    ['https://eu.api.openai.com/v1', false],
    ['https://api.openai.com.evil.example/v1', false],
    ['https://proxy.example/api.openai.com', false],
    ['not a url', false],
    ['', false],
  ] as const) {
    test(`${isListed ? 'is listed' : 'is not listed'} for ${baseUrl || 'no address'}`, () => {
      assert.equal(priceOf({ ...target, provider: provider(baseUrl) }) !== null, isListed);
    });
  }

  test('is found by the exact id only', () => {
    for (const upstreamModel of [
      'gpt-4',
      'gpt-4o-',
      'GPT-4o',
      'openai/gpt-4o',
      '__proto__',
      'constructor',
      '*',
    ])
      assert.equal(priceOf({ ...target, upstreamModel }), null, upstreamModel);
  });

  test('is shown with its origin and date', () => {
    const shown = (fields: object): unknown[] => {
      const { source, asOf, inputPerMTok } = effectivePriceOf({ ...target, ...fields });
      return [source, asOf, inputPerMTok];
    };
    assert.deepEqual(shown({ own }), ['own', null, 1]);
    assert.deepEqual(shown({ provider: taken }), ['provider', asOf, 2]);
    assert.deepEqual(shown({}), ['list', PRICE_LIST_AS_OF, 2.5]);
    assert.deepEqual(shown({ upstreamModel: 'x' }), [null, null, null]);
  });
});
