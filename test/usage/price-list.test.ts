import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnownPrice, isPriceAmount } from '../../src/store/price-amounts.ts';
import { PROMPT_TOKENS } from '../../src/store/price-rules.ts';
import { listPrices, PRICE_LIST_AS_OF, pricesOfHost } from '../../src/usage/price-list.ts';

/** More than any of these models costs: a slip of the decimal point is wrong at least here. */
const DEAR_USD = 200;

test('every price of the list is complete and plausible', () => {
  const prices = listPrices();
  assert.ok(prices.length >= 100);
  for (const { host, model, grade, price } of prices) {
    const label = `${host} ${model}`;
    assert.match(host, /^[a-z0-9.-]+\.[a-z]+$/, label);
    assert.match(model, /^[\w./:-]+$/, label);
    assert.match(grade, /^[ABC]$/, label);
    assert.ok(isKnownPrice(price), label);
    const { above, ...amounts } = price;
    for (const amount of Object.values(amounts))
      assert.ok(amount === null || (isPriceAmount(amount) && amount > 0 && amount <= DEAR_USD), label);
    const { inputPerMTok, outputPerMTok, cachedInputPerMTok, cacheWritePerMTok } = price;
    if (inputPerMTok === null) continue;
    assert.ok(outputPerMTok === null || outputPerMTok >= inputPerMTok, label);
    assert.ok(cachedInputPerMTok === null || cachedInputPerMTok < inputPerMTok, label);
    assert.ok(cacheWritePerMTok === null || cacheWritePerMTok > inputPerMTok, label);
    if (above === null) continue;
    assert.ok(PROMPT_TOKENS.isRight(above.inputTokens), label);
    assert.ok((above.inputPerMTok ?? 0) > inputPerMTok, label);
    assert.ok((above.outputPerMTok ?? 0) > (outputPerMTok ?? 0), label);
    // Otherwise cached input would cost more in long prompts than it does by the vendor's list.
    assert.equal(above.cachedInputPerMTok === null, cachedInputPerMTok === null, label);
    assert.equal(above.cacheWritePerMTok === null, cacheWritePerMTok === null, label);
  }
});

test('no model is listed twice, and hosts are looked up exactly', () => {
  const names = listPrices().map(({ host, model }) => `${host} ${model}`);
  assert.equal(new Set(names).size, names.length);
  assert.equal(pricesOfHost('openai.com'), undefined);
  assert.equal(pricesOfHost('constructor'), undefined);
  assert.equal(pricesOfHost('api.cohere.ai')?.get('command-a-03-2025')?.host, 'api.cohere.ai');
});

test('lines are read as they are written', () => {
  const at = (host: string, model: string): unknown => pricesOfHost(host)?.get(model)?.price;
  assert.deepEqual(at('api.openai.com', 'gpt-5.6-terra'), {
    inputPerMTok: 2,
    outputPerMTok: 12,
    cachedInputPerMTok: 0.2,
    cacheWritePerMTok: 2.5,
    perAudioMinute: null,
    perImage: null,
    perRequest: null,
    above: {
      inputTokens: 272_000,
      inputPerMTok: 4,
      outputPerMTok: 18,
      cachedInputPerMTok: 0.4,
      cacheWritePerMTok: 5,
    },
  });
  assert.deepEqual(at('api.openai.com', 'whisper-1'), {
    inputPerMTok: null,
    outputPerMTok: null,
    cachedInputPerMTok: null,
    cacheWritePerMTok: null,
    perAudioMinute: 0.006,
    perImage: null,
    perRequest: null,
    above: null,
  });
  assert.equal(new Date(PRICE_LIST_AS_OF).toISOString(), PRICE_LIST_AS_OF);
});
