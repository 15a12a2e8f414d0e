import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeFileOps } from '../../../src/store/file-ops.ts';
import { DiskFiles } from '../../../src/usage/ledger/disk-files.ts';
import { LastNames } from '../../../src/usage/ledger/names.ts';
import { UsageTable } from '../../../src/usage/ledger/usage-table.ts';
import { mockTimers } from '../../helpers/mock-timers.ts';
import { until } from '../../helpers/until.ts';
import { makeFolder } from '../../store/fixture.ts';
import { makeCall, makeUsage, mixedCalls } from './calls.ts';
import { bookAll, DAY_MS, EVERYTHING, HOUR_MS, openAt, silentLogger, totalsOf } from './fixture.ts';

const NOON_MS = Date.parse('2026-03-01T12:00:00Z');

describe('what is counted', () => {
  it('only calls are, with all that they used', async () => {
    const clock = { nowMs: NOON_MS };
    const ledger = await openAt(null, clock);
    ledger.book(makeCall({ isCall: false }));
    ledger.book(makeCall({ usage: makeUsage({ promptTokens: 7, audioSeconds: 1.5, isEstimated: true }) }));
    ledger.book(makeCall({ outcome: 'limited', ttftMs: null, ms: 0 }));
    const totals = await totalsOf(ledger);
    assert.deepEqual(
      [totals.requests, totals.ok, totals.limited, totals.promptTokens, totals.audioSeconds],
      [2, 1, 1, 7, 1.5],
    );
    assert.deepEqual([totals.unpricedRequests, totals.estimatedRequests, totals.costUsd], [1, 1, null]);
    await ledger.close();
  });

  it('a free call costs 0, one without a price null, one that used nothing is not unpriced', async () => {
    const clock = { nowMs: NOON_MS };
    const ledger = await openAt(null, clock);
    const usage = makeUsage({ promptTokens: 1 });
    ledger.book(makeCall({ keyId: 'free', usage, costNanoUsd: 0 }));
    ledger.book(makeCall({ keyId: 'unpriced', usage }));
    ledger.book(makeCall({ keyId: 'failed', outcome: 'providerErrors' }));
    ledger.book(makeCall({ keyId: 'both', usage, costNanoUsd: 2_500_000_001 }));
    ledger.book(makeCall({ keyId: 'both', usage }));
    const of = async (key: string): Promise<readonly unknown[]> => {
      const { costUsd, unpricedRequests } = await totalsOf(ledger, { filters: { key } });
      return [costUsd, unpricedRequests];
    };
    assert.deepEqual(await of('free'), [0, 0]);
    assert.deepEqual(await of('unpriced'), [null, 1]);
    assert.deepEqual(await of('failed'), [null, 0]);
    assert.deepEqual(await of('both'), [2.500000001, 1]);
    await ledger.close();
  });

  it('percentiles come from all calls of all rows together', async () => {
    const clock = { nowMs: NOON_MS };
    const ledger = await openAt(null, clock);
    for (let count = 1; count <= 100; count++) {
      ledger.book(
        makeCall({ keyId: `key_${count % 7}`, ms: count * 100, ttftMs: count % 2 === 0 ? count : null }),
      );
    }
    const { ms, ttftMs } = await totalsOf(ledger);
    const isNear = (value: number | null, true_: number): boolean =>
      value !== null && Math.abs(value / true_ - 1) <= 0.25;
    assert.ok(isNear(ms.p50, 5_000) && isNear(ms.p95, 9_500), JSON.stringify(ms));
    assert.ok(isNear(ttftMs.p50, 50) && isNear(ttftMs.p95, 95), JSON.stringify(ttftMs));
    await ledger.close();
  });
});

describe('bounds', () => {
  it('the 2,001st model of a day and those after it are `other`', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    for (let count = 0; count < 2_003; count++) ledger.book(makeCall({ modelId: `model-${count}` }));
    assert.equal((await totalsOf(ledger, { filters: { model: 'other' } })).requests, 3);
    assert.equal((await totalsOf(ledger, { filters: { model: 'model-1999' } })).requests, 1);
    await ledger.close();
    const again = await openAt(folder, clock);
    again.book(makeCall({ modelId: 'model-1999' }));
    again.book(makeCall({ modelId: 'model-2999' }));
    assert.equal((await totalsOf(again, { filters: { model: 'other' } })).requests, 4);
    assert.equal((await totalsOf(again)).requests, 2_005);
    await again.close();
  });

  it('too many combinations in an hour are counted together, by outcome', async () => {
    const clock = { nowMs: NOON_MS };
    const ledger = await openAt(null, clock);
    for (let count = 0; count < 5_000; count++) {
      ledger.book(makeCall({ keyId: `key_${count}`, outcome: count % 2 === 0 ? 'ok' : 'broken' }));
    }
    const { requests, ok, broken } = await totalsOf(ledger);
    assert.deepEqual([requests, ok, broken], [5_000, 2_500, 2_500]);
    assert.equal((await totalsOf(ledger, { filters: { key: 'other' } })).requests, 1_000);
    await ledger.close();
  });

  it('names of any length and any signs are kept apart', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    const models = ['', 'a\nb', 'a\u0000b', '\ud800', 'x'.repeat(2_000), '"', '-', '1:-'];
    for (const modelId of models) ledger.book(makeCall({ modelId }));
    ledger.book(makeCall({ modelId: null }));
    await ledger.close();
    const again = await openAt(folder, clock);
    const { rows } = await again.query({
      fromMs: NOON_MS,
      toMs: NOON_MS + HOUR_MS,
      bucket: 'none',
      tzMinutes: 0,
      groupBy: ['model'],
      filters: {},
    });
    const expected = [...models.map((model) => model.slice(0, 512)), null];
    assert.deepEqual(new Set(rows.map(({ group }) => group[0])), new Set(expected));
    assert.equal(again.status().isDamaged, false);
    await again.close();
  });
});

describe('files', () => {
  it('a restart within an hour goes on with its rows', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    for (const round of [1, 2, 3]) {
      const ledger = await openAt(folder, clock);
      ledger.book(makeCall({ ms: 1_000 }));
      assert.equal((await totalsOf(ledger)).requests, round);
      await ledger.close();
    }
    const ledger = await openAt(folder, clock);
    assert.deepEqual((await totalsOf(ledger)).ms, { p50: 1010, p95: 1010 });
    await ledger.close();
  });

  it('a call is written a second later, without anybody asking', async (t) => {
    mockTimers(t, 'Timeout');
    const folder = makeFolder();
    const opening = openAt(folder, { nowMs: NOON_MS });
    const ledger = await opening;
    ledger.book(makeCall());
    const path = join(folder, 'hours-2026-03-01.open');
    t.mock.timers.tick(4_000);
    t.mock.timers.reset();
    await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith(']\n'), 'the row is written');
    await ledger.close();
  });

  it('a day that is over is sealed; a crash on the way changes no sum', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const calls = mixedCalls(200, NOON_MS, NOON_MS + 2 * HOUR_MS);
    const ledger = await openAt(folder, clock);
    bookAll(ledger, calls, clock);
    await ledger.close();
    const open = join(folder, 'hours-2026-03-01.open');
    copyFileSync(open, join(folder, '..', 'kept.open'));
    // It stood still for five days.
    clock.nowMs = NOON_MS + 5 * DAY_MS;
    const expected = await sumsAfterStart(folder, clock);
    assert.equal(expected.requests, 200);
    assert.deepEqual(readdirSync(folder).sort(), ['days-2026-03', 'hours-2026-03-01.sealed', 'names']);
    // Killed after the month, and after the sealed hours were written.
    copyFileSync(join(folder, '..', 'kept.open'), open);
    assert.deepEqual(await sumsAfterStart(folder, clock), expected);
    copyFileSync(join(folder, '..', 'kept.open'), open);
    rmSync(join(folder, 'hours-2026-03-01.sealed'));
    assert.deepEqual(await sumsAfterStart(folder, clock), expected);
    assert.deepEqual(readdirSync(folder).sort(), ['days-2026-03', 'hours-2026-03-01.sealed', 'names']);
    rmSync(join(folder, '..', 'kept.open'));
  });

  it('midnight: the day before is sealed by the first call after it', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    bookAll(ledger, mixedCalls(300, NOON_MS, NOON_MS + DAY_MS), clock);
    await ledger.flush();
    assert.deepEqual(readdirSync(folder).sort(), [
      'days-2026-03',
      'hours-2026-03-01.sealed',
      'hours-2026-03-02.open',
      'names',
    ]);
    assert.equal((await totalsOf(ledger)).requests, 300);
    assert.equal((await totalsOf(ledger, { bucket: 'hour' })).requests, 300);
    await ledger.close();
  });

  it('after the start, the files of a report of 30 days by model are read already', async () => {
    const folder = makeFolder();
    const clock = { nowMs: NOON_MS };
    const before = await openAt(folder, clock);
    for (let day = 0; day < 32; day++) {
      bookAll(before, [makeCall({ endedAtMs: NOON_MS + day * DAY_MS, usage: makeUsage({}) })], clock);
      await before.flush();
    }
    await before.close();
    let opened = 0;
    const ops = {
      ...nodeFileOps,
      open: (...args: Parameters<typeof nodeFileOps.open>) => {
        opened += 1;
        return nodeFileOps.open(...args);
      },
    };
    const ledger = await openAt(folder, clock, ops);
    // Reports wait for each other.
    await ledger.query({ ...EVERYTHING, fromMs: clock.nowMs, toMs: clock.nowMs + HOUR_MS });
    const atStart = opened;
    const time = { fromMs: clock.nowMs - 30 * DAY_MS, toMs: clock.nowMs + HOUR_MS };
    const { rows } = await ledger.query({ ...EVERYTHING, ...time, groupBy: ['model'] });
    assert.equal(rows[0]?.values[0], 31);
    assert.equal(opened, atStart);
    await ledger.query({ ...EVERYTHING, ...time, bucket: 'hour' });
    assert.ok(opened > atStart);
    await ledger.close();
  });

  it('without the file of a month, days are added up from hours', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    bookAll(ledger, mixedCalls(300, NOON_MS, NOON_MS + 3 * DAY_MS), clock);
    await ledger.close();
    rmSync(join(folder, 'days-2026-03'));
    const again = await openAt(folder, clock);
    assert.equal((await totalsOf(again)).requests, 300);
    await again.close();
  });

  it('hours are kept 90 days, days 2 years; a day without hours counts at its beginning', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    ledger.book(makeCall({ endedAtMs: NOON_MS }));
    const at = async (timeMs: number): Promise<string[]> => {
      clock.nowMs = timeMs;
      ledger.book(makeCall({ endedAtMs: timeMs }));
      await ledger.flush();
      return readdirSync(folder).sort();
    };
    assert.ok((await at(NOON_MS + 89 * DAY_MS)).includes('hours-2026-03-01.sealed'));
    assert.ok((await at(NOON_MS + 91 * DAY_MS)).includes('hours-2026-03-01.sealed'));
    assert.ok(!(await at(NOON_MS + 92 * DAY_MS)).includes('hours-2026-03-01.sealed'));
    const hour = { fromMs: NOON_MS, toMs: NOON_MS + HOUR_MS };
    assert.equal((await totalsOf(ledger, hour)).requests, 0);
    const dayMs = NOON_MS - 12 * HOUR_MS;
    assert.equal((await totalsOf(ledger, { fromMs: dayMs, toMs: dayMs + HOUR_MS })).requests, 1);
    await at(NOON_MS + 730 * DAY_MS);
    assert.ok((await at(NOON_MS + 731 * DAY_MS)).includes('days-2026-03'));
    await at(NOON_MS + 770 * DAY_MS);
    assert.ok(!(await at(NOON_MS + 771 * DAY_MS)).includes('days-2026-03'));
    await ledger.close();
  });

  it('a clock that is set back does not set back the hour of booking', async () => {
    const clock = { nowMs: NOON_MS };
    const ledger = await openAt(makeFolder(), clock);
    ledger.book(makeCall({ endedAtMs: NOON_MS }));
    ledger.book(makeCall({ endedAtMs: NOON_MS - 3 * HOUR_MS }));
    const hour = { fromMs: NOON_MS, toMs: NOON_MS + HOUR_MS };
    assert.equal((await totalsOf(ledger, hour)).requests, 2);
    await ledger.close();
  });

  it('a clock that was a year ahead does no lasting harm', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    const times = [NOON_MS, NOON_MS + 360 * DAY_MS, NOON_MS + HOUR_MS, NOON_MS, NOON_MS + DAY_MS];
    for (const endedAtMs of times) {
      bookAll(ledger, [makeCall({ endedAtMs })], clock);
      await ledger.flush();
    }
    const first = { fromMs: NOON_MS, toMs: NOON_MS + DAY_MS };
    assert.equal((await totalsOf(ledger, first)).requests, 3);
    await ledger.close();
    const again = await openAt(folder, clock);
    assert.equal((await totalsOf(again, first)).requests, 3);
    assert.equal((await totalsOf(again)).requests, 5);
    await again.close();
  });

  it('files of days to come remove nothing', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    bookAll(ledger, mixedCalls(300, NOON_MS, NOON_MS + 3 * DAY_MS), clock);
    await ledger.close();
    for (const name of ['hours-2999-01-01.sealed', 'hours-2999-01-02.sealed']) {
      copyFileSync(join(folder, 'hours-2026-03-01.sealed'), join(folder, name));
    }
    const again = await openAt(folder, clock);
    await again.flush();
    clock.nowMs += HOUR_MS;
    again.book(makeCall({ endedAtMs: clock.nowMs }));
    await again.flush();
    assert.ok(existsSync(join(folder, 'hours-2026-03-01.sealed')));
    assert.ok(existsSync(join(folder, 'days-2026-03')));
    await again.close();
  });

  it('a folder that cannot be made: in memory only', async () => {
    const folder = join(makeFolder(), 'file');
    writeFileSync(folder, '');
    const ledger = await openAt(folder, { nowMs: NOON_MS });
    ledger.book(makeCall());
    await ledger.flush();
    assert.equal((await totalsOf(ledger)).requests, 1);
    await ledger.close();
    assert.equal(readFileSync(folder, 'utf8'), '');
  });

  it('a full disk loses nothing, and is told as long as it is full', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    let isFull = false;
    const open: typeof nodeFileOps.open = async (path, flags, mode) => {
      if (isFull && flags !== 'r') throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return await nodeFileOps.open(path, flags, mode);
    };
    const ledger = await openAt(folder, clock, { ...nodeFileOps, open });
    ledger.book(makeCall());
    isFull = true;
    await ledger.flush();
    assert.equal(ledger.status().isFailing, true);
    clock.nowMs += HOUR_MS;
    ledger.book(makeCall({ endedAtMs: clock.nowMs }));
    await ledger.flush();
    isFull = false;
    await ledger.flush();
    assert.equal(ledger.status().isFailing, false);
    await ledger.close();
    const again = await openAt(folder, clock);
    assert.equal((await totalsOf(again)).requests, 2);
    await again.close();
  });

  it('a folder that somebody removed is made again, with the whole day', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = join(makeFolder(), 'usage');
    const ledger = await openAt(folder, clock);
    ledger.book(makeCall());
    await ledger.flush();
    rmSync(folder, { recursive: true });
    ledger.book(makeCall({ keyId: 'key_2' }));
    await ledger.close();
    const again = await openAt(folder, clock);
    assert.equal((await totalsOf(again)).requests, 2);
    await again.close();
  });

  it('names outlive their keys and users', async () => {
    const clock = { nowMs: NOON_MS };
    const folder = makeFolder();
    const ledger = await openAt(folder, clock);
    ledger.book(makeCall({ keyName: 'first', userId: 'user_1', userName: 'Ann' }));
    ledger.book(makeCall({ keyName: 'second', userId: 'user_1', userName: 'Ann' }));
    await ledger.close();
    const again = await openAt(folder, clock);
    assert.deepEqual(
      [again.nameOf('key', 'key_1'), again.nameOf('user', 'user_1'), again.nameOf('user', 'key_1')],
      ['second', 'Ann', null],
    );
    await again.close();
  });

  it('the file of an open day is rewritten when it is much larger than its rows', async () => {
    const folder = makeFolder();
    const files = new DiskFiles({ ops: nodeFileOps, folder, logger: silentLogger });
    await files.open(new LastNames());
    const line = 'x'.repeat(100_000);
    for (let round = 0; round < 50; round++) await files.append(20_000, [line], new UsageTable());
    const [name = ''] = readdirSync(folder);
    assert.ok(readFileSync(join(folder, name)).length < 1_000_000);
  });
});

/** The totals after a start that had the time to seal. */
async function sumsAfterStart(folder: string, clock: { nowMs: number }): ReturnType<typeof totalsOf> {
  const ledger = await openAt(folder, clock);
  await ledger.flush();
  const totals = await totalsOf(ledger);
  const hourly = await totalsOf(ledger, { bucket: 'hour' });
  assert.deepEqual(hourly, totals);
  await ledger.close();
  return totals;
}
