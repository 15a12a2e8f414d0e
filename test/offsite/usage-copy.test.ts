import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { USAGE_COPY_MS, UsageCopy, usageCopyUrl } from '../../src/offsite/usage-copy.ts';
import type { UsageLedger } from '../../src/usage/ledger/ledger.ts';
import { openLedger } from '../../src/usage/ledger/open-ledger.ts';
import { until } from '../helpers/until.ts';
import { makeFolder } from '../store/fixture.ts';
import { makeCall } from '../usage/ledger/calls.ts';
import { DAY_MS, totalsOf } from '../usage/ledger/fixture.ts';
import { FakeTimers } from './fake-timers.ts';
import { captureLog, documentOf, KEY, sharedSeal } from './fixture.ts';
import { type PutGetServer, startPutGet } from './put-get-server.ts';

interface Machine {
  readonly copy: UsageCopy;
  readonly ledger: UsageLedger;
  readonly timers: FakeTimers;
  readonly folder: string;
  /** Counts a call, so many days after the start if it is given. */
  book(day?: number): void;
}

/** A machine with an empty disk, or with a folder. */
async function startMachine(
  t: TestContext,
  server: PutGetServer,
  { folder = makeFolder(), mayWrite = (): boolean => true } = {},
): Promise<Machine> {
  const timers = new FakeTimers();
  const { logger } = captureLog();
  const target = createSnapshotTarget(
    { url: usageCopyUrl(server.url), token: null },
    { env: {}, now: Date.now },
  );
  const copy = new UsageCopy({ target, key: KEY, logger, now: timers.now, randomBytes, timers, mayWrite });
  const ledger = await openLedger({ folder, logger, now: timers.now, findArchive: () => copy.load() });
  copy.start(ledger);
  t.after(() => ledger.close());
  const startMs = timers.nowMs;
  const book = (day?: number): void => {
    if (day !== undefined) timers.nowMs = startMs + day * DAY_MS;
    ledger.book(makeCall({ endedAtMs: timers.nowMs }));
  };
  return { copy, ledger, timers, folder, book };
}

const puts = ({ log }: PutGetServer): number => log.filter((line) => line.startsWith('PUT')).length;

describe('the copy of the usage statistics', { timeout: 60_000 }, () => {
  test('its address is that of the snapshot with .usage at the end of the path', () => {
    assert.equal(usageCopyUrl('s3://bucket/a/key'), 's3://bucket/a/key.usage');
    assert.equal(usageCopyUrl('https://u:p@h.example/a?sig=1'), 'https://u:p@h.example/a.usage?sig=1');
  });

  test('an empty disk gets everything back: hours, days and names', async (t) => {
    const server = await startPutGet(t);
    const first = await startMachine(t, server);
    for (const day of [0, 1, 2]) {
      first.book(day);
      await first.ledger.flush();
    }
    await first.ledger.close();
    await first.copy.flush();
    assert.equal(first.copy.status().lastResult, 'written');
    assert.ok(!server.body?.toString('latin1').includes('key_1'), 'it is sealed');
    const second = await startMachine(t, server);
    assert.deepEqual(readdirSync(second.folder).sort(), readdirSync(first.folder).sort());
    assert.equal((await totalsOf(second.ledger)).requests, 3);
    assert.equal((await totalsOf(second.ledger, { bucket: 'hour' })).requests, 3);
    assert.equal(second.ledger.nameOf('key', 'key_1'), 'Key one');
  });

  test('it is written every 5 minutes at most, and only where a call was counted', async (t) => {
    const server = await startPutGet(t);
    const { timers, book } = await startMachine(t, server);
    book();
    timers.advance(USAGE_COPY_MS - 1);
    assert.equal(puts(server), 0);
    timers.advance(1);
    await until(() => puts(server) === 1 && timers.delaysMs.includes(USAGE_COPY_MS), 'the first copy');
    timers.advance(USAGE_COPY_MS);
    await until(() => timers.delaysMs.includes(USAGE_COPY_MS), 'the next run is over');
    assert.equal(puts(server), 1);
    book();
    timers.advance(USAGE_COPY_MS);
    await until(() => puts(server) === 2, 'the second copy');
  });

  test('a target that cannot be reached stops nothing, and what it holds is not overwritten unread', async (t) => {
    const server = await startPutGet(t);
    const first = await startMachine(t, server);
    first.book(0);
    await first.ledger.flush();
    first.book(1);
    await first.copy.flush();
    await server.close();
    const second = await startMachine(t, server);
    assert.equal(second.copy.status().lastResult, 'unreachable');
    second.book(5);
    await server.open();
    await second.copy.flush();
    assert.equal(second.copy.status().lastResult, 'written');
    assert.equal((await totalsOf(second.ledger)).requests, 3);
    const third = await startMachine(t, server);
    assert.equal((await totalsOf(third.ledger)).requests, 3);
  });

  for (const [what, body, result] of [
    [
      'the snapshot of the configuration',
      () => sharedSeal.seal(documentOf(1), { generation: 1, writer: 1 }),
      'conflict',
    ],
    ['something unreadable', async () => Buffer.from('a cake recipe'), 'conflict'],
  ] as const) {
    test(`${what} in its place is never overwritten`, async (t) => {
      const server = await startPutGet(t);
      server.body = await body();
      const before = server.body;
      const { copy, book, ledger } = await startMachine(t, server);
      book();
      await copy.flush();
      assert.equal(copy.status().lastResult, result);
      assert.equal(server.body, before);
      assert.equal((await totalsOf(ledger)).requests, 1);
    });
  }

  test('nothing is written while the snapshot is not known to be ours', async (t) => {
    const server = await startPutGet(t);
    const { copy, book } = await startMachine(t, server, { mayWrite: () => false });
    book();
    await copy.flush();
    assert.equal(puts(server), 0);
  });

  test('a folder that holds something is not filled', async (t) => {
    const server = await startPutGet(t);
    const first = await startMachine(t, server);
    first.book(0);
    await first.copy.flush();
    first.book(3);
    await first.ledger.close();
    const again = await startMachine(t, server, { folder: first.folder });
    assert.equal((await totalsOf(again.ledger)).requests, 2);
  });
});
