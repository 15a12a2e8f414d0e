import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { API_KEY, MODEL, PROVIDER, readRecord } from '../../src/store/records.ts';
import { TIME } from './store-contract.ts';

function read(options: unknown): unknown {
  const record = {
    id: 'p',
    name: 'P',
    baseUrl: 'https://p.example/v1',
    apiKey: null,
    type: 'openai',
    enabled: true,
    options,
    createdAt: TIME,
    updatedAt: TIME,
  };
  return readRecord(PROVIDER, record, 'providers[0]').options;
}

describe('the options of a provider in a file', () => {
  test('are taken as the API takes them, with those that a newer version may know', () => {
    const all = {
      pathMode: 'append-v1',
      transcribePath: '/v2/transcribe',
      chutesLanguageHint: true,
      includeUsage: 'never',
      connectTimeoutMs: 1,
      headersTimeoutMs: 86_400_000,
      idleTimeoutMs: 5000,
      fromTomorrow: 'kept',
    };
    assert.deepEqual(read(all), all);
    assert.deepEqual(read(undefined), {});
  });

  test('of null are none', () => assert.deepEqual(read({ idleTimeoutMs: null, pathMode: null }), {}));

  for (const [options, problem] of [
    [{ idleTimeoutMs: '5000' }, /options\.idleTimeoutMs is not a whole number from 1 to 86400000/],
    [{ headersTimeoutMs: -1 }, /options\.headersTimeoutMs is not a whole number/],
    [{ connectTimeoutMs: 1.5 }, /options\.connectTimeoutMs is not a whole number/],
    [{ connectTimeoutMs: 1e12 }, /options\.connectTimeoutMs is not a whole number/],
    [{ pathMode: 'toString' }, /options\.pathMode is not one of auto, append-v1, exact/],
    [{ transcribePath: '//evil.example/x' }, /options\.transcribePath is not a path/],
    [{ transcribePath: '/a\r\nx: y' }, /options\.transcribePath is not a path/],
    [{ transcribePath: 7 }, /options\.transcribePath is not a path/],
    [{ includeUsage: 'sometimes' }, /options\.includeUsage is not one of auto, always, never/],
    [{ chutesLanguageHint: 'yes' }, /options\.chutesLanguageHint is not true or false/],
    [{ nested: {} }, /options is not an object of plain values/],
    [[], /options is not an object/],
  ] as const) {
    test(`${JSON.stringify(options)} is refused`, () => assert.throws(() => read(options), problem));
  }
});

describe('a model in a file', () => {
  const readModel = (fields: object): unknown => {
    const record = { id: 'm', name: 'M', providerId: 'p', enabled: true, createdAt: TIME, updatedAt: TIME };
    return readRecord(MODEL, { ...record, ...fields }, 'models[0]');
  };

  test('of an earlier version has no fallbacks and options', () => {
    const { weight, fallbacks, options } = readModel({}) as Record<string, unknown>;
    assert.deepEqual([weight, fallbacks, options], [null, [], {}]);
  });

  test('keeps what a newer version may know', () => {
    const price = { ...UNKNOWN_PRICE, perRequest: 1, fromTomorrow: 2 };
    const fallbacks = [{ providerId: 'q', upstreamModel: null, weight: null, price }];
    const options = { fromTomorrow: { a: 1 } };
    const read = readModel({ fallbacks, options }) as Record<string, unknown>;
    assert.deepEqual([read['fallbacks'], read['options']], [fallbacks, options]);
  });

  for (const [fields, problem] of [
    [{ weight: 0 }, /models\[0\]\.weight is not a number over 0/],
    [{ weight: '1' }, /weight is not/],
    [{ fallbacks: {} }, /fallbacks is not a list/],
    [{ fallbacks: [null] }, /fallbacks\[0\] is not an object/],
    [{ fallbacks: [{ upstreamModel: 'x' }] }, /fallbacks\[0\]\.providerId is not a text/],
    [{ fallbacks: [{ providerId: 'q', weight: 1001 }] }, /fallbacks\[0\]\.weight is not/],
    [{ options: [] }, /options is not an object/],
    [{ options: { drop: ['model'] } }, /options\.drop is not/],
    [{ options: { rename: { a: 'stream' } } }, /options\.rename is not/],
    [{ options: { defaults: { messages: [] } } }, /options\.defaults is not/],
    [{ options: { maxOutputTokens: 0 } }, /options\.maxOutputTokens is not/],
  ] as const) {
    test(`with ${JSON.stringify(fields)} is refused`, () => assert.throws(() => readModel(fields), problem));
  }
});

describe('the limits of a key in a file', () => {
  const readLimits = (limits: unknown): unknown => {
    const record = { id: 'k', name: 'K', digest: 'a'.repeat(64), keyHint: 'sk-...', enabled: true };
    const key = { ...record, createdAt: TIME, ...(limits === undefined ? {} : { limits }) };
    return readRecord(API_KEY, key, 'apiKeys[0]').limits;
  };

  test('that are absent or null are none', () => {
    assert.equal(readLimits(undefined), null);
    assert.equal(readLimits(null), null);
  });

  test('have all members, and those that a newer version may know', () => {
    assert.deepEqual(readLimits({ rpm: 5, allowedIps: ['10.0.0.0/8'], fromTomorrow: 'kept' }), {
      rpm: 5,
      tpm: null,
      concurrency: null,
      budgetUsd: null,
      budgetTokens: null,
      budgetPeriod: null,
      warnPercent: null,
      allowedIps: ['10.0.0.0/8'],
      fromTomorrow: 'kept',
    });
  });

  for (const [limits, problem] of [
    [{ rpm: 0 }, /apiKeys\[0\]\.limits\.rpm is not a whole number from 1/],
    [{ budgetUsd: '5' }, /limits\.budgetUsd is not a number over 0/],
    [{ budgetPeriod: 'year' }, /limits\.budgetPeriod is not one of day, week, month, total/],
    [{ allowedIps: [] }, /limits\.allowedIps is not a list of 1 to 256/],
    [{ allowedIps: ['10.0.0.0/99'] }, /limits\.allowedIps is not a list/],
    [[], /limits is not an object/],
    [7, /limits is not an object/],
  ] as const) {
    test(`${JSON.stringify(limits)} is refused`, () => assert.throws(() => readLimits(limits), problem));
  }
});
