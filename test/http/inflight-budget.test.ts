import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InflightBudget } from '../../src/http/inflight-budget.ts';

const MEBIBYTE = 1024 * 1024;

test('one holder takes half at most, all together the whole, and what is released is free again', () => {
  const budget = new InflightBudget(128 * MEBIBYTE);
  const greedy = budget.open('greedy');
  assert.equal(greedy.growTo(64 * MEBIBYTE), true);
  assert.equal(greedy.growTo(65 * MEBIBYTE), false);
  assert.equal(budget.open('greedy').growTo(2 * MEBIBYTE), false);
  const other = budget.open('other');
  assert.equal(other.growTo(64 * MEBIBYTE), true);
  assert.equal(budget.open('third').growTo(2 * MEBIBYTE), false);
  greedy.release();
  assert.equal(budget.open('third').growTo(2 * MEBIBYTE), true);
  assert.equal(budget.usedBytes, 66 * MEBIBYTE);
});

test('what a request holds is counted in steps of 64 KiB, of which the first is free', () => {
  const budget = new InflightBudget(128 * MEBIBYTE);
  const lease = budget.open('one');
  for (const [bytes, counted] of [
    [1, 0],
    [64 * 1024, 0],
    [64 * 1024 + 1, 128 * 1024],
    [100 * 1024, 128 * 1024],
    [MEBIBYTE, MEBIBYTE],
    [10, MEBIBYTE],
  ] as const) {
    assert.equal(lease.growTo(bytes), true);
    assert.equal(budget.usedBytes, counted, `${bytes} bytes`);
  }
  lease.release();
  assert.equal(budget.usedBytes, 0);
});
