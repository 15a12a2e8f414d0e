import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backOffMs, DEBOUNCE_MS, IDLE_MS, LATEST_MS, pause, Schedule } from '../../src/offsite/schedule.ts';
import type { SnapshotResult } from '../../src/offsite/status.ts';
import { FakeTimers } from './fake-timers.ts';

function harness(results: SnapshotResult[] = []) {
  const timers = new FakeTimers();
  const runs: { readonly atMs: number; readonly finish: () => void }[] = [];
  const startMs = timers.nowMs;
  const run = (): Promise<SnapshotResult> =>
    new Promise((resolve) => {
      runs.push({
        atMs: timers.nowMs - startMs,
        finish: () => resolve(results[runs.length - 1] ?? 'written'),
      });
    });
  const schedule = new Schedule({ run, timers, now: timers.now, random: () => 0 });
  const finish = async (): Promise<void> => {
    runs.at(-1)?.finish();
    for (let turn = 0; turn < 5; turn += 1) await null;
  };
  return { timers, runs, schedule, finish };
}

describe('Schedule', () => {
  test('changes that follow one another go out together, once there is quiet', () => {
    const { timers, runs, schedule } = harness();
    for (let change = 0; change < 5; change += 1) {
      schedule.changed();
      timers.advance(DEBOUNCE_MS - 1);
    }
    assert.equal(runs.length, 0);
    timers.advance(1);
    assert.deepEqual(
      runs.map(({ atMs }) => atMs),
      [5 * (DEBOUNCE_MS - 1) + 1],
    );
  });

  test('no change waits longer than the bound, however many follow', () => {
    const { timers, runs, schedule } = harness();
    for (let passedMs = 0; passedMs < LATEST_MS; passedMs += 1_000) {
      schedule.changed();
      timers.advance(1_000);
    }
    assert.deepEqual(
      runs.map(({ atMs }) => atMs),
      [LATEST_MS],
    );
  });

  test('one run at a time: a change during a run goes out in the next one', async () => {
    const { timers, runs, schedule, finish } = harness();
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    schedule.changed();
    timers.advance(LATEST_MS);
    assert.equal(runs.length, 1);
    await finish();
    timers.advance(DEBOUNCE_MS);
    assert.equal(runs.length, 2);
  });

  test('after a failure it waits longer and longer, and changes do not shorten that', async () => {
    const { timers, schedule, finish } = harness(['unreachable', 'unreachable', 'unreachable', 'written']);
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    for (const waitMs of [5_000, 10_000, 20_000]) {
      await finish();
      schedule.changed();
      assert.deepEqual(timers.delaysMs, [waitMs]);
      timers.advance(waitMs);
    }
    await finish();
    assert.deepEqual(timers.delaysMs, [IDLE_MS], 'and looks again some time later');
    schedule.changed();
    assert.deepEqual(timers.delaysMs, [DEBOUNCE_MS], 'as before the failures');
  });

  test('what a person must mend is tried less often', async () => {
    const { timers, schedule, finish } = harness(['refused']);
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    await finish();
    assert.deepEqual(timers.delaysMs, [60_000]);
  });

  test('after stop nothing runs any more, whatever changes', async () => {
    const { timers, runs, schedule, finish } = harness(['conflict']);
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    await finish();
    schedule.changed();
    timers.advance(IDLE_MS * 2);
    await schedule.runNow();
    assert.equal(runs.length, 1);
    assert.deepEqual(timers.delaysMs, []);
  });

  test('runNow() waits for the run that is going on, then runs once more', async () => {
    const { timers, runs, schedule, finish } = harness();
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    const over = schedule.runNow();
    assert.equal(runs.length, 1);
    await finish();
    assert.equal(runs.length, 2);
    await finish();
    await over;
  });

  test('stop() waits for the run that is going on', async () => {
    const { timers, runs, schedule, finish } = harness();
    schedule.changed();
    timers.advance(DEBOUNCE_MS);
    let isStopped = false;
    const stopped = schedule.stop().then(() => {
      isStopped = true;
    });
    await null;
    assert.equal(isStopped, false);
    await finish();
    await stopped;
    timers.advance(IDLE_MS);
    assert.equal(runs.length, 1);
  });
});

test('backOffMs() doubles up to its bound, less a random half', () => {
  const bounds = { firstMs: 1_000, mostMs: 60_000 };
  assert.deepEqual(
    [1, 2, 3, 7, 1000].map((failures) => backOffMs(failures, bounds, 0)),
    [1_000, 2_000, 4_000, 60_000, 60_000],
  );
  assert.equal(backOffMs(1, bounds, 1), 500);
});

test('pause() ends early when the signal says so, and leaves no timer behind', async () => {
  const timers = new FakeTimers();
  const ending = new AbortController();
  const paused = pause(timers, 1_000, ending.signal);
  ending.abort();
  await paused;
  await pause(timers, 1_000, ending.signal);
  assert.deepEqual(timers.delaysMs, []);
});
