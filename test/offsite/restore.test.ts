import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { ConfigError } from '../../src/config.ts';
import { createSnapshotTarget } from '../../src/offsite/create-target.ts';
import { readDocumentVersion, WRITER_COUNTER } from '../../src/offsite/document-version.ts';
import { type LoadedSnapshot, restoreSnapshot } from '../../src/offsite/restore.ts';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { SnapshotWriter } from '../../src/offsite/writer.ts';
import { until } from '../helpers/until.ts';
import { FakeTimers } from './fake-timers.ts';
import { captureLog, documentOf, KEY, type Line, sharedSeal } from './fixture.ts';
import { type PutGetServer, startPutGet } from './put-get-server.ts';

const OURS = 11;
const THEIRS = 22;

interface Start {
  readonly restored: Promise<LoadedSnapshot | null>;
  readonly timers: FakeTimers;
  readonly lines: Line[];
  readonly ending: AbortController;
}

/** Starts to restore, over a machine that holds `local`. */
function restore(served: PutGetServer, local: Buffer | null = null, seal = sharedSeal): Start {
  const timers = new FakeTimers();
  const { lines, logger } = captureLog();
  const ending = new AbortController();
  const target = createSnapshotTarget({ url: served.url, token: null }, { env: {}, now: Date.now });
  const restored = restoreSnapshot(local === null ? null : readDocumentVersion(local), OURS, {
    writer: new SnapshotWriter(target, seal),
    host: target.host,
    logger,
    timers,
    random: () => 0,
    signal: ending.signal,
  });
  return { restored, timers, lines, ending };
}

async function putSnapshot(served: PutGetServer, generation: number, document = documentOf(generation)) {
  served.body = await sharedSeal.seal(document, { generation, writer: THEIRS });
}

async function writerOf(served: PutGetServer): Promise<number> {
  assert.ok(served.body !== null);
  return (await sharedSeal.open(served.body)).writer;
}

async function startErrorOf(start: Start): Promise<string> {
  const error: unknown = await start.restored.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

test('where there is none, the start goes on without, and nothing is written yet', async (t) => {
  const served = await startPutGet(t);
  const { restored, lines } = restore(served);
  assert.equal(await restored, null);
  assert.deepEqual(
    lines.map(({ level, event }) => `${level} ${event}`),
    ['info snapshot.absent'],
  );
  assert.deepEqual(served.log, ['GET 404']);
});

test('what is there is loaded, and bears the mark of whoever loaded it', async (t) => {
  const served = await startPutGet(t);
  await putSnapshot(served, 7);
  const { restored, lines } = restore(served);
  const loaded = await restored;
  assert.ok(loaded !== null);
  assert.deepEqual(loaded.bytes, documentOf(7));
  assert.equal(await writerOf(served), OURS);
  assert.deepEqual(
    lines.map(({ level, event }) => `${level} ${event}`),
    ['info snapshot.loaded'],
  );
});

describe('a target out of reach', () => {
  const faults: readonly [string, (served: PutGetServer) => Promise<void> | void][] = [
    ['nobody listens', (served) => served.close()],
    [
      'answers 503',
      (served) => {
        served.intercept = (_req, res) => {
          res.writeHead(503).end();
          return true;
        };
      },
    ],
  ];
  for (const [what, fault] of faults) {
    test(`${what}: the start waits for it, longer and longer up to a minute, and never starts empty`, async (t) => {
      const served = await startPutGet(t);
      await putSnapshot(served, 7);
      await fault(served);
      const { restored, timers, lines } = restore(served);
      let isOver = false;
      const over = restored.finally(() => {
        isOver = true;
      });
      for (const waitMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]) {
        await until(() => timers.delaysMs.length === 1, 'it waits');
        assert.deepEqual(timers.delaysMs, [waitMs]);
        timers.advance(waitMs - 1);
        assert.deepEqual(timers.delaysMs, [1], 'not tried before');
        timers.advance(1);
      }
      await until(() => timers.delaysMs.length === 1, 'it waits again');
      assert.equal(isOver, false);
      assert.equal(lines.length, 10);
      for (const { level, event, message } of lines) {
        assert.deepEqual([level, event], ['warn', 'snapshot.waiting']);
        assert.match(message, /^127\.0\.0\.1:\d+ .*\. The start waits for it\.$/);
      }
      served.intercept = null;
      if (what === 'nobody listens') await served.open();
      timers.advance(60_000);
      assert.ok((await over) !== null);
      assert.deepEqual(timers.delaysMs, []);
    });
  }

  test('the wait ends when the process does', async (t) => {
    const served = await startPutGet(t);
    await served.close();
    const { restored, timers, ending } = restore(served);
    await until(() => timers.delaysMs.length === 1, 'it waits');
    ending.abort(new Error('the end'));
    await assert.rejects(restored, /the end/);
    assert.deepEqual(timers.delaysMs, []);
  });
});

describe('what only a person can mend ends the start', () => {
  for (const status of [301, 400, 401, 403, 405]) {
    test(String(status), async (t) => {
      const served = await startPutGet(t);
      served.intercept = (_req, res) => {
        res.writeHead(status).end();
        return true;
      };
      const message = await startErrorOf(restore(served));
      assert.match(
        message,
        new RegExp(`^The snapshot cannot be read or written\\. 127.* GET with ${status}: .*\\.$`),
      );
    });
  }

  test('a place that can be read but not written', async (t) => {
    const served = await startPutGet(t);
    await putSnapshot(served, 7);
    const before = served.body;
    served.intercept = (req, res) => {
      if (req.method === 'PUT') res.writeHead(403).end();
      return req.method === 'PUT';
    };
    assert.match(await startErrorOf(restore(served)), /answers PUT with 403: set SNAPSHOT_TOKEN/);
    assert.equal(served.body, before);
  });

  const unreadable: readonly [string, () => Promise<Buffer>, RegExp][] = [
    [
      'another SNAPSHOT_KEY',
      () => new SnapshotSeal(`another ${KEY}`, randomBytes).seal(documentOf(7), { generation: 7, writer: 1 }),
      /cannot be opened with SNAPSHOT_KEY; set the key that it was made with/,
    ],
    ['something else', async () => Buffer.from('<html>hello</html>'), /is not a snapshot of this program/],
    ['nothing but an empty file', async () => Buffer.alloc(0), /is not a snapshot of this program/],
    [
      'a document of another program',
      () => sharedSeal.seal(Buffer.from('{"name":"left-pad"}'), { generation: 7, writer: 1 }),
      /holds no database of this program/,
    ],
  ];
  for (const [what, make, message] of unreadable) {
    test(`${what}: looked at twice, never written over`, async (t) => {
      const served = await startPutGet(t);
      const bytes = await make();
      served.body = bytes;
      const start = restore(served, null, new SnapshotSeal(KEY, randomBytes));
      const ended = startErrorOf(start);
      await until(() => start.timers.delaysMs.length === 1, 'it waits before it looks again');
      start.timers.advance(1_000);
      const said = await ended;
      assert.match(said, message);
      assert.match(said, /To start without it, move it away or set another SNAPSHOT_URL\.$/);
      assert.equal(served.body, bytes);
      assert.deepEqual(served.log, ['GET 200', 'GET 200']);
    });
  }
});

test('an answer that was cut off unnoticed is read once more', async (t) => {
  const served = await startPutGet(t);
  await putSnapshot(served, 7);
  const whole = served.body;
  served.body = whole?.subarray(0, 300) ?? null;
  const { restored, timers } = restore(served);
  await until(() => timers.delaysMs.length === 1, 'it waits');
  served.body = whole;
  timers.advance(1_000);
  assert.ok((await restored) !== null);
});

describe('a machine that still holds something', () => {
  const rows: readonly [string, Buffer, 'kept' | 'loaded'][] = [
    ['the same', documentOf(7, { counters: [[WRITER_COUNTER, THEIRS]] }), 'kept'],
    ['a newer state', documentOf(8, { counters: [[WRITER_COUNTER, THEIRS]] }), 'kept'],
    ['a state that was never in a snapshot', documentOf(7), 'kept'],
    ['an older state', documentOf(6, { counters: [[WRITER_COUNTER, THEIRS]] }), 'loaded'],
    [
      'a state of before another instance took over',
      documentOf(9, { counters: [[WRITER_COUNTER, 33]] }),
      'loaded',
    ],
    ['another installation', documentOf(9, { instanceId: 'ffffffff' }), 'loaded'],
  ];
  for (const [what, local, kind] of rows) {
    test(`${what}: ${kind}`, async (t) => {
      const served = await startPutGet(t);
      await putSnapshot(served, 7);
      const restored = await restore(served, local).restored;
      assert.equal(restored === null ? 'kept' : 'loaded', kind);
      assert.equal(await writerOf(served), kind === 'loaded' ? OURS : THEIRS);
    });
  }
});

test('what another instance writes while it is loaded is loaded instead', async (t) => {
  const served = await startPutGet(t);
  await putSnapshot(served, 7);
  served.intercept = (req) => {
    if (req.method !== 'PUT') return false;
    served.intercept = null;
    served.body = newer;
    return false;
  };
  const newer = await sharedSeal.seal(documentOf(8), { generation: 8, writer: THEIRS });
  const { restored, timers } = restore(served);
  await until(() => timers.delaysMs.length === 1, 'it waits');
  timers.advance(1_000);
  const loaded = await restored;
  assert.ok(loaded !== null);
  assert.equal(readDocumentVersion(loaded.bytes)?.generation, 8);
  assert.equal(await writerOf(served), OURS);
});

test('a place that cannot be written just now does not keep the state from being used', async (t) => {
  const served = await startPutGet(t);
  await putSnapshot(served, 7);
  served.intercept = (req, res) => {
    if (req.method === 'PUT') res.writeHead(503).end();
    return req.method === 'PUT';
  };
  const { restored, lines } = restore(served);
  const loaded = await restored;
  assert.ok(loaded !== null);
  assert.equal(await writerOf(served), THEIRS);
  assert.ok(lines.some(({ level, event }) => level === 'warn' && event === 'snapshot.unreachable'));
});
