import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { makeKey } from '../helpers/records.ts';
import { createFaultyOps } from './faulty-ops.ts';
import { makeFolder, noLock, openStore } from './fixture.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

/** Files by the end of their names. */
type Files = Readonly<Record<string, string>>;

/** A database whose provider key is not sealed. */
async function goodFile(): Promise<string> {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  await changeConfig(store.config, (state) => {
    const [preset] = state.providers.values();
    assert.ok(preset);
    const provider = { ...preset, keys: [makeKey({ secret: 'sk-unsealed' })] };
    return { state: { ...state, providers: new Map([[provider.id, provider]]) }, result: null };
  });
  for (const id of ['a', 'b']) await changeConfig(store.config, withApiKey(makeApiKey(id)));
  await store.close();
  return readFileSync(path, 'utf8');
}

const PLAIN =
  '{"providers":[{"id":"p","baseUrl":"http://p","apiKey":"sk-p"}],"apiKeys":[{"id":"a","key":"sk-a"},{"id":"b","key":"sk-b"}]}';

/** What a start has to put in order; each holds the keys a and b. */
const STARTS: readonly [string, () => Promise<Files>][] = [
  ['from a backup', async () => ({ '': 'torn', '.bak-3': await goodFile() })],
  ['from a side copy', async () => ({ '': 'torn', '.side': await goodFile() })],
  ['that migrates', async () => ({ '': PLAIN })],
  ['that seals keys', async () => ({ '': await goodFile(), '.bak-2': await goodFile() })],
  ['that has strays to remove', async () => ({ '': await goodFile(), '.tmp-1': 'x', '.side': 'x' })],
];

function place(files: Files): string {
  const path = join(makeFolder(), 'ipin-proxy.db');
  for (const [suffix, content] of Object.entries(files))
    writeFileSync(path + suffix, content, { mode: 0o644 });
  return path;
}

const encryptionKey = 'an encryption key';

async function countCalls(files: Files): Promise<number> {
  const ops = createFaultyOps();
  ops.arm(null);
  await openStore(place(files), { ops, acquireLock: noLock, encryptionKey });
  return ops.calls.length;
}

function keysOf(store: JsonFileStore): string {
  return [...store.config.view().apiKeys.keys()].join('');
}

/** The original is in its place or kept beside it. */
function assertOriginalKept(path: string, files: Files, cell: string): void {
  const contents = readdirSync(join(path, '..')).map((name) => readFileSync(join(path, '..', name), 'utf8'));
  if (files['']?.startsWith('{\n') !== true) assert.ok(contents.includes(files[''] ?? ''), cell);
}

for (const [what, makeFiles] of STARTS) {
  test(`a start ${what}: death at any call, and the next start finds everything`, async () => {
    const files = await makeFiles();
    const total = await countCalls(files);
    for (let at = 1; at <= total; at += 1) {
      const path = place(files);
      const ops = createFaultyOps();
      ops.arm({ at, kind: 'death', code: '', torn: at % 2 === 0 });
      void openStore(path, { ops, acquireLock: noLock, encryptionKey });
      while (ops.calls.length < at) await new Promise(setImmediate);
      const cell = `call ${at} (${ops.calls.at(-1)})`;
      assertOriginalKept(path, files, cell);
      const store = await openStore(path, { acquireLock: noLock, encryptionKey });
      assert.equal(keysOf(store), 'ab', cell);
      await store.close();
      assert.doesNotMatch(readFileSync(path, 'utf8'), /sk-unsealed/, cell);
      assertOriginalKept(path, files, cell);
    }
  });

  test(`a start ${what}: an error at any call ends it with a reason or does not matter`, async () => {
    const files = await makeFiles();
    const total = await countCalls(files);
    for (let at = 1; at <= total; at += 1) {
      for (const kind of ['once', 'lasting'] as const) {
        const path = place(files);
        const ops = createFaultyOps();
        ops.arm({ at, kind, code: at % 2 === 0 ? 'EIO' : 'ENOSPC', torn: true });
        const cell = `call ${at} (${kind})`;
        const store = await openStore(path, { ops, acquireLock: noLock, encryptionKey }).catch(
          (error: unknown) => {
            assert.ok(error instanceof StoreStartError, `${cell}: ${error}`);
            assert.doesNotMatch(error.message, /\n/);
          },
        );
        assertOriginalKept(path, files, cell);
        ops.arm(null);
        if (store !== undefined) {
          assert.equal(keysOf(store), 'ab', cell);
          await changeConfig(store.config, withApiKey(makeApiKey('c')));
          await store.close();
        }
        const again = await openStore(path, { acquireLock: noLock, encryptionKey });
        assert.equal(keysOf(again), store === undefined ? 'ab' : 'abc', cell);
        await again.close();
        assertOriginalKept(path, files, cell);
      }
    }
  });
}
