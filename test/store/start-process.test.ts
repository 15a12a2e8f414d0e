import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeConfig } from '../../src/store/change-config.ts';
import { secretOf } from '../helpers/records.ts';
import { expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { runServer } from '../helpers/start-server.ts';
import { makeFolder, openStore } from './fixture.ts';
import { addKey, ENV, prepareServer, refusalOf, storageOf } from './server-command.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

const isLong = process.env['IPIN_LONG'] === '1';
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const skip = canMount ? false : 'needs the right to mount';

const command = prepareServer();

test('a directory in the place of the database: what is stored is inside it, and there after a kill', async (t) => {
  const folder = makeFolder();
  const path = join(folder, 'state');
  mkdirSync(path);
  const env = { ...ENV, DB_PATH: path };
  const first = runServer(t, { command, folder, env });
  const token = await signIn(await first.listening);
  await expectStatus(201, await addKey(await first.listening, token));
  await first.kill('SIGKILL');
  const second = runServer(t, { command, folder, env });
  assert.equal(await storageOf(second), 'ok');
  const headers = { authorization: `Bearer ${token}` };
  const keys = await fetch(`${await second.listening}/api/admin/apikeys`, { headers });
  assert.match(await keys.text(), /"one more"/);
  assert.ok(statSync(join(path, 'ipin-proxy.db')).isFile());
});

test('a second server on the same database ends with code 1; the first goes on, and after its death there is no lock', async (t) => {
  const folder = makeFolder();
  const first = runServer(t, { command, folder, env: ENV });
  const origin = await first.listening;
  const second = runServer(t, { command, folder, env: ENV });
  assert.deepEqual(await refusalOf(second), [1, null]);
  assert.match(second.stderr(), /^[^\n]*in use by another process[^\n]*\n$/);
  await expectStatus(201, await addKey(origin, await signIn(origin)));
  await first.kill('SIGKILL');
  assert.ok(existsSync(join(folder, 'ipin-proxy.db.lock')), 'its lock is still there');
  assert.equal(await storageOf(runServer(t, { command, folder, env: ENV })), 'ok');
});

describe('a folder that cannot be written', { skip }, () => {
  /** Starts in a folder that is mounted read-only, in a world of mounts of its own. */
  const START = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && shift && exec "$@"';
  const readOnly = (folder: string, before = 'true'): readonly string[] => [
    ...['unshare', '-m', 'sh', '-c', `${before} && ${START}`, 'sh', folder],
    ...command,
  ];

  async function writeDatabase(path: string, id: string): Promise<void> {
    const store = await openStore(path);
    await changeConfig(store.config, withApiKey(makeApiKey(id)));
    await store.close();
  }

  test('storage is volatile in the temporary folder, said in log, panel and /health, and seeded once', async (t) => {
    const [folder, temporary, secrets] = [makeFolder(), makeFolder(), makeFolder()];
    await writeDatabase(join(secrets, 'ipin-proxy.db'), 'of-the-secret-file');
    const seed = readFileSync(join(secrets, 'ipin-proxy.db'));
    // A Secret File of the host, without touching this machine's own folder.
    const place = `mount -t tmpfs none /etc && mkdir /etc/secrets && cp '${secrets}/ipin-proxy.db' /etc/secrets/`;
    const env = { ...ENV, TMPDIR: temporary };
    const first = runServer(t, { command: readOnly(folder, place), folder, env });
    const origin = await first.listening;
    assert.equal(await storageOf(first), 'volatile');
    assert.match(first.stdout(), /"level":"warn","event":"store.volatile".*Storage is volatile/);
    const token = await signIn(origin);
    const status = await fetch(`${origin}/api/admin/status`, jsonRequest('GET', `Bearer ${token}`));
    assert.match(await status.text(), /"code":"storage_volatile"/);
    await expectStatus(201, await addKey(origin, token));
    const path = join(temporary, 'ipin-proxy', 'ipin-proxy.db');
    const stored = readFileSync(path, 'utf8');
    for (const name of ['of-the-secret-file', 'one more']) assert.ok(stored.includes(name), name);
    assert.deepEqual(readFileSync(join(secrets, 'ipin-proxy.db')), seed);
    await first.kill('SIGKILL');

    await writeDatabase(join(secrets, 'ipin-proxy.db'), 'of-a-later-secret-file');
    const second = runServer(t, { command: readOnly(folder, place), folder, env });
    assert.equal(await storageOf(second), 'volatile');
    const again = readFileSync(path, 'utf8');
    assert.ok(again.includes('one more') && !again.includes('of-a-later-secret-file'));
  });

  test('nothing can be written anywhere: what is there is served, changes are refused with 503', async (t) => {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    await writeDatabase(path, 'a');
    const before = readFileSync(path);
    const run = runServer(t, { command: readOnly(folder), folder, env: { ...ENV, TMPDIR: folder } });
    const origin = await run.listening;
    assert.equal(await storageOf(run), 'read-only');
    assert.match(run.stdout(), /"level":"warn","event":"store.read-only"/);
    await expectStatus(200, await fetch(`${origin}/v1/models`, jsonRequest('GET', `Bearer ${MASTER_KEY}`)));
    const refused = await addKey(origin, await signIn(origin));
    assert.ok(refused.headers.get('retry-after'));
    assert.match(JSON.stringify(await expectStatus(503, refused)), /"storage_unavailable"/);
    assert.deepEqual(readFileSync(path), before);
  });

  test('DB_PATH that cannot be written ends the start with the way to mend it', async (t) => {
    const folder = makeFolder();
    const env = { ...ENV, DB_PATH: join(folder, 'my.db') };
    const run = runServer(t, { command: readOnly(folder), folder, env });
    assert.deepEqual(await refusalOf(run), [1, null]);
    assert.match(
      run.stderr(),
      /^The folder of the database .*\/my\.db cannot be written \(EROFS\); mount that folder writable.*\n$/,
    );
  });
});

const PLAIN = JSON.stringify({
  providers: [{ id: 'p', name: 'P', baseUrl: 'http://p', apiKey: 'sk-plain-provider' }],
  models: { m: { name: 'M', providerId: 'p' } },
  apiKeys: [{ id: 'a', key: 'sk-plain-a' }],
  users: [{ id: 'u', username: 'u', password: 'plain password' }],
});

test(`SIGKILL while a plain file is migrated, ${isLong ? 50 : 8} times: the old file or the new one`, async (t) => {
  const rounds = isLong ? 50 : 8;
  const env = { ...ENV, ENCRYPTION_KEY: 'a key for provider keys' };
  const startedMs = performance.now();
  const whole = runServer(t, { command, folder: makeFolder(), env });
  await whole.listening;
  const startMs = performance.now() - startedMs;
  await whole.kill('SIGKILL');
  let migrated = 0;
  for (let round = 0; round < rounds; round += 1) {
    const folder = makeFolder();
    const path = join(folder, 'ipin-proxy.db');
    const original = `${path}.v0.bak`;
    writeFileSync(path, PLAIN, { mode: 0o644 });
    const run = runServer(t, { command, folder, env });
    // Spread over the later part of a start, where files are read and written.
    const delayMs = Math.round(startMs * (0.5 + round / rounds));
    setTimeout(() => run.kill('SIGKILL'), delayMs);
    await run.ended;
    const cell = `round ${round}, killed after ${delayMs} ms`;
    const found = readFileSync(path, 'utf8');
    if (found !== PLAIN) {
      migrated += 1;
      assert.equal(JSON.parse(found).schemaVersion, 3, cell);
      assert.doesNotMatch(found, /sk-plain|plain password/, cell);
      assert.equal(readFileSync(original, 'utf8'), PLAIN, cell);
    }
    const store = await openStore(path, { encryptionKey: env.ENCRYPTION_KEY });
    const { providers, models, apiKeys, users } = store.config.view();
    assert.equal(secretOf(providers.get('p')), 'sk-plain-provider', cell);
    assert.deepEqual(
      [[...models.keys()], [...apiKeys.keys()], [...users.keys()]],
      [['m'], ['a'], ['u']],
      cell,
    );
    await store.close();
    assert.equal(readFileSync(original, 'utf8'), PLAIN, cell);
    if (process.platform !== 'win32') assert.equal(statSync(original).mode & 0o777, 0o600, cell);
  }
  t.diagnostic(`${rounds} kills, ${migrated} after the new file had taken its place`);
});
