import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InflightBudget } from '../src/inflight-budget.ts';

const MEBIBYTE = 1024 * 1024;

test('one consumer gets at most half, all together the whole, and released bytes are free again', () => {
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

test('B7: what a request holds is counted from its first byte on, and in steps of 64 KiB beyond the first', () => {
  const budget = new InflightBudget(128 * MEBIBYTE);
  const lease = budget.open('one');
  for (const [bytes, counted] of [
    [1, 1],
    [1500, 1500],
    [64 * 1024, 64 * 1024],
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
  lease.release();
  assert.equal(budget.usedBytes, 0);
  assert.equal(lease.growTo(1), false, 'it has ended');
});

test('B7: two leases of one consumer share one half, and ending one leaves the bytes of the other', () => {
  const budget = new InflightBudget(8 * MEBIBYTE);
  const body = budget.open('one');
  const answer = budget.open('one');
  assert.equal(body.growTo(3 * MEBIBYTE), true);
  assert.equal(answer.growTo(MEBIBYTE), true);
  assert.equal(answer.growTo(MEBIBYTE + 1), false);
  body.release();
  assert.equal(budget.usedBytes, MEBIBYTE);
  assert.equal(answer.growTo(4 * MEBIBYTE), true);
  assert.equal(budget.open('one').growTo(1), false);
  answer.release();
  assert.equal(budget.usedBytes, 0);
});
