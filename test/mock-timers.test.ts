import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { mockTimers } from './helpers/mock-timers.ts';

for (const kind of ['Timeout', 'Interval'] as const) {
  test(`mocked timers: one that began before is ended, and one that began since: ${kind}`, async (t) => {
    const end = globalThis[`clear${kind}`];
    let calls = 0;
    const before = globalThis[`set${kind}`](() => calls++, 1);
    t.after(() => clearInterval(before));
    mockTimers(t, kind);
    globalThis[`clear${kind}`](before);
    const since = globalThis[`set${kind}`](() => calls++, 1);
    globalThis[`clear${kind}`](since);
    t.mock.timers.tick(10);
    t.mock.timers.reset();
    assert.equal(globalThis[`clear${kind}`], end);
    await wait(5);
    assert.equal(calls, 0);
  });
}
