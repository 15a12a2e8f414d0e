import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';

type Zone = number | string;
interface Unit {
  value: (value: number) => string;
  tick: (value: number, step: number) => string;
  leastStep: number;
}
interface Ticks {
  step: number;
  top: number;
  values: number[];
}

const folder = new URL('../../../public/js/charts/', import.meta.url);
const ticks: Record<string, unknown> = await import(new URL('ticks.js', folder).href);
const valueTicks = ticks['valueTicks'] as (options: {
  max: number;
  heightPx: number;
  leastStep?: number;
}) => Ticks;
const timeTicks = ticks['timeTicks'] as (options: {
  starts: number[];
  bucket: 'hour' | 'day';
  zone: Zone;
  slotPx: number;
}) => number[];
const units = (await import(new URL('units.js', folder).href)) as Record<
  'MONEY' | 'COUNT' | 'TOKENS' | 'MS',
  Unit
>;

const HOUR_MS = 3_600_000;
const hours = (from: string, count: number): number[] =>
  Array.from({ length: count }, (_, index) => Date.parse(from) + index * HOUR_MS);

describe('valueTicks', () => {
  for (const [max, heightPx, step, top] of [
    [11.04, 220, 2, 12],
    [0.63, 200, 0.2, 0.8],
    [100, 200, 20, 100],
    [7, 88, 5, 10],
    [60_000_000.02, 113, 50_000_000, 100_000_000],
  ] as const) {
    test(`${max} at ${heightPx} px has steps of ${step}`, () => {
      const found = valueTicks({ max, heightPx });
      assert.ok(
        Math.abs(found.step - step) < 1e-9 && Math.abs(found.top - top) < 1e-9,
        JSON.stringify(found),
      );
    });
  }

  test('counts have no half lines', () => {
    assert.deepEqual(valueTicks({ max: 2, heightPx: 400, leastStep: 1 }).values, [0, 1, 2]);
  });

  test('steps are 1, 2 or 5, lines stand apart, the top holds the largest value', () => {
    const max = fc.double({ min: 1e-6, max: 1e18, noNaN: true });
    fc.assert(
      fc.property(max, fc.integer({ min: 90, max: 600 }), (largest, heightPx) => {
        const { step, top, values } = valueTicks({ max: largest, heightPx });
        const factor = Number(step.toExponential().split('e')[0]);
        assert.ok(
          [1, 2, 5].some((nice) => Math.abs(factor - nice) < 1e-6),
          `step ${step}`,
        );
        assert.ok(top >= largest * (1 - 1e-9), `top ${top}`);
        assert.ok(top - step < largest, `a line too many: ${top}`);
        const apart = heightPx / (values.length - 1);
        assert.ok(apart >= 36, `${apart} px`);
      }),
    );
  });

  test('nothing, and what is no number, has the line of zero only', () => {
    for (const max of [0, Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      assert.deepEqual(valueTicks({ max, heightPx: 200, leastStep: 1 }).values, [0]);
    }
  });
});

describe('timeTicks', () => {
  test('stand at whole hours of the zone, at midnight too', () => {
    const starts = hours('2026-11-25T14:00Z', 24);
    // 15:00 in Berlin is the first; every third hour there.
    const found = timeTicks({ starts, bucket: 'hour', zone: 60, slotPx: 24 });
    assert.deepEqual(found, [0, 3, 6, 9, 12, 15, 18, 21]);
    const elsewhere = timeTicks({ starts, bucket: 'hour', zone: -300, slotPx: 24 });
    assert.deepEqual(elsewhere, [0, 3, 6, 9, 12, 15, 18, 21]);
    const shifted = timeTicks({ starts, bucket: 'hour', zone: 0, slotPx: 24 });
    assert.deepEqual(shifted, [1, 4, 7, 10, 13, 16, 19, 22]);
  });

  test('a week of hours has local midnights only', () => {
    const starts = hours('2026-11-20T00:00Z', 168);
    const found = timeTicks({ starts, bucket: 'hour', zone: 60, slotPx: 4 });
    assert.deepEqual(found, [23, 47, 71, 95, 119, 143, 167]);
  });

  test('long times have Mondays', () => {
    const starts = Array.from({ length: 60 }, (_, index) => Date.parse('2026-10-01') + index * 24 * HOUR_MS);
    const found = timeTicks({ starts, bucket: 'day', zone: 0, slotPx: 12 });
    assert.ok(found.length >= 8);
    for (const index of found) assert.equal(new Date(starts[index] ?? 0).getUTCDay(), 1);
  });

  test('labels are never closer than 64 px', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<'hour' | 'day'>('hour', 'day'),
        fc.integer({ min: -720, max: 840 }),
        fc.double({ min: 1.5, max: 90, noNaN: true }),
        fc.integer({ min: 0, max: 500 }),
        (bucket, zone, slotPx, first) => {
          const length = bucket === 'hour' ? HOUR_MS : 24 * HOUR_MS;
          const starts = Array.from({ length: 180 }, (_, index) => (first + index) * length);
          const found = timeTicks({ starts, bucket, zone, slotPx });
          for (const [number, index] of found.entries()) {
            const before = found[number - 1];
            if (before !== undefined) assert.ok((index - before) * slotPx >= 64);
          }
        },
      ),
    );
  });
});

test('units write values and axes', () => {
  const { MONEY, COUNT, TOKENS, MS } = units;
  const plain = (text: string): string => text.replaceAll('\u202f', ' ');
  for (const [text, expected] of [
    [MONEY.value(0), '$0.00'],
    [MONEY.value(11_040_000_000), '$11.04'],
    [MONEY.value(2_700_000), '$0.0027'],
    [MONEY.value(1_234_567_000_000_000), '$1,234,567.00'],
    [MONEY.tick(0, 2e9), '$0'],
    [MONEY.tick(12e9, 2e9), '$12'],
    [MONEY.tick(4e8, 2e8), '$0.40'],
    [MONEY.tick(4e6, 2e6), '$0.004'],
    [COUNT.value(29_952), '29,952'],
    [COUNT.tick(1500, 500), '1.5 k'],
    [COUNT.tick(800, 200), '800'],
    [TOKENS.value(35_900_000), '35.9 M'],
    [TOKENS.value(0), '0'],
    [MS.value(820), '820 ms'],
    [MS.value(1860), '1.86 s'],
    [MS.tick(1000, 500), '1.0 s'],
    [MS.tick(500, 500), '500 ms'],
  ] as const) {
    assert.equal(plain(text), expected);
  }
});
