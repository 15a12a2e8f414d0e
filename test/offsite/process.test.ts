import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { ownPort } from '../helpers/own-port.ts';
import { S3_CREDENTIALS, startS3 } from '../helpers/s3-stand-in.ts';
import { expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, runServer } from '../helpers/start-server.ts';
import { until } from '../helpers/until.ts';
import { documentOf, KEY, sharedSeal } from './fixture.ts';
import { startPutGet } from './put-get-server.ts';
import { BASE, s3Environment } from './server-process.ts';

async function call(
  origin: string,
  row: string,
  { token = null as string | null, body = undefined as unknown, status = 200 } = {},
): Promise<unknown> {
  const [method = '', path = ''] = row.split(' ');
  const authorization = token === null ? null : `Bearer ${token}`;
  return expectStatus(status, await fetch(origin + path, jsonRequest(method, authorization, body)));
}

/** True once the snapshot holds so many users and keys. */
async function isKept(bytes: Buffer | null | undefined, users: number, apiKeys: number): Promise<boolean> {
  if (bytes === null || bytes === undefined) return false;
  const { document } = await new SnapshotSeal(KEY, randomBytes).open(bytes);
  const config = JSON.parse(document.toString());
  return config.users.length === users && config.apiKeys.length === apiKeys;
}

test('kill -9, an empty disk, and everything is back: providers, models, keys, users and sessions', async (t) => {
  const s3 = await startS3(t);
  const folder = makeTestFolder(t);
  const env = { ...BASE, ...s3Environment(s3) };
  const first = runServer(t, { folder, env });
  const firstOrigin = await first.listening;
  const admin = await signIn(firstOrigin);
  const provider = { id: 'acme', name: 'Acme', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-provider' };
  await call(firstOrigin, 'POST /api/admin/providers', { token: admin, status: 201, body: provider });
  const model = { id: 'acme/large', name: 'Large', providerId: 'acme' };
  await call(firstOrigin, 'POST /api/admin/models', { token: admin, status: 201, body: model });
  const alice = { username: 'alice', name: 'Alice', password: 'down the rabbit hole', models: ['acme/*'] };
  const made = await call(firstOrigin, 'POST /api/admin/users', { token: admin, status: 201, body: alice });
  const { id: userId } = made as { id: string };
  const user = await signIn(firstOrigin, alice);
  const key = await call(firstOrigin, 'POST /api/admin/apikeys', {
    token: admin,
    status: 201,
    body: { name: 'one', userId },
  });
  const { key: apiKey } = key as { key: string };
  let isThere = false;
  const written = (): Buffer | undefined => s3.objects.get('/bucket/state')?.body;
  while (!isThere) {
    const before = s3.log.length;
    isThere = await isKept(written(), 1, 1);
    if (!isThere) await until(() => s3.log.length > before, 'it writes');
  }
  const [, signal] = await first.kill('SIGKILL');
  assert.equal(signal, 'SIGKILL');

  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const second = runServer(t, { folder, env });
  const origin = await second.listening;
  assert.match(
    JSON.stringify(await call(origin, 'GET /api/admin/providers/acme', { token: admin })),
    /"Acme"/,
  );
  assert.match(
    JSON.stringify(await call(origin, 'GET /api/admin/models', { token: admin })),
    /"acme\/large"/,
  );
  assert.match(JSON.stringify(await call(origin, 'GET /v1/models', { token: apiKey })), /"acme\/large"/);
  assert.match(JSON.stringify(await call(origin, 'GET /api/user/me', { token: user })), /"alice"/);
  await signIn(origin, alice);
  assert.ok(existsSync(join(folder, 'ipin-proxy.db')));
  assert.match(second.stdout(), /"event":"snapshot.loaded"/);
  for (const secret of [S3_CREDENTIALS.secretAccessKey, KEY, apiKey, 'sk-provider']) {
    assert.ok(
      !(first.stdout() + first.stderr() + second.stdout() + second.stderr()).includes(secret),
      secret,
    );
  }
});

test('SIGTERM: a change that waits to be written is written before the end', async (t) => {
  const served = await startPutGet(t);
  served.token = 'bearer token';
  const env = { ...BASE, SNAPSHOT_URL: served.url, SNAPSHOT_TOKEN: served.token };
  const server = runServer(t, { folder: makeTestFolder(t), env });
  const origin = await server.listening;
  const admin = await signIn(origin);
  const body = { username: 'alice', name: 'Alice', password: 'down the rabbit hole' };
  await call(origin, 'POST /api/admin/users', { token: admin, status: 201, body });
  assert.deepEqual(await server.kill('SIGTERM'), [0, null]);
  assert.ok(await isKept(served.body, 1, 0));
});

test('while the snapshot is out of reach the process says that it is starting, and ends when it is told to', async (t) => {
  const served = await startPutGet(t);
  served.body = await sharedSeal.seal(documentOf(7), { generation: 7, writer: 1 });
  await served.close();
  const folder = makeTestFolder(t);
  // Its log does not say where it listens before it serves.
  const port = await ownPort(t);
  const server = runServer(t, { folder, env: { ...BASE, SNAPSHOT_URL: served.url, PORT: String(port) } });
  await until(() => server.stdout().includes('"event":"snapshot.waiting"'), 'it waits');
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  assert.equal(health.status, 503);
  assert.match(await health.text(), /"status":"starting"/);
  const state = readdirSync(folder).filter((name) => !/\.(lock|sock)/.test(name));
  assert.deepEqual(state, [], 'no state was made up');
  assert.deepEqual(await server.kill('SIGTERM'), [0, null]);
});

test('an older state in a volatile folder makes room for the snapshot, and is kept', async (t) => {
  const served = await startPutGet(t);
  served.body = await sharedSeal.seal(documentOf(7), { generation: 7, writer: 1 });
  const folder = makeTestFolder(t);
  const volatile = join(folder, 'ipin-proxy');
  mkdirSync(volatile);
  const older = documentOf(6);
  writeFileSync(join(volatile, 'ipin-proxy.db'), older);
  const env = {
    ...BASE,
    SNAPSHOT_URL: served.url,
    RENDER: 'true',
    TMPDIR: folder,
    TEMP: folder,
    // Under a file there is no folder to be made.
    DB_PATH: join(volatile, 'ipin-proxy.db', 'state.db'),
  };
  const origin = await runServer(t, { folder, env }).listening;
  const health = await fetch(`${origin}/health`);
  assert.match(await health.text(), /"storage":"volatile"/);
  const aside = readdirSync(volatile).filter((name) => name.startsWith('replaced-'));
  assert.equal(aside.length, 1);
  assert.deepEqual(readFileSync(join(volatile, aside[0] ?? '', 'ipin-proxy.db')), older);
  const { generation } = JSON.parse(readFileSync(join(volatile, 'ipin-proxy.db'), 'utf8'));
  assert.ok(generation >= 7);
});

test('a second start beside a running server is refused, and changes neither database nor snapshot', async (t) => {
  const served = await startPutGet(t);
  const folder = makeTestFolder(t);
  const volatile = join(folder, 'ipin-proxy');
  mkdirSync(volatile);
  writeFileSync(join(volatile, 'file'), '');
  const env = {
    ...BASE,
    SNAPSHOT_URL: served.url,
    RENDER: 'true',
    TMPDIR: folder,
    TEMP: folder,
    // Under a file there is no folder to be made.
    DB_PATH: join(volatile, 'file', 'state.db'),
  };
  const first = runServer(t, { folder, env });
  const origin = await first.listening;
  const admin = await signIn(origin);
  const addUser = (username: string): Promise<unknown> =>
    call(origin, 'POST /api/admin/users', {
      token: admin,
      status: 201,
      body: { username, name: username, password: 'down the rabbit hole' },
    });
  // What the second start finds makes it look for the snapshot.
  rmSync(join(volatile, 'ipin-proxy.db'));
  const second = runServer(t, { folder, env });
  assert.deepEqual(await second.ended, [1, null]);
  assert.match(second.stderr(), /is in use by another process/);
  assert.deepEqual(
    readdirSync(volatile).filter((name) => name.startsWith('replaced-')),
    [],
  );
  await addUser('alice');
  assert.deepEqual(await first.kill('SIGTERM'), [0, null]);
  assert.ok(await isKept(served.body, 1, 0));
});
