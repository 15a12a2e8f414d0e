import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { ConfigError } from '../../src/config.ts';
import { DEBOUNCE_MS, IDLE_MS } from '../../src/offsite/schedule.ts';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { until } from '../helpers/until.ts';
import { databasePath, KEY } from './fixture.ts';
import { type Instance, startInstance } from './instance.ts';
import { type PutGetServer, startPutGet } from './put-get-server.ts';

/** Lets the wait after a change pass, and what it leads to happen. */
async function settle({ timers, snapshotter }: Instance, afterMs = DEBOUNCE_MS): Promise<void> {
  const before = snapshotter.status().lastAt;
  timers.advance(afterMs);
  await until(() => snapshotter.status().lastAt !== before, 'it was tried');
}

/** Reads what stands there, with a salt of its own for each process that wrote. */
async function modelsIn(served: PutGetServer): Promise<string[]> {
  assert.ok(served.body !== null);
  const { document } = await new SnapshotSeal(KEY, randomBytes).open(served.body);
  const { models }: { models: { id: string }[] } = JSON.parse(document.toString());
  return models.map(({ id }) => id).sort();
}

function puts(served: PutGetServer): string[] {
  return served.log.filter((entry) => entry.startsWith('PUT') && !entry.endsWith('412'));
}

async function started(t: TestContext, served: PutGetServer, path?: string): Promise<Instance> {
  const instance = await startInstance(t, { url: served.url, ...(path === undefined ? {} : { path }) });
  await instance.started;
  return instance;
}

test('the first state is there before the start is over; changes go out together after it', async (t) => {
  const served = await startPutGet(t);
  const one = await started(t, served);
  assert.deepEqual(await modelsIn(served), ['dots-ocr']);
  assert.equal(puts(served).length, 1);
  for (const id of ['m1', 'm2', 'm3']) await one.addModel(id);
  assert.equal(puts(served).length, 1, 'nothing is written at once');
  await settle(one);
  assert.equal(puts(served).length, 2, 'three changes, one write');
  assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'm2', 'm3']);
  const {
    lastResult,
    protected: isProtected,
    enabled,
    target,
    lastAt,
    lastWrittenAt,
  } = one.snapshotter.status();
  assert.deepEqual([enabled, lastResult, isProtected], [true, 'written', true]);
  assert.equal(target, new URL(served.url).host);
  assert.deepEqual([lastAt, lastWrittenAt], Array(2).fill(new Date(one.timers.nowMs).toISOString()));
});

test('where nothing changed nothing is written', async (t) => {
  const served = await startPutGet(t);
  const one = await started(t, served);
  const requests = served.log.length;
  for (let look = 0; look < 3; look += 1) {
    assert.deepEqual(one.timers.delaysMs, [IDLE_MS]);
    one.timers.advance(IDLE_MS);
    await until(() => one.timers.delaysMs.length === 1, 'it has looked');
  }
  assert.equal(served.log.length, requests);
});

test('a target out of reach is tried again and again, and gets the newest state then', async (t) => {
  const served = await startPutGet(t);
  const one = await started(t, served);
  await served.close();
  await one.addModel('m1');
  await settle(one);
  const { lastResult, message, lastWrittenAt, lastAt } = one.snapshotter.status();
  assert.equal(lastResult, 'unreachable');
  assert.match(message, /not written: 127.* cannot be reached \(ECONNREFUSED\)\. It is tried again\.$/);
  assert.ok(lastWrittenAt !== null && lastAt !== null && lastWrittenAt < lastAt);
  await one.addModel('m2');
  const [waitMs = 0] = one.timers.delaysMs;
  assert.ok(waitMs >= 2_500 && waitMs <= 5_000, String(waitMs));
  await served.open();
  await settle(one, waitMs);
  assert.equal(one.snapshotter.status().lastResult, 'written');
  assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'm2']);
});

test('a refusal is said and tried again later; the state at hand goes on', async (t) => {
  const served = await startPutGet(t);
  const one = await started(t, served);
  served.token = 'another token';
  await one.addModel('m1');
  await settle(one);
  assert.equal(one.snapshotter.status().lastResult, 'refused');
  assert.match(one.snapshotter.status().message, /answers PUT with 403: set SNAPSHOT_TOKEN/);
  assert.ok(one.lines.some(({ level, event }) => level === 'error' && event === 'snapshot.refused'));
  await one.addModel('m2');
  const [waitMs = 0] = one.timers.delaysMs;
  assert.ok(waitMs >= 30_000 && waitMs <= 60_000, String(waitMs));
  served.token = null;
  await settle(one, waitMs);
  assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'm2']);
});

describe('two instances at one place', () => {
  for (const behaviour of ['strong', 'ignores-conditions'] as const) {
    test(`${behaviour}: who came second goes on, the first keeps its state, stops writing and says so`, async (t) => {
      const served = await startPutGet(t, behaviour);
      const first = await started(t, served);
      await first.addModel('m1');
      await settle(first);
      const second = await started(t, served);
      assert.deepEqual(second.modelIds().sort(), ['dots-ocr', 'm1'], 'it begins with the state of the first');
      await first.addModel('of-the-first');
      await settle(first);
      const { lastResult, message } = first.snapshotter.status();
      assert.equal(lastResult, 'conflict');
      assert.match(message, /holds another instance's state.*Snapshots are stopped until a restart/);
      assert.match(message, /move the snapshot away;.*move the database away\. Then restart/);
      const said = first.lines.filter(({ event }) => event === 'snapshot.conflict');
      assert.deepEqual(
        said.map(({ level }) => level),
        ['error'],
      );
      assert.equal(said[0]?.message, message);
      const requests = served.log.length;
      await first.addModel('later');
      assert.deepEqual(first.timers.delaysMs, [], 'nothing is asked or written any more');
      await first.snapshotter.flush();
      assert.equal(served.log.length, requests, 'not even at the end');
      await second.addModel('of-the-second');
      await settle(second);
      assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'of-the-second']);

      await first.close();
      const again = await started(t, served, first.path);
      await until(() => again.snapshotter.status().lastResult !== null, 'it has looked');
      assert.match(again.snapshotter.status().message, /holds a snapshot that another instance wrote since/);
      assert.ok(again.modelIds().includes('later'), 'what the loser had is still there');
      assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'of-the-second']);
    });
  }

  test('of two that start with nothing one is refused, and its message says what to do', async (t) => {
    const served = await startPutGet(t);
    let other: Instance | null = null;
    served.intercept = (req, res, body) => {
      if (req.method !== 'PUT') return false;
      served.intercept = null;
      void started(t, served).then((instance) => {
        other = instance;
        res.writeHead(412).end();
      });
      return body.length > 0;
    };
    const one = await startInstance(t, { url: served.url });
    await assert.rejects(one.started, (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /holds another instance's state.*Use this SNAPSHOT_URL for one instance only/,
      );
      return true;
    });
    assert.ok(other !== null);
    assert.equal(one.snapshotter.status().lastResult, 'conflict');
  });
});

test('a place that takes no notice of conditions is noticed once at the start, and said', async (t) => {
  for (const behaviour of ['ignores-conditions', 'no-etag', 'weak'] as const) {
    const served = await startPutGet(t, behaviour);
    const one = await started(t, served);
    await one.addModel('m1');
    await settle(one);
    const { protected: isProtected, lastResult, message } = one.snapshotter.status();
    assert.deepEqual([isProtected, lastResult], [false, 'written'], behaviour);
    assert.match(message, /takes no notice of If-Match and If-None-Match.*one instance only/);
    const said = one.lines.filter(({ event }) => event === 'snapshot.unprotected');
    assert.deepEqual(
      said.map(({ level }) => level),
      ['warn'],
      behaviour,
    );
  }
});

test('an older database in the place of the own one does not go over the newer snapshot', async (t) => {
  const served = await startPutGet(t);
  const one = await started(t, served);
  await one.addModel('m1');
  await settle(one);
  const older = await databasePath(t);
  copyFileSync(one.path, older);
  await one.addModel('m2');
  await settle(one);
  const rollback = await started(t, served, older);
  await until(() => rollback.snapshotter.status().lastResult !== null, 'it has looked');
  assert.match(rollback.snapshotter.status().message, /holds a snapshot that is newer than this database/);
  assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1', 'm2']);
});

test("another installation's database does not go over the snapshot", async (t) => {
  const served = await startPutGet(t);
  const elsewhere = await startPutGet(t);
  const stranger = await started(t, elsewhere);
  await stranger.close();
  await started(t, served);
  const before = served.body;
  const again = await started(t, served, stranger.path);
  await until(() => again.snapshotter.status().lastResult !== null, 'it has looked');
  assert.match(again.snapshotter.status().message, /holds the snapshot of another installation/);
  assert.equal(served.body, before);
});

describe('the end', () => {
  test('what was not yet written is written, then nothing any more', async (t) => {
    const served = await startPutGet(t);
    const one = await started(t, served);
    await one.addModel('m1');
    await one.close();
    await one.snapshotter.flush();
    assert.deepEqual(await modelsIn(served), ['dots-ocr', 'm1']);
    assert.deepEqual(one.timers.delaysMs, []);
  });

  test('it does not wait longer than five seconds for a target that says nothing', async (t) => {
    const served = await startPutGet(t);
    const one = await started(t, served);
    await one.addModel('m1');
    await one.close();
    let isAsked = false;
    served.intercept = () => {
      isAsked = true;
      return true;
    };
    const flushed = one.snapshotter.flush();
    await until(() => isAsked, 'it was asked');
    one.timers.advance(5_000);
    await flushed;
    assert.equal(one.snapshotter.status().lastResult, 'unreachable');
  });
});

test('the start waits a while, not for ever, for the first write', async (t) => {
  const served = await startPutGet(t);
  served.intercept = (req) => req.method === 'PUT';
  const one = await startInstance(t, { url: served.url });
  await until(() => one.timers.delaysMs.length === 1, 'it waits');
  one.timers.advance(15_000);
  await one.started;
  assert.equal(one.snapshotter.status().lastResult, null);
});
