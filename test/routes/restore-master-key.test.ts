import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, type ServerProcess, startServer } from '../helpers/start-server.ts';

const LOGIN = { UI_USERNAME: ADMIN.username, UI_PASSWORD: ADMIN.password };

function start(t: TestContext, folder: string, env: Environment = {}): Promise<ServerProcess> {
  return startServer(t, { folder, env: { ...LOGIN, ...env } });
}

/** The key that a first start prints. */
function printedKey(server: ServerProcess): string {
  const [, key] = /^Master API key .*: (sk-\S+)$/m.exec(server.stdout()) ?? [];
  assert.ok(key !== undefined, server.stdout());
  return key;
}

async function backupOf({ origin }: ServerProcess): Promise<string> {
  const token = await signIn(origin);
  const answer = await fetch(
    `${origin}/api/admin/backup?secrets=omit`,
    jsonRequest('GET', `Bearer ${token}`),
  );
  assert.equal(answer.status, 200);
  return answer.text();
}

async function restore(
  { origin }: ServerProcess,
  backup: string,
  query = '',
): Promise<{ changesMasterKey: boolean }> {
  const request = jsonRequest('POST', `Bearer ${await signIn(origin)}`, backup);
  const answer = await fetch(`${origin}/api/admin/restore${query}`, request);
  return (await expectStatus(200, answer)) as { changesMasterKey: boolean };
}

const statusFor = async ({ origin }: ServerProcess, key: string): Promise<number> =>
  (await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;

async function shownHint({ origin }: ServerProcess): Promise<string> {
  const request = jsonRequest('GET', `Bearer ${await signIn(origin)}`);
  const answer = await fetch(`${origin}/api/admin/apikeys/master`, request);
  return ((await expectStatus(200, answer)) as { keyHint: string }).keyHint;
}

test('A8: a restored master key works at once, the one before is refused, and a restart changes nothing', async (t) => {
  const one = await start(t, makeTestFolder(t));
  const folder = makeTestFolder(t);
  const two = await start(t, folder);
  const [restored, before] = [printedKey(one), printedKey(two)];
  const backup = await backupOf(one);
  assert.equal((await restore(two, backup, '?dryRun=true')).changesMasterKey, true);
  assert.deepEqual([await statusFor(two, before), await statusFor(two, restored)], [200, 401]);
  assert.equal((await restore(two, backup)).changesMasterKey, true);
  assert.deepEqual([await statusFor(two, before), await statusFor(two, restored)], [401, 200]);
  assert.ok((await shownHint(two)).endsWith(restored.slice(-4)));
  const headers = { authorization: `Bearer ${restored}` };
  assert.equal((await fetch(`${two.origin}/metrics`, { headers })).status, 200);
  assert.equal((await restore(two, backup, '?dryRun=true')).changesMasterKey, false);
  await two.stop();
  const again = await start(t, folder);
  assert.deepEqual([await statusFor(again, before), await statusFor(again, restored)], [401, 200]);
});

test('A8: MASTER_API_KEY counts alone: a restore changes no master key and says so', async (t) => {
  const one = await start(t, makeTestFolder(t));
  const folder = makeTestFolder(t);
  const two = await start(t, folder, { MASTER_API_KEY: MASTER_KEY });
  const backup = await backupOf(one);
  for (const query of ['?dryRun=true', ''])
    assert.equal((await restore(two, backup, query)).changesMasterKey, false);
  assert.deepEqual([await statusFor(two, MASTER_KEY), await statusFor(two, printedKey(one))], [200, 401]);
  await two.stop();
  // A key that no report told of must not begin to work later on.
  const without = await start(t, folder);
  assert.deepEqual(
    [await statusFor(without, MASTER_KEY), await statusFor(without, printedKey(one))],
    [401, 401],
  );
  assert.equal(await statusFor(without, printedKey(without)), 200);
});
