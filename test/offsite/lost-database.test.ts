import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readDocumentVersion } from '../../src/offsite/document-version.ts';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { until } from '../helpers/until.ts';
import { KEY } from './fixture.ts';
import { type Instance, startInstance } from './instance.ts';
import { type PutGetServer, startPutGet } from './put-get-server.ts';

const MODELS = ['m1', 'm2', 'm3', 'm4'];
const ALL = ['dots-ocr', ...MODELS];

/** Models and writer of what the snapshot holds. */
async function held(served: PutGetServer): Promise<{ readonly models: string[]; readonly writer: number }> {
  assert.ok(served.body !== null);
  const { document, writer } = await new SnapshotSeal(KEY, randomBytes).open(served.body);
  const { models }: { models: { id: string }[] } = JSON.parse(document.toString());
  return { models: models.map(({ id }) => id), writer };
}

async function start(t: TestContext, served: PutGetServer, path?: string): Promise<Instance> {
  const instance = await startInstance(t, { url: served.url, ...(path === undefined ? {} : { path }) });
  await instance.started;
  await until(() => instance.snapshotter.status().lastResult !== null, 'it has looked');
  return instance;
}

async function stop(instance: Instance): Promise<void> {
  await instance.close();
  await instance.snapshotter.flush();
}

/** A database whose newest backup lacks the last model, while the snapshot has it; its server is gone. */
async function makeBoth(t: TestContext): Promise<{ readonly served: PutGetServer; readonly path: string }> {
  const served = await startPutGet(t);
  const one = await start(t, served);
  for (const id of MODELS) await one.addModel(id);
  await stop(one);
  assert.deepEqual((await held(served)).models, ALL);
  return { served, path: one.path };
}

const beside = (path: string): string[] => readdirSync(dirname(path));

describe('the database is gone, its backups are not', () => {
  const losses: readonly [string, (path: string) => void][] = [
    ['missing', (path) => rmSync(path)],
    ['empty', (path) => truncateSync(path, 0)],
  ];
  for (const [how, lose] of losses) {
    test(`${how}: a newer snapshot goes before an older backup, which is kept`, async (t) => {
      const { served, path } = await makeBoth(t);
      lose(path);
      const backups = beside(path).filter((name) => name.includes('.bak-'));
      const again = await start(t, served, path);
      assert.deepEqual(again.modelIds(), ALL);
      assert.equal(again.snapshotter.status().lastResult, 'written');
      assert.deepEqual((await held(served)).models, ALL);
      const aside = beside(path).find((name) => name.startsWith('replaced-')) ?? '';
      const kept = readdirSync(join(dirname(path), aside));
      for (const name of backups) assert.ok(kept.includes(name), name);
    });
  }

  test('empty, and the lock of a process that was killed is there: the snapshot is used all the same', async (t) => {
    const { served, path } = await makeBoth(t);
    truncateSync(path, 0);
    const lock = { pid: 4_000_000, startTime: '1', bootId: 'earlier', pidNamespace: null, nonce: 'aa' };
    writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, settled: 1, hasSocket: false }));
    const again = await start(t, served, path);
    assert.deepEqual(again.modelIds(), ALL);
  });

  test('a newer backup goes before an older snapshot', async (t) => {
    const served = await startPutGet(t);
    const one = await start(t, served);
    await one.addModel('m1');
    await one.snapshotter.flush();
    for (const id of ['m2', 'm3', 'm4']) await one.addModel(id);
    await one.close();
    rmSync(one.path);
    const again = await start(t, served, one.path);
    assert.deepEqual(again.modelIds(), ['dots-ocr', 'm1', 'm2', 'm3']);
    assert.equal(again.store.status().state, 'recovered');
    assert.deepEqual((await held(served)).models, ['dots-ocr', 'm1', 'm2', 'm3']);
  });
});

describe('what was newer in the snapshot than on the disk stays there, also after later changes and restarts', () => {
  async function assertKept(
    t: TestContext,
    served: PutGetServer,
    path: string,
    state: string,
  ): Promise<void> {
    const { writer } = await held(served);
    const one = await start(t, served, path);
    assert.deepEqual(one.modelIds(), ['dots-ocr', 'm1', 'm2', 'm3']);
    assert.equal(one.store.status().state, state);
    assert.equal(one.snapshotter.status().lastResult, 'conflict');
    assert.match(one.snapshotter.status().message, /holds a snapshot that is newer than this database/);
    await until(
      () => readDocumentVersion(readFileSync(path))?.writer !== writer,
      'it has noted that on the disk',
    );
    for (const id of ['n1', 'n2', 'n3', 'n4', 'n5']) await one.addModel(id);
    await stop(one);
    const two = await start(t, served, path);
    assert.equal(two.snapshotter.status().lastResult, 'conflict');
    await two.addModel('n6');
    await stop(two);
    assert.deepEqual((await held(served)).models, ALL);
    assert.equal((await held(served)).writer, writer);

    for (const name of beside(path)) rmSync(join(dirname(path), name));
    const three = await start(t, served, path);
    assert.deepEqual(three.modelIds(), ALL, 'as the message says');
  }

  test('a torn database is recovered from its backup', async (t) => {
    const { served, path } = await makeBoth(t);
    truncateSync(path, 200);
    await assertKept(t, served, path, 'recovered');
  });

  test('an older copy was put in its place', async (t) => {
    const { served, path } = await makeBoth(t);
    const newest = beside(path)
      .filter((name) => name.includes('.bak-'))
      .sort()
      .at(-1);
    const older = readFileSync(join(dirname(path), newest ?? ''));
    for (const name of beside(path)) rmSync(join(dirname(path), name));
    writeFileSync(path, older);
    await assertKept(t, served, path, 'ok');
  });
});
