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
import type { Store } from '../../src/store/store.ts';
import { makeFolder, noLock, openStore } from './fixture.ts';
import { describeStore, makeApiKey, makeSession, withApiKey } from './store-contract.ts';

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
    await store.config.update(withApiKey(makeApiKey('a')));
    for (const name of readdirSync(folder)) {
      if (name.includes('.sock-')) continue;
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    }
    await store.close();
  } finally {
    process.umask(umask);
  }
  const document = JSON.parse(readFileSync(path, 'utf8'));
  assert.equal(document.schemaVersion, 1);
  assert.equal(document.generation, 2);
  assert.match(document.checksum, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(readdirSync(folder).sort(), ['ipin-proxy.db', 'ipin-proxy.db.bak-1']);
});
