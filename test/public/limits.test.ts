import assert from 'node:assert/strict';
import { test } from 'node:test';

type Fields = Record<string, unknown>;
interface Row {
  label: string;
  value: string;
  origin: string;
}

const folder = new URL('../../public/js/', import.meta.url);
const limits: Fields = await import(new URL('lib/limits.js', folder).href);
const prices: Fields = await import(new URL('lib/prices.js', folder).href);
const fields: Fields = await import(new URL('views/limit-fields.js', folder).href);
const NO_LIMITS = limits['NO_LIMITS'] as Fields;
const NO_PRICE = prices['NO_PRICE'] as Fields;
const budgetOf = limits['budgetOf'] as (owner: Fields) => Fields | null;
const periodText = limits['periodText'] as (usage: Fields) => string;
const effectiveLimits = limits['effectiveLimits'] as (key: Fields, user: Fields | null) => Row[];
const priceText = prices['priceText'] as (price: Fields | null) => string | null;
const exampleCost = prices['exampleCost'] as (price: Fields) => number | null;
const priceWarnings = prices['priceWarnings'] as (price: Fields) => string[];
const isUnpriced = prices['isUnpriced'] as (model: Fields) => boolean;
const parseCount = fields['parseCount'] as (text: string) => number | undefined;

function owner(given: Fields, used: Fields = {}): Fields {
  const usage = { period: 'month', resetsAt: '2026-12-01T00:00:00.000Z', costUsd: 0, tokens: 0, requests: 0 };
  return {
    limits: { ...NO_LIMITS, ...given },
    usage: { ...usage, grantedUsd: 0, grantedTokens: 0, ...used },
  };
}

test('the budget that is nearest to its end, with what was given once', () => {
  assert.equal(budgetOf(owner({})), null);
  assert.equal(budgetOf({ limits: null }), null);
  const both = owner({ budgetUsd: 10, budgetTokens: 1000 }, { costUsd: 5, tokens: 900, grantedUsd: 2 });
  assert.equal(budgetOf(both)?.['unit'], 'tokens');
  const usd = budgetOf(owner({ budgetUsd: 10, warnPercent: 50 }, { costUsd: 5, grantedUsd: 2 }));
  assert.deepEqual([usd?.['used'], usd?.['limit'], usd?.['warnPercent']], [5, 12, 50]);
});

test('a period in words, the month by UTC', () => {
  const month = { period: 'month', resetsAt: '2026-12-01T00:00:00.000Z' };
  assert.equal(periodText(month), 'in November');
  assert.equal(periodText({ ...month, period: 'day' }), 'today');
  assert.equal(periodText({ period: 'total', resetsAt: null }), 'in all');
});

test('of the limits of a key and its user the tighter one holds, each by itself', () => {
  const key = owner({ budgetUsd: 40, rpm: 60, allowedIps: ['10.0.0.0/8'] }, { costUsd: 36.8 });
  const user = { ...owner({ budgetUsd: 100, rpm: 30, tpm: 5000 }, { costUsd: 99 }), username: 'maria' };
  const theirs = 'maria, over all their keys';
  assert.deepEqual(effectiveLimits(key, user), [
    { label: 'Budget', value: '$1.00 left of $100.00', origin: theirs },
    { label: 'Requests a minute', value: '30', origin: theirs },
    { label: 'Tokens a minute', value: '5,000', origin: theirs },
    { label: 'Only from', value: '10.0.0.0/8', origin: 'this key' },
  ]);
  assert.equal(effectiveLimits(key, null)[0]?.value, '$3.20 left of $40.00');
  assert.deepEqual(effectiveLimits({ limits: null }, null), []);
});

test('counts are read with thousands and suffixes, and nothing else', () => {
  const right = { '60': 60, '1,500': 1500, '100k': 100_000, '2.5M': 2_500_000, ' 1b ': 1e9 };
  for (const [text, value] of Object.entries(right)) assert.equal(parseCount(text), value, text);
  for (const text of ['', '0', '-1', '1.5', '1e3', 'many', '60 rpm', '0.0001k'])
    assert.equal(parseCount(text), undefined, text);
});

test('a price in words: free is not unknown', () => {
  const price = (given: Fields): string | null => priceText({ ...NO_PRICE, ...given });
  assert.equal(price({ inputPerMTok: 2, outputPerMTok: 10 }), '$2 / $10');
  assert.equal(price({ inputPerMTok: 0.075, outputPerMTok: 0.3 }), '$0.075 / $0.30');
  assert.equal(price({ inputPerMTok: 0.02 }), '$0.02');
  assert.equal(price({ inputPerMTok: 0, outputPerMTok: 0 }), 'free');
  assert.equal(price({ perAudioMinute: 0.006 }), '$0.006 a minute');
  assert.equal(price({}), null);
  assert.equal(priceText(null), null);
  assert.equal(isUnpriced({ id: 'a', effectivePrice: { ...NO_PRICE, source: null } }), true);
  assert.equal(isUnpriced({ id: 'a-*', effectivePrice: { ...NO_PRICE, source: null } }), false);
  assert.equal(isUnpriced({ id: 'a', effectivePrice: { ...NO_PRICE, source: 'own' } }), false);
});

test('an example and what looks like a mistake', () => {
  const price = { ...NO_PRICE, inputPerMTok: 2, outputPerMTok: 10 };
  assert.equal(exampleCost(price), 0.007);
  assert.equal(exampleCost({ ...price, outputPerMTok: null }), null);
  assert.deepEqual(priceWarnings(price), []);
  assert.equal(priceWarnings({ ...price, inputPerMTok: 11 }).length, 1);
  assert.equal(priceWarnings({ ...price, outputPerMTok: 201 }).length, 1);
  assert.equal(priceWarnings({ ...price, outputPerMTok: 200 }).length, 0);
  assert.equal(priceWarnings({ ...price, cachedInputPerMTok: 3 }).length, 1);
});
