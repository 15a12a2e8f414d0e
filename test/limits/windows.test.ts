import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SlidingWindow, WINDOW_MS } from '../../src/limits/windows.ts';

const SEED = 20_261_130;

/** Steps of a clock, mostly small, and the amount that is added after each. */
const STEPS = fc.array(
  fc.tuple(
    fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 70_000 })),
    fc.integer({ min: 0, max: 50 }),
  ),
  { maxLength: 200 },
);

describe('SlidingWindow', () => {
  test('counts what was added in the last 60 seconds, to the millisecond', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const window = new SlidingWindow();
        const added: (readonly [atMs: number, amount: number])[] = [];
        let nowMs = 1_000_000;
        for (const [stepMs, amount] of steps) {
          nowMs += stepMs;
          window.add(nowMs, amount);
          added.push([nowMs, amount]);
          assert.equal(window.sumAt(nowMs), sumOf(added, nowMs));
        }
        for (const laterMs of [1, WINDOW_MS - 1, WINDOW_MS]) {
          assert.equal(window.sumAt(nowMs + laterMs), sumOf(added, nowMs + laterMs));
        }
      }),
      { seed: SEED },
    );
  });

  test('tells the first moment at which the sum is small enough', () => {
    fc.assert(
      fc.property(STEPS, fc.integer({ min: 0, max: 200 }), (steps, most) => {
        const window = new SlidingWindow();
        let nowMs = 1_000_000;
        for (const [stepMs, amount] of steps) {
          nowMs += stepMs;
          window.add(nowMs, amount);
        }
        const waitMs = window.waitMs(nowMs, most);
        if (waitMs > 0) assert.ok(window.sumAt(nowMs + waitMs - 1) > most);
        assert.ok(window.sumAt(nowMs + waitMs) <= most);
      }),
      { seed: SEED },
    );
  });

  test('counts on while the clock is set back', () => {
    const window = new SlidingWindow();
    window.add(100_000, 1);
    window.add(90_000, 1);
    assert.equal(window.sumAt(90_000), 2);
    assert.equal(window.sumAt(159_999), 2);
    assert.equal(window.sumAt(160_000), 0);
  });
});

describe('a clock that was far ahead', () => {
  test('keeps nobody out for longer than a window', () => {
    const window = new SlidingWindow();
    const ahead = 24 * 60 * WINDOW_MS;
    window.add(ahead, 3);
    assert.equal(window.sumAt(100_000), 3);
    assert.equal(window.waitMs(100_000, 2), WINDOW_MS);
    window.add(110_000, 1);
    assert.equal(window.sumAt(159_999), 4);
    assert.equal(window.sumAt(160_000), 1);
  });
});

function sumOf(added: readonly (readonly [number, number])[], nowMs: number): number {
  return added.reduce((sum, [atMs, amount]) => (atMs > nowMs - WINDOW_MS ? sum + amount : sum), 0);
}
