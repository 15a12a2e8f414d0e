import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { priceReaderOf } from '../../src/providers/model-prices.ts';
import type { Price } from '../../src/store/entities.ts';
import { isPriceAmount, UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';

const price = (fields: Partial<Price>): Price => ({ ...UNKNOWN_PRICE, ...fields });
const OPENROUTER = 'openrouter.ai';
const CHUTES = 'llm.chutes.ai';
const VERCEL = 'ai-gateway.vercel.sh';
const BASE = { prompt: '0.0000025', completion: '0.00001' };

const ROWS: readonly (readonly [name: string, host: string, pricing: unknown, expected: Price | null])[] = [
  [
    'OpenRouter, USD per token as text',
    OPENROUTER,
    {
      ...BASE,
      input_cache_read: '0.00000125',
      input_cache_write: '0',
      request: '0',
      image: '0.003',
      web_search: '0.01',
    },
    price({ inputPerMTok: 2.5, outputPerMTok: 10, cachedInputPerMTok: 1.25, cacheWritePerMTok: 0 }),
  ],
  ['a price of a few digits', OPENROUTER, { prompt: '0.0000000375' }, price({ inputPerMTok: 0.0375 })],
  [
    'an exponent',
    OPENROUTER,
    { prompt: '3.75e-8', completion: '5E-7' },
    price({ inputPerMTok: 0.0375, outputPerMTok: 0.5 }),
  ],
  [
    'a free model',
    OPENROUTER,
    { prompt: '0', completion: '0' },
    price({ inputPerMTok: 0, outputPerMTok: 0 }),
  ],
  [
    'a price of a request',
    OPENROUTER,
    { ...BASE, request: '0.005' },
    price({ inputPerMTok: 2.5, outputPerMTok: 10, perRequest: 0.005 }),
  ],
  ['a dynamic price', OPENROUTER, { prompt: '-1', completion: '-1' }, null],
  ['a price that is dynamic in part', OPENROUTER, { prompt: '0.1', completion: '-1' }, null],
  [
    'a price of long prompts',
    OPENROUTER,
    {
      ...BASE,
      input_cache_read: '0.000001',
      overrides: [
        { utc_start: '01:00', prompt: '9' },
        { min_prompt_tokens: 200_001, prompt: '0.000005' },
      ],
    },
    price({
      inputPerMTok: 2.5,
      outputPerMTok: 10,
      cachedInputPerMTok: 1,
      above: {
        inputTokens: 200_000,
        inputPerMTok: 5,
        outputPerMTok: 10,
        cachedInputPerMTok: 1,
        cacheWritePerMTok: null,
      },
    }),
  ],
  [
    'overrides in another form',
    OPENROUTER,
    { ...BASE, overrides: [null, {}, { min_prompt_tokens: '5' }] },
    price({ inputPerMTok: 2.5, outputPerMTok: 10 }),
  ],
  ['rubbish in the members', OPENROUTER, { prompt: 'free', completion: {}, request: null }, null],
  ['a text that is no number', OPENROUTER, { prompt: '0x10', completion: ' 1', input_cache_read: '' }, null],
  [
    'more than a price may be',
    OPENROUTER,
    { prompt: '2', completion: '0.000001' },
    price({ outputPerMTok: 1 }),
  ],
  ['no object', OPENROUTER, '0.5', null],
  ['nothing', OPENROUTER, undefined, null],
  [
    'Chutes, USD per million as numbers',
    CHUTES,
    { prompt: 0.66, completion: 3.5, input_cache_read: 0.06599999999999999 },
    price({ inputPerMTok: 0.66, outputPerMTok: 3.5, cachedInputPerMTok: 0.066 }),
  ],
  [
    'Vercel',
    VERCEL,
    { input: '0.000003', output: '0.000015', input_cache_read: '0.0000003' },
    price({ inputPerMTok: 3, outputPerMTok: 15, cachedInputPerMTok: 0.3 }),
  ],
];

describe('the price in an entry of a list', () => {
  for (const [name, host, pricing, expected] of ROWS) {
    test(name, () => assert.deepEqual(priceReaderOf(host)?.({ id: 'm', pricing }), expected));
  }

  test('is read at hosts with a documented form only', () => {
    for (const host of [
      'api.openai.com',
      'api.openrouter.ai',
      'openrouter.ai:8443',
      'chutes.ai',
      'constructor',
    ])
      assert.equal(priceReaderOf(host), undefined, host);
  });

  test('takes an amount that cannot be written as text for none', () => {
    const read = priceReaderOf(OPENROUTER)?.({
      pricing: { prompt: '0.000001', completion: { toString: null } },
    });
    assert.equal(read?.inputPerMTok, 1);
    assert.equal(read?.outputPerMTok, null);
  });

  test('holds nothing but amounts, whatever stands there', () => {
    const value = fc.oneof(fc.anything(), fc.double().map(String), fc.string());
    const names = [
      'prompt',
      'completion',
      'input_cache_read',
      'input_cache_write',
      'request',
      'overrides',
      'input',
    ];
    const pricing = fc.record(Object.fromEntries(names.map((name) => [name, value])));
    fc.assert(
      fc.property(fc.constantFrom(OPENROUTER, CHUTES, VERCEL), pricing, (host, given) => {
        const read = priceReaderOf(host)?.({ pricing: given }) ?? UNKNOWN_PRICE;
        const { above, ...amounts } = read;
        for (const amount of [...Object.values(amounts), ...Object.values(above ?? {})])
          assert.ok(amount === null || isPriceAmount(amount) || amount === above?.inputTokens);
      }),
    );
  });
});
