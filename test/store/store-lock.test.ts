import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import { acquireStoreLock } from '../../src/store/store-lock.ts';
import { StorePaths } from '../../src/store/store-paths.ts';
import { prepareProgram } from '../helpers/programs.ts';
import { makeFolder, openStore } from './fixture.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

const HOLDER = prepareProgram(join(import.meta.dirname, 'lock-holder.ts'));
const options = { randomBytes };
const isLinux = process.platform === 'linux';
const canUnshare = isLinux && spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0;
const needsUnshare = canUnshare ? false : 'needs the right to unshare process numbers';

/** A process that opens a store and keeps it open; `prefix` is what it is started through, `cwd` where. */
async function startHolder(
  path: string,
  prefix: readonly string[] = [],
  cwd: string = process.cwd(),
): Promise<ChildProcess> {
  const command = [...prefix, ...HOLDER, path];
  const child = spawn(command[0] ?? '', command.slice(1), { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  assert.equal(String(line), 'open\n');
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function assertInUse(path: string): Promise<void> {
  await assert.rejects(openStore(path), (error: unknown) => {
    assert.ok(error instanceof StoreStartError);
    assert.match(error.message, /in use by another process \(pid \d+\); stop that one, or set DB_PATH/);
    return true;
  });
}

test('a second process is refused while the first lives, and may come when it is gone, however it went', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const first = await startHolder(path);
  await assertInUse(path);
  await stop(first, 'SIGKILL');
  assert.ok(existsSync(`${path}.lock`));
  const store = await openStore(path);
  await assertInUse(path);
  await store.close();
  assert.ok(!existsSync(`${path}.lock`));
  await (await openStore(path)).close();
  assert.deepEqual(readdirSync(join(path, '..')), ['ipin-proxy.db']);
});

test('a process that is stopped (SIGSTOP) still holds its lock', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const first = await startHolder(path);
  first.kill('SIGSTOP');
  await assertInUse(path);
  first.kill('SIGCONT');
  await stop(first, 'SIGKILL');
});

/** The lock of a process that is gone, although another process has its number by now. */
function staleLock(settled: 0 | 1): string {
  return JSON.stringify({ settled, nonce: 'ab', pid: process.pid, identity: 'another boot 1' });
}

test('a lock whose process number belongs to another process by now is stale', async () => {
  const paths = new StorePaths(join(makeFolder(), 'ipin-proxy.db'));
  writeFileSync(paths.lock, staleLock(1));
  const lock = await acquireStoreLock(paths, options);
  assert.equal(lock.hasReplacedSettled, true);
  assert.equal(await lock.isHeld(), true);
  await lock.release();
});

test('a lock from before the machine was started is stale, although its socket is still in the folder', {
  skip: !isLinux,
}, async () => {
  const paths = new StorePaths(join(makeFolder(), 'ipin-proxy.db'));
  const holder = await startHolder(paths.target);
  await stop(holder, 'SIGKILL');
  assert.equal(readdirSync(paths.folder).filter((name) => name.includes('.sock-')).length, 1);
  writeFileSync(paths.lock, readFileSync(paths.lock, 'utf8').replace('"settled":1', '"settled":0'));
  const lock = await acquireStoreLock(paths, options);
  assert.equal(lock.hasReplacedSettled, false);
  await lock.release();
});

test('where there can be no socket, a second process is refused while the first lives', async () => {
  const path = join(makeFolder(), `${'x'.repeat(100)}.db`);
  const first = await startHolder(path);
  await assertInUse(path);
  await stop(first, 'SIGKILL');
  await (await openStore(path)).close();
});

test('a socket that somebody deleted frees no lock', { skip: !isLinux }, async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const first = await startHolder(path);
  for (const name of readdirSync(join(path, '..')))
    if (name.includes('.sock-')) rmSync(join(path, '..', name));
  await assertInUse(path);
  await stop(first, 'SIGKILL');
  await (await openStore(path)).close();
});

test('a lock that cannot be read is stale', async () => {
  for (const content of ['', '{', '{"pid":1}']) {
    const paths = new StorePaths(join(makeFolder(), 'ipin-proxy.db'));
    writeFileSync(paths.lock, content);
    const lock = await acquireStoreLock(paths, options);
    assert.equal(lock.hasReplacedSettled, true);
    await lock.release();
  }
});

test('of ten that come at once one gets the lock, also over a stale one', async () => {
  const paths = new StorePaths(join(makeFolder(), 'ipin-proxy.db'));
  for (let round = 0; round < 20; round += 1) {
    if (round % 2 === 0) writeFileSync(paths.lock, staleLock(0));
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => acquireStoreLock(paths, options)),
    );
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const held = await Promise.all(locks.map((lock) => lock.isHeld()));
    assert.equal(held.filter(Boolean).length, 1);
    for (const lock of locks) await lock.release();
    rmSync(paths.lock, { force: true });
  }
});

test('whoever lost his lock writes no more', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  const lock = JSON.parse(readFileSync(`${path}.lock`, 'utf8'));
  writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, nonce: 'ffffffff' }));
  await assert.rejects(changeConfig(store.config, withApiKey(makeApiKey('a'))), {
    status: 503,
    message: /taken over/,
  });
  assert.equal(store.status().state, 'failing');
  await store.close();
  assert.ok(existsSync(`${path}.lock`));
});

test('a lock file that somebody removed is made again', async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  rmSync(`${path}.lock`);
  await changeConfig(store.config, withApiKey(makeApiKey('a')));
  await assertInUse(path);
  await store.close();
});

test('a process in another world of process numbers is seen while it lives', {
  skip: needsUnshare,
}, async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const first = await startHolder(path, ['unshare', '-pf', '--mount-proc', '--kill-child']);
  assert.equal(JSON.parse(readFileSync(`${path}.lock`, 'utf8')).pid, 1);
  await assertInUse(path);
  const holder = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim();
  await stop(first, 'SIGKILL');
  // The kernel ends the child of `unshare` after it, in its own time.
  while (existsSync(`/proc/${holder}`)) await new Promise(setImmediate);
  await (await openStore(path)).close();
});

test('a second container sees the first, whose process number is its own too', {
  skip: needsUnshare,
}, async () => {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const container = ['unshare', '-pf', '--mount-proc', '--kill-child'];
  const first = await startHolder(path, container);
  const [unshare = '', ...flags] = container;
  const second = spawnSync(unshare, [...flags, ...HOLDER, path]);
  assert.equal(second.status, 1);
  assert.match(String(second.stderr), /in use by another process \(pid 1\)/);
  await stop(first, 'SIGKILL');
  const third = await startHolder(path, container);
  await stop(third, 'SIGKILL');
});
