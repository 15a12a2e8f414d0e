import assert from 'node:assert/strict';
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { makeFolder, openStore } from './fixture.ts';
import { makeApiKey, makeSession, withApiKey } from './store-contract.ts';

interface Rig {
  readonly folder: string;
  readonly path: string;
  /** A copy of the file from when it held the key a. */
  readonly copy: string;
  /** Holds the keys a and b. */
  readonly store: JsonFileStore;
}

async function rig(): Promise<Rig> {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  const copy = join(folder, 'copy');
  const store = await openStore(path);
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  copyFileSync(path, copy);
  await changeConfig(store.config, withApiKey(makeApiKey('b')));
  return { folder, path, copy, store };
}

function conflictIn(folder: string): string | null {
  const names = readdirSync(folder).filter((name) => name.includes('.conflict-'));
  assert.ok(names.length <= 1);
  return names[0] === undefined ? null : readFileSync(join(folder, names[0]), 'utf8');
}

const REPLACEMENTS: readonly [string, (rig: Rig) => void][] = [
  ['cp onto it', ({ copy, path }) => copyFileSync(copy, path)],
  ['mv onto it', ({ copy, path }) => renameSync(copy, path)],
  ['written in place', ({ copy, path }) => writeFileSync(path, readFileSync(copy))],
  ['a plain file of another program', ({ path }) => writeFileSync(path, '{"providers":[],"users":[]}')],
  ['nonsense', ({ path }) => writeFileSync(path, 'nonsense')],
];

for (const [how, replace] of REPLACEMENTS) {
  test(`a file replaced under the running server (${how}) is kept, ours is saved beside it, writes are refused`, async () => {
    const it = await rig();
    replace(it);
    const theirs = readFileSync(it.path);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(changeConfig(it.store.config, withApiKey(makeApiKey('c'))), {
        status: 503,
        message: /replaced from outside.*restart/,
      });
    }
    assert.equal(it.store.status().state, 'failing');
    assert.deepEqual([...it.store.config.view().apiKeys.keys()], ['a', 'b']);
    await it.store.close();
    assert.deepEqual(readFileSync(it.path), theirs);
    const conflict = conflictIn(it.folder) ?? '';
    assert.match(conflict, /"Key b"/);
    assert.doesNotMatch(conflict, /"Key c"/);
  });
}

test('after the restart the restored content is live, and later backups count on', async () => {
  const { path, copy, store, folder } = await rig();
  copyFileSync(copy, path);
  await store.close();
  assert.match(conflictIn(folder) ?? '', /"Key b"/);
  const again = await openStore(path);
  assert.equal(again.status().state, 'ok');
  assert.deepEqual([...again.config.view().apiKeys.keys()], ['a']);
  await changeConfig(again.config, withApiKey(makeApiKey('d')));
  await again.close();
  writeFileSync(path, 'torn');
  const recovered = await openStore(path);
  assert.deepEqual([...recovered.config.view().apiKeys.keys()], ['a']);
  await recovered.close();
});

test('unsaved sessions go into the conflict file when the file was replaced before the shutdown', async () => {
  const { path, copy, store, folder } = await rig();
  await store.sessions.put(makeSession('s'));
  await store.sessions.touch('s', 424242);
  copyFileSync(copy, path);
  const theirs = readFileSync(path);
  await store.close();
  assert.deepEqual(readFileSync(path), theirs);
  assert.match(conflictIn(folder) ?? '', /424242/);
});

test('a file that was only touched, or replaced by its own copy, is still ours', async () => {
  const { path, store, folder } = await rig();
  utimesSync(path, 1, 1);
  await changeConfig(store.config, withApiKey(makeApiKey('c')));
  copyFileSync(path, join(folder, 'same'));
  renameSync(join(folder, 'same'), path);
  await changeConfig(store.config, withApiKey(makeApiKey('d')));
  assert.equal(store.config.view().apiKeys.size, 4);
  await store.close();
  assert.equal(conflictIn(folder), null);
});

test('a file that was removed is written anew', async () => {
  const { path, store } = await rig();
  rmSync(path);
  await changeConfig(store.config, withApiKey(makeApiKey('c')));
  await store.close();
  const again = await openStore(path);
  assert.equal(again.config.view().apiKeys.size, 3);
  await again.close();
});
