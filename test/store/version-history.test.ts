import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Version, versionsToDrop } from '../../src/store/version-history.ts';

const DAY_MS = 86_400_000;

/** Keeps a history as a store does: one version more, then what is too many dropped. */
function keep(history: readonly Version[], savedAtMs: number): readonly Version[] {
  const next = [{ number: (history[0]?.number ?? 0) + 1, savedAtMs }, ...history];
  const dropped = new Set(versionsToDrop(next));
  return next.filter((version) => !dropped.has(version));
}

test('of one day the five latest are kept', () => {
  let history: readonly Version[] = [];
  for (let minute = 0; minute < 20; minute += 1) history = keep(history, minute * 60_000);
  assert.deepEqual(
    history.map(({ number }) => number),
    [20, 19, 18, 17, 16],
  );
});

test('quick writes do not push the versions of earlier days out', () => {
  let history: readonly Version[] = [];
  for (const day of [0, 1, 2, 3, 4]) {
    for (let minute = 0; minute < 30; minute += 1) history = keep(history, day * DAY_MS + minute * 60_000);
  }
  const days = history.map(({ savedAtMs }) => Math.floor(savedAtMs / DAY_MS));
  assert.deepEqual(days, [4, 4, 3, 2, 1]);
  assert.deepEqual(
    history.map(({ number }) => number),
    [150, 149, 120, 90, 60],
  );
});

test('whatever the times are, at most five are kept, and the newest always', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 * DAY_MS }), { minLength: 1, maxLength: 60 }),
      (gaps) => {
        let history: readonly Version[] = [];
        let time = 0;
        for (const gap of gaps) {
          time += gap;
          history = keep(history, time);
          assert.ok(history.length <= 5);
          assert.equal(history[0]?.savedAtMs, time);
        }
        assert.equal(history.length, Math.min(gaps.length, 5));
      },
    ),
  );
});
