import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Budgets } from '../../src/limits/budgets.ts';
import { LimitGate } from '../../src/limits/limits.ts';
import { endOfPeriod, PeriodClock } from '../../src/limits/periods.ts';
import { BUDGET_PERIODS, type BudgetPeriod } from '../../src/store/entities.ts';
import { makeLimits } from '../helpers/limited-keys.ts';

/** A clock that stands until it is set. */
function start(time: string) {
  let nowMs = Date.parse(time);
  const now = (): number => nowMs;
  const budgets = new Budgets(now);
  const gate = new LimitGate(budgets, now);
  const key = (budgetPeriod: BudgetPeriod) => ({
    id: 'k',
    limits: makeLimits({ budgetUsd: 100, budgetPeriod }),
  });
  return {
    budgets,
    gate,
    key,
    set: (next: string) => {
      nowMs = Date.parse(next);
    },
    use(usd: number, id = 'k') {
      const owners = { key: { id, limits: null }, user: null };
      const reservation = gate.admit({ ...owners, tokens: 0, costNanoUsd: 0 });
      gate.settle(reservation, { tokens: 10, costNanoUsd: usd * 1e9 });
    },
    spent: () => BUDGET_PERIODS.map((period) => budgets.usageOf('key', key(period)).costUsd),
  };
}

describe('budgets', () => {
  // 2026-11-30 is a Monday.
  test('count days, weeks from Monday, months and for ever, side by side', () => {
    const { set, use, spent } = start('2026-11-28T23:59:59.999Z');
    use(1);
    assert.deepEqual(spent(), [1, 1, 1, 1]);
    set('2026-11-29T00:00:00.000Z');
    use(2);
    assert.deepEqual(spent(), [2, 3, 3, 3]);
    set('2026-11-30T00:00:00.000Z');
    assert.deepEqual(spent(), [0, 0, 3, 3]);
    use(4);
    set('2026-12-01T00:00:00.000Z');
    assert.deepEqual(spent(), [0, 4, 0, 7]);
    use(8);
    set('2026-12-31T23:59:59.999Z');
    assert.deepEqual(spent(), [0, 0, 8, 15]);
    set('2027-01-01T00:00:00.000Z');
    assert.deepEqual(spent(), [0, 0, 0, 15]);
  });

  test('tell when they reset', () => {
    const { budgets, key, set } = start('2026-12-31T12:00:00Z');
    const resets = (): (string | null)[] =>
      BUDGET_PERIODS.map((period) => budgets.usageOf('key', key(period)).resetsAt);
    const newYear = '2027-01-01T00:00:00.000Z';
    assert.deepEqual(resets(), [newYear, '2027-01-04T00:00:00.000Z', newYear, null]);
    set('2028-02-29T23:59:59.999Z');
    const march = '2028-03-01T00:00:00.000Z';
    assert.deepEqual(resets(), [march, '2028-03-06T00:00:00.000Z', march, null]);
  });

  test('grant until the period ends; for ever without one', () => {
    const { budgets, key, set } = start('2026-11-30T12:00:00Z');
    for (const period of BUDGET_PERIODS) budgets.grant('key', key(period), { nanoUsd: 5e9, tokens: 7 });
    const granted = (): number[] =>
      BUDGET_PERIODS.map((period) => {
        const { grantedUsd, grantedTokens } = budgets.usageOf('key', key(period));
        return grantedUsd + grantedTokens;
      });
    assert.deepEqual(granted(), [12, 12, 12, 12]);
    set('2026-12-01T00:00:00Z');
    assert.deepEqual(granted(), [0, 12, 0, 12]);
    budgets.reset('key', 'k');
    assert.deepEqual(granted(), [0, 0, 0, 0]);
  });

  test('start anew with a reset, whichever period is looked at', () => {
    const { budgets, use, spent } = start('2026-11-30T12:00:00Z');
    use(3);
    budgets.reset('key', 'k');
    assert.deepEqual(spent(), [0, 0, 0, 0]);
    use(1);
    assert.deepEqual(spent(), [1, 1, 1, 1]);
  });

  test('go on when the clock is set back', () => {
    const { use, spent, set } = start('2026-12-01T00:00:00Z');
    use(1);
    set('2026-11-30T23:59:59Z');
    use(1);
    assert.deepEqual(spent(), [2, 2, 2, 2]);
  });

  test('forget what was deleted, once its month and week are over', () => {
    const { budgets, use, set } = start('2026-12-30T12:00:00Z');
    use(1);
    use(1, 'kept');
    budgets.setKnown((_kind, id) => id === 'kept');
    const names = (): string[] => {
      budgets.prune();
      return budgets.all().map(({ id }) => id);
    };
    assert.deepEqual(names(), ['k', 'kept']);
    set('2027-01-01T00:00:00Z');
    assert.deepEqual(names(), ['k', 'kept'], 'the week of 28 December is not over');
    set('2027-01-04T00:00:00Z');
    assert.deepEqual(names(), ['kept']);
  });

  test('forget the first of too many that were deleted', () => {
    const { budgets } = start('2026-12-30T12:00:00Z');
    for (let index = 0; index < 10_003; index += 1) budgets.reset('key', `k${index}`);
    budgets.setKnown(() => false);
    budgets.prune();
    assert.equal(budgets.size, 10_000);
    assert.equal(budgets.all()[0]?.id, 'k3');
  });
});

test('a period holds the time that it is asked for, and begins where the one before ended', () => {
  const clock = new PeriodClock();
  const times = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(times, fc.constantFrom('day', 'week', 'month'), (date, period) => {
      const startMs = clock.startOf(period, date.getTime());
      const endMs = endOfPeriod(period, startMs) ?? assert.fail();
      assert.ok(startMs <= date.getTime() && date.getTime() < endMs);
      assert.equal(clock.startOf(period, endMs), endMs);
      assert.equal(clock.startOf(period, endMs - 1), startMs);
      const first = new Date(startMs);
      assert.equal(first.toISOString().slice(11), '00:00:00.000Z');
      if (period === 'week') assert.equal(first.getUTCDay(), 1);
      if (period === 'month') assert.equal(first.getUTCDate(), 1);
    }),
    { seed: 20_261_130 },
  );
});
