import assert from 'node:assert/strict';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import { locateStore } from '../../src/store/location.ts';
import type { Store } from '../../src/store/store.ts';
import { createFaultyOps } from './faulty-ops.ts';
import { captureLog, makeFolder, NOW_MS, noLock, openStore } from './fixture.ts';
import { describeStore, makeApiKey, makeSession, stateOf, withApiKey } from './store-contract.ts';

const paths = new Map<Store, string>();

describeStore('file store', {
  open: async () => {
    const path = join(makeFolder(), 'ipin-proxy.db');
    const store = await openStore(path);
    paths.set(store, path);
    return store;
  },
  reopen: async (store) => {
    await store.close();
    return await openStore(paths.get(store) ?? '');
  },
});

test('the file is JSON with schemaVersion, generation and checksum, mode 0600 whatever the umask', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const umask = process.umask(0);
  try {
    const store = await openStore(path);
    await changeConfig(store.config, withApiKey(makeApiKey('a')));
    for (const name of readdirSync(folder)) {
      if (!name.includes('.sock-')) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    }
    await store.close();
  } finally {
    process.umask(umask);
  }
  const document = JSON.parse(readFileSync(path, 'utf8'));
  assert.equal(document.schemaVersion, 3);
  assert.equal(document.generation, 2);
  assert.match(document.checksum, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(readdirSync(folder).sort(), ['ipin-proxy.db', 'ipin-proxy.db.bak-1']);
});

test('a file that came with wider rights is closed to others at the start', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  await (await openStore(path)).close();
  const bytes = readFileSync(path);
  writeFileSync(`${path}.copy`, bytes, { mode: 0o644 });
  const copy = await openStore(`${path}.copy`);
  assert.equal(statSync(`${path}.copy`).mode & 0o777, 0o600);
  await copy.close();
  assert.deepEqual(readFileSync(`${path}.copy`), bytes);
});

test('a write syncs the new file before it takes the place of the old one, and the folder before it is confirmed', async () => {
  const ops = createFaultyOps();
  const store = await openStore(join(makeFolder(), 'ipin-proxy.db'), { ops, acquireLock: noLock });
  ops.arm(null);
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  const calls = ops.calls.filter((call) => /sync|rename|write/.test(call));
  assert.deepEqual(calls, ['wx file.write', 'wx file.sync', 'rename', 'r file.sync']);
});

test('a write in place syncs the side copy first and never truncates the file before it has bytes', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  writeFileSync(path, '');
  const ops = createFaultyOps({ renameCode: 'EBUSY' });
  const { lines, logger } = captureLog();
  const store = await openStore(path, { ops, acquireLock: noLock, logger });
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  ops.arm(null);
  await changeConfig(store.config, withApiKey(makeApiKey('b')));
  const calls = ops.calls.filter((call) => /sync|rename|write|truncate/.test(call));
  const expected = ['wx file.write', 'wx file.sync', 'rename', 'r file.sync'];
  expected.push('r+ file.write', 'r+ file.truncate', 'r+ file.sync', 'rename');
  assert.deepEqual(calls, expected);
  assert.equal(lines.filter(({ event }) => event === 'store.in_place').length, 1);
});

test('a write in place keeps the old version as a backup, which later writes do not touch', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  await (await openStore(path)).close();
  const versions = [readFileSync(path)];
  const store = await openStore(path, { ops: createFaultyOps({ renameCode: 'EBUSY' }), acquireLock: noLock });
  for (const id of ['a', 'b', 'c']) {
    await changeConfig(store.config, withApiKey(makeApiKey(id)));
    versions.push(readFileSync(path));
  }
  await store.close();
  for (const [index, bytes] of versions.slice(0, -1).entries()) {
    assert.deepEqual(readFileSync(`${path}.bak-${index + 1}`), bytes, `version ${index + 1}`);
  }
});

test('waiting changes go out in one write', async () => {
  const ops = createFaultyOps();
  const store = await openStore(join(makeFolder(), 'ipin-proxy.db'), { ops, acquireLock: noLock });
  ops.arm(null);
  const updates = Array.from({ length: 40 }, (_, index) =>
    changeConfig(store.config, withApiKey(makeApiKey(`k${index}`))),
  );
  await Promise.all(updates);
  assert.equal(ops.calls.filter((call) => call === 'rename').length, 1);
});

test('a link in the place of the file stays a link', async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'data'));
  const link = join(folder, 'link.db');
  symlinkSync(join(folder, 'data', 'real.db'), link);
  const location = await locateStore({
    dbPath: link,
    onRender: false,
    workingFolder: folder,
    temporaryFolder: folder,
    programFolder: folder,
    secretsFolder: folder,
  });
  const store = await openStore(location.path, { location });
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  await store.close();
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.match(readFileSync(link, 'utf8'), /"Key a"/);
});

test('sessions live on in memory while the disk fails, and reach it later', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const ops = createFaultyOps();
  const store = await openStore(path, { ops, acquireLock: noLock, retryDelayMs: 3_600_000 });
  ops.arm({ at: 1, kind: 'lasting', code: 'ENOSPC' });
  await store.sessions.put(makeSession('s'));
  assert.equal((await store.sessions.get('s'))?.digest, 's');
  assert.equal(store.status().state, 'failing');
  assert.match(store.status().message, /no space is left/);
  ops.arm(null);
  await store.close();
  const again = await openStore(path);
  assert.equal((await again.sessions.get('s'))?.digest, 's');
  await again.close();
});

test('a last use that a failed write took along reaches the disk later', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const ops = createFaultyOps();
  const store = await openStore(path, { ops, acquireLock: noLock, retryDelayMs: 3_600_000 });
  await store.lastUse.note('key', 42);
  ops.arm({ at: 1, kind: 'once', code: 'EIO' });
  await assert.rejects(changeConfig(store.config, withApiKey(makeApiKey('a'))), HttpError);
  await store.close();
  const again = await openStore(path);
  assert.deepEqual(await again.lastUse.read(['key']), [42]);
  await again.close();
});

test('a failing disk is tried again by itself', async () => {
  const ops = createFaultyOps();
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path, { ops, acquireLock: noLock, retryDelayMs: 1 });
  ops.arm({ at: 1, kind: 'once', code: 'EIO' });
  await assert.rejects(changeConfig(store.config, withApiKey(makeApiKey('a'))), HttpError);
  while (store.status().state === 'failing') await new Promise(setImmediate);
  assert.equal(store.status().state, 'ok');
  await store.close();
});

test('soft changes are written behind, once for many', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const ops = createFaultyOps();
  const store = await openStore(path, { ops, acquireLock: noLock, softChangeDelayMs: 5 });
  ops.arm(null);
  for (let index = 0; index < 100; index += 1) await store.lastUse.note(`n${index}`, index);
  while (!readFileSync(path, 'utf8').includes('n99')) await new Promise(setImmediate);
  assert.equal(ops.calls.filter((call) => call === 'rename').length, 1);
  assert.equal(readdirSync(join(path, '..')).filter((name) => name.includes('.bak-')).length, 0);
  await store.close();
});

test('shutdown writes only when there is something to write', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  const before = statSync(path).ino;
  await store.close();
  assert.equal(statSync(path).ino, before);
  await assert.rejects(changeConfig(store.config, withApiKey(makeApiKey('a'))), /stopping/);
});

test('exportDocument() gives a database file with what was saved', async () => {
  const folder = makeFolder();
  const store = await openStore(join(folder, 'ipin-proxy.db'));
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  writeFileSync(join(folder, 'copy.db'), store.exportDocument());
  const copy = await openStore(join(folder, 'copy.db'));
  assert.deepEqual(stateOf(copy), stateOf(store));
  await copy.close();
  await store.close();
});

test('a hot copy is always a whole file', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  let isDone = false;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let index = 0; !isDone; index += 1)
      await changeConfig(store.config, withApiKey(makeApiKey(`w${writer}-${index}`)));
  });
  for (let copy = 0; copy < 200; copy += 1) {
    assert.ok(JSON.parse(readFileSync(path, 'utf8')).checksum);
    await new Promise(setImmediate);
  }
  isDone = true;
  await Promise.all(writers);
  await store.close();
});

test('backups are versions of the configuration: hard links that later writes do not touch', async () => {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  let now = NOW_MS;
  const store = await openStore(path, { now: () => now });
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    now += 1000;
    await changeConfig(store.config, withApiKey(makeApiKey(id)));
    await store.sessions.put(makeSession(id));
  }
  await store.close();
  const backups = readdirSync(folder).filter((name) => name.includes('.bak-'));
  assert.equal(backups.length, 5);
  for (const name of backups) {
    assert.equal(statSync(join(folder, name)).nlink, 1);
    const { apiKeys } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    assert.ok(apiKeys.length >= 2 && apiKeys.length <= 6, name);
  }
});

test('another name of the file (a hard link) does not disturb', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  linkSync(path, `${path}.mine`);
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  assert.doesNotMatch(readFileSync(`${path}.mine`, 'utf8'), /"Key a"/);
  await store.close();
});
