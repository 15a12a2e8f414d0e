import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROVIDER, readRecord } from '../../src/store/records.ts';
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
    [{ chutesLanguageHint: 'yes' }, /options\.chutesLanguageHint is not true or false/],
    [{ nested: {} }, /options is not an object of plain values/],
    [[], /options is not an object/],
  ] as const) {
    test(`${JSON.stringify(options)} is refused`, () => assert.throws(() => read(options), problem));
  }
});
