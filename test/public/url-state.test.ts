import assert from 'node:assert/strict';
import { test } from 'node:test';

interface UrlStateModule {
  hashOf(tab: string, params?: Record<string, string | readonly string[] | null> | URLSearchParams): string;
  readHash(hash: string): { tab: string; params: URLSearchParams };
  sharedFilters(params: URLSearchParams): URLSearchParams;
}
const file = new URL('../../public/js/lib/url-state.js', import.meta.url).href;
const { hashOf, readHash, sharedFilters }: UrlStateModule = await import(file);

test('a tab without filters is its name alone', () => {
  assert.equal(hashOf('usage'), '#usage');
  assert.equal(hashOf('usage', { range: null, model: [], key: '' }), '#usage');
  assert.deepEqual({ ...readHash('#usage') }.tab, 'usage');
  assert.equal(readHash('').tab, '');
});

test('several values of one filter, and ids with slashes, stars, ampersands and signs of the address', () => {
  for (const ids of [['a', 'b'], ['meta-llama/Llama-3.3:free'], ['gpt-*', 'a&b=c?d#e%20', 'ü ö']]) {
    const { tab, params } = readHash(hashOf('requests', { model: ids, range: '7d' }));
    assert.equal(tab, 'requests');
    assert.deepEqual(params.getAll('model'), ids);
    assert.equal(params.get('range'), '7d');
  }
  assert.equal(hashOf('requests', { model: 'a/b:c' }), '#requests?model=a/b:c');
});

test('Usage and Requests share filters, not what is open', () => {
  const shared = sharedFilters(new URLSearchParams('range=7d&model=a&model=b&open=req_1&search=x'));
  assert.equal(shared.toString(), 'range=7d&model=a&model=b');
});
