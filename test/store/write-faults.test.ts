import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { errorHeader } from '../helpers/error-header.ts';
import { createFaultyOps, type Fault, type FaultyOps } from './faulty-ops.ts';
import { makeFolder, noLock, openStore } from './fixture.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

interface Rig {
  readonly path: string;
  readonly folder: string;
  readonly ops: FaultyOps;
  readonly store: JsonFileStore;
}

/** How the file can be written: by renaming onto it, or (one file mounted into a container) only in place. */
const WAYS = [
  { way: 'by rename', renameCode: undefined },
  { way: 'in place (EBUSY)', renameCode: 'EBUSY' },
] as const;
const CODES = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE'] as const;

/** A store with the keys a and b, so that there is a backup too. */
async function rig(renameCode: string | undefined): Promise<Rig> {
  const folder = makeFolder();
  const path = join(folder, 'ipin-proxy.db');
  // Where a file is mounted, it is there before the server.
  if (renameCode !== undefined) writeFileSync(path, '');
  const ops = createFaultyOps(renameCode === undefined ? {} : { renameCode });
  const store = await openStore(path, { ops, acquireLock: noLock, retryDelayMs: 3_600_000 });
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  await changeConfig(store.config, withApiKey(makeApiKey('b')));
  return { path, folder, ops, store };
}

async function keysOnDisk(path: string): Promise<string> {
  const store = await openStore(path, { acquireLock: noLock });
  const keys = keysOf(store);
  await store.close();
  return keys;
}

function keysOf(store: JsonFileStore): string {
  return [...store.config.view().apiKeys.keys()].join('');
}

/** How many calls one write makes, for a sweep over them. */
async function countCalls(renameCode: string | undefined): Promise<number> {
  const { ops, store } = await rig(renameCode);
  ops.arm(null);
  await changeConfig(store.config, withApiKey(makeApiKey('c')));
  return ops.calls.length;
}

for (const { way, renameCode } of WAYS) {
  test(`a write ${way}: an error at any call, once, leaves answer, memory and disk of one mind`, async () => {
    const total = await countCalls(renameCode);
    assert.ok(total > 10);
    for (let at = 1; at <= total; at += 1) {
      for (const code of codesFor(at)) {
        await checkError(renameCode, { at, kind: 'once', code, torn: at % 2 === 0 });
      }
    }
  });

  test(`a write ${way}: errors from any call on leave the old state in memory, and it recovers`, async () => {
    const total = await countCalls(renameCode);
    for (let at = 1; at <= total; at += 1) {
      for (const code of codesFor(at))
        await checkError(renameCode, { at, kind: 'lasting', code, torn: true });
    }
  });

  test(`a write ${way}: death at any call leaves the old or the new state`, async () => {
    const total = await countCalls(renameCode);
    const found = new Set<string>();
    for (let at = 1; at <= total; at += 1) {
      for (const torn of [false, true]) {
        const { path, ops, store } = await rig(renameCode);
        ops.arm({ at, kind: 'death', code: '', torn });
        let isAnswered = false;
        void changeConfig(store.config, withApiKey(makeApiKey('c'))).then(() => {
          isAnswered = true;
        });
        while (ops.calls.length < at) await new Promise(setImmediate);
        const keys = await keysOnDisk(path);
        assert.ok(keys === 'ab' || keys === 'abc', `call ${at} (${ops.calls.at(-1)}): ${keys}`);
        if (isAnswered) assert.equal(keys, 'abc');
        found.add(keys);
      }
    }
    assert.deepEqual([...found].sort(), ['ab', 'abc']);
  });
}

/** One code for each call, by turns; all of them in the long run. */
function codesFor(at: number): readonly string[] {
  return process.env['IPIN_LONG'] === '1' ? CODES : CODES.slice(at % CODES.length).slice(0, 1);
}

async function checkError(renameCode: string | undefined, fault: Fault): Promise<void> {
  const { path, folder, ops, store } = await rig(renameCode);
  ops.arm(fault);
  const outcome = await changeConfig(store.config, withApiKey(makeApiKey('c'))).then(
    () => 'saved',
    (error: unknown) => error,
  );
  const cell = `call ${fault.at} (${ops.calls[fault.at - 1]}) ${fault.kind} ${fault.code}`;
  const expected = outcome === 'saved' ? 'abc' : 'ab';
  if (outcome !== 'saved') {
    assert.ok(outcome instanceof HttpError, `${cell}: ${outcome}`);
    assert.equal(outcome.error.code, 'storage_unavailable', cell);
    assert.ok(errorHeader(outcome, 'retry-after'), cell);
    assert.equal(store.status().state, 'failing', cell);
  }
  assert.equal(keysOf(store), expected, `${cell}: memory`);
  const onDisk = await keysOnDisk(path);
  // After a lasting fault the way back may have failed too: then either state, but a whole one.
  if (fault.kind === 'once') assert.equal(onDisk, expected, `${cell}: disk`);
  else assert.ok(onDisk === expected || onDisk === 'abc', `${cell}: disk ${onDisk}`);

  ops.arm(null);
  await checkRecovery({ path, folder, ops, store }, cell, expected);
}

async function checkRecovery(
  { path, folder, ops, store }: Rig,
  cell: string,
  expected: string,
): Promise<void> {
  await changeConfig(store.config, withApiKey(makeApiKey('d')));
  assert.equal(store.status().state, 'ok', cell);
  assert.equal(keysOf(store), `${expected}d`, `${cell}: memory after recovery`);
  await store.close();
  assert.equal(await keysOnDisk(path), `${expected}d`, `${cell}: disk after recovery`);
  const strays = readdirSync(folder).filter((name) => /\.tmp-|\.side$|conflict|corrupt/.test(name));
  assert.deepEqual(strays, [], cell);
  assert.ok(ops.calls.length > 0);
}
