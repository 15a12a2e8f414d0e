import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import {
  type FolderProbe,
  type LocateOptions,
  locateStore,
  nodeFolderProbe,
} from '../../src/store/location.ts';
import { makeFolder, openStore } from './fixture.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

interface Machine extends LocateOptions {
  readonly root: string;
}

/** A machine whose folders are all there; `closed` ones cannot be written (EACCES, or EROFS where it says so). */
function machine(
  fields: Partial<LocateOptions> = {},
  closed: readonly string[] = [],
  code = 'EACCES',
): Machine {
  const root = makeFolder();
  const folder = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true });
    return join(root, name);
  };
  const folders: FolderProbe = {
    writeErrorOf: async (path) => (closed.some((name) => path.startsWith(join(root, name))) ? code : null),
    isOnRootDevice: async (path) => !path.startsWith(join(root, 'disk')),
  };
  return {
    root,
    dbPath: null,
    onRender: false,
    workingFolder: folder('app'),
    temporaryFolder: folder('tmp'),
    programFolder: folder('app'),
    secretsFolder: folder('secrets'),
    folders,
    ...fields,
  };
}

test('without DB_PATH the database lives in the working folder', async () => {
  const here = machine();
  const location = await locateStore(here);
  const path = join(here.root, 'app', 'ipin-proxy.db');
  assert.deepEqual(location, { path, mode: 'persistent', reason: null, seedPath: null });
});

test('DB_PATH may be relative, and its folder is made', async () => {
  const here = machine({ dbPath: 'data/deep/my.db' });
  assert.equal((await locateStore(here)).path, join(here.root, 'app', 'data', 'deep', 'my.db'));
  assert.equal(statSync(join(here.root, 'app', 'data', 'deep')).mode & 0o777, 0o700);
});

test('a directory in the place of the file means the file inside it', async () => {
  const here = machine();
  mkdirSync(join(here.root, 'app', 'ipin-proxy.db'));
  const location = await locateStore(here);
  assert.equal(location.path, join(here.root, 'app', 'ipin-proxy.db', 'ipin-proxy.db'));
  const store = await openStore(location.path, { location });
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  await store.close();
  assert.ok(statSync(location.path).isFile());
  const slash = machine({ dbPath: 'folder/' });
  assert.equal((await locateStore(slash)).path, join(slash.root, 'app', 'folder', 'ipin-proxy.db'));
});

test('links are followed, also to a file that is not there yet; a circle is refused', async () => {
  const here = machine({ dbPath: 'a.db' });
  symlinkSync('b.db', join(here.root, 'app', 'a.db'));
  symlinkSync(join(here.root, 'disk', 'c.db'), join(here.root, 'app', 'b.db'));
  assert.equal((await locateStore(here)).path, join(here.root, 'disk', 'c.db'));
  const circle = machine({ dbPath: 'a.db' });
  symlinkSync('b.db', join(circle.root, 'app', 'a.db'));
  symlinkSync('a.db', join(circle.root, 'app', 'b.db'));
  await assert.rejects(locateStore(circle), /circle/);
});

test('DB_PATH that cannot be written ends the start with the command that mends it', async () => {
  const here = machine({ dbPath: 'data/x.db' }, ['app/data']);
  await assert.rejects(locateStore(here), (error: unknown) => {
    assert.ok(error instanceof StoreStartError);
    assert.match(
      error.message,
      /cannot be written \(EACCES\); run: sudo mkdir -p '.*\/data' && sudo chown \d+/,
    );
    return true;
  });
  const readOnly = machine({ dbPath: 'data/x.db' }, ['app/data'], 'EROFS');
  await assert.rejects(locateStore(readOnly), /\(EROFS\); mount that folder writable/);
  const file = machine({ dbPath: 'file/x.db' });
  writeFileSync(join(file.root, 'app', 'file'), '');
  await assert.rejects(locateStore(file), /cannot be written \((ENOTDIR|EEXIST)\)/);
});

test('where the default folder cannot be written, storage is volatile', async () => {
  const here = machine({}, ['app']);
  const location = await locateStore(here);
  assert.equal(location.path, join(here.root, 'tmp', 'ipin-proxy', 'ipin-proxy.db'));
  assert.equal(location.mode, 'volatile');
  assert.match(location.reason ?? '', /volatile: its folder cannot be written/);
  assert.equal(statSync(join(here.root, 'tmp', 'ipin-proxy')).mode & 0o777, 0o700);
});

test('on Render only a mounted disk lasts', async () => {
  const free = machine({ onRender: true });
  const location = await locateStore(free);
  assert.equal(location.mode, 'volatile');
  assert.match(location.reason ?? '', /this host keeps no files/);
  const explicit = machine({ onRender: true, dbPath: 'data/x.db' }, ['app/data']);
  assert.equal((await locateStore(explicit)).mode, 'volatile');
  const paid = machine({ onRender: true });
  const disk = await locateStore({ ...paid, dbPath: join(paid.root, 'disk', 'x.db') });
  assert.equal(disk.mode, 'persistent');
});

test('volatile storage starts from the Secret File once, not again', async () => {
  const here = machine({ onRender: true });
  const secret = join(here.secretsFolder, 'ipin-proxy.db');
  writeFileSync(
    secret,
    JSON.stringify({ providers: [{ id: 'p', baseUrl: 'https://p.example/v1', apiKey: 'sk-p' }] }),
  );
  const location = await locateStore(here);
  assert.equal(location.seedPath, secret);
  const store = await openStore(location.path, { location });
  assert.deepEqual([...store.config.view().providers.keys()], ['p']);
  assert.equal(store.status().state, 'volatile');
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  await store.close();
  writeFileSync(secret, JSON.stringify({ providers: [] }));
  const again = await openStore(location.path, { location: await locateStore(here) });
  assert.equal(again.config.view().providers.size, 1);
  assert.equal(again.config.view().apiKeys.size, 1);
  await again.close();
});

test('the Secret File may stand beside the program; one that cannot be used ends the start by its name', async () => {
  const here = machine({ onRender: true });
  const beside = join(here.programFolder, 'ipin-proxy.db');
  writeFileSync(beside, '{"providers":');
  const location = await locateStore(here);
  assert.equal(location.seedPath, beside);
  await assert.rejects(
    openStore(location.path, { location }),
    /app\/ipin-proxy\.db cannot be used: it is not complete/,
  );
});

test('where nothing can be written, what is there is served and changes are refused', async () => {
  const here = machine({}, ['app', 'tmp']);
  const path = join(here.root, 'app', 'ipin-proxy.db');
  const earlier = await openStore(path);
  await changeConfig(earlier.config, withApiKey(makeApiKey('a')));
  await earlier.close();
  const location = await locateStore(here);
  assert.deepEqual([location.mode, location.path], ['read-only', path]);
  const store = await openStore(path, { location });
  assert.deepEqual([...store.config.view().apiKeys.keys()], ['a']);
  await assert.rejects(changeConfig(store.config, withApiKey(makeApiKey('b'))), {
    status: 503,
    message: /read-only/,
  });
  assert.equal(store.status().state, 'read-only');
  await store.close();
});

test('the real probe tells a folder that can be written from one that is not there', async () => {
  const folder = makeFolder();
  assert.equal(await nodeFolderProbe.writeErrorOf(folder), null);
  assert.equal(await nodeFolderProbe.writeErrorOf(join(folder, 'missing')), 'ENOENT');
  assert.equal(await nodeFolderProbe.isOnRootDevice('/'), true);
});
