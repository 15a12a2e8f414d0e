import assert from 'node:assert/strict';
import { test } from 'node:test';

interface State {
  readonly share: number;
  readonly kind: string;
  readonly spentAtMs: number | null;
}

const folder = new URL('../../public/js/', import.meta.url);
const {
  budgetState,
  paceText,
}: {
  budgetState: (owner: object, nowMs: number) => State | null;
  paceText: (budget: State) => string;
} = await import(new URL('lib/budget-pace.js', folder).href);

const LIMITS = { budgetUsd: 30, budgetTokens: null, warnPercent: 80 };

function stateAt(
  now: string,
  costUsd: number,
  period = 'month',
  resetsAt: string | null = '2026-12-01T00:00:00Z',
) {
  const usage = { period, resetsAt, costUsd, tokens: 0, requests: 1, grantedUsd: 0, grantedTokens: 0 };
  return budgetState({ limits: { ...LIMITS, budgetPeriod: period }, usage }, Date.parse(now));
}

test('a budget tells when it is used up at this pace, from the third day on, and only before its reset', () => {
  const rows: readonly [
    now: string,
    usedUsd: number,
    spentAt: string | null,
    ...[string?, (string | null)?],
  ][] = [
    ['2026-11-11T00:00:00Z', 20, '2026-11-16T00:00:00.000Z'],
    ['2026-11-04T00:00:00Z', 9, '2026-11-11T00:00:00.000Z'],
    ['2026-11-03T23:59:59Z', 9, null],
    ['2026-11-11T00:00:00Z', 10, null],
    ['2026-11-11T00:00:00Z', 9, null],
    ['2026-11-11T00:00:00Z', 0, null],
    ['2026-11-11T00:00:00Z', 30, null],
    ['2026-11-27T00:00:00Z', 20, '2026-11-29T00:00:00.000Z', 'week', '2026-11-30T00:00:00Z'],
    ['2026-11-11T12:00:00Z', 20, null, 'day', '2026-11-12T00:00:00Z'],
    ['2026-11-11T00:00:00Z', 20, null, 'total', null],
  ];
  for (const [now, used, expected, period, resetsAt] of rows) {
    const state = stateAt(now, used, period, resetsAt);
    const spentAt = state?.spentAtMs ?? null;
    const what = `${used} used at ${now}`;
    assert.equal(spentAt === null ? null : new Date(spentAt).toISOString(), expected, what);
  }
});

test('the pace in words', () => {
  const state = { share: 0.5, kind: 'ok', spentAtMs: new Date(2026, 10, 24, 12).getTime() };
  assert.equal(paceText(state), 'At this pace used up on 24 Nov');
  assert.equal(paceText({ ...state, spentAtMs: null }), '');
});

test('an owner without a budget, or without figures, has no state', () => {
  assert.equal(budgetState({ limits: null, usage: { costUsd: 3 } }, 0), null);
  assert.equal(budgetState({ limits: { ...LIMITS, budgetPeriod: 'month' } }, 0), null);
});
