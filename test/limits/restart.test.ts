import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, expectStatus, jsonRequest, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, runServer, type ServerRun } from '../helpers/start-server.ts';
import { until } from '../helpers/until.ts';

interface Running {
  readonly server: ServerRun;
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  v1(method: string, path: string, key: string, body?: unknown): Promise<unknown>;
}

async function start(t: TestContext, folder: string, settings: Environment = {}): Promise<Running> {
  const env = { UI_USERNAME: ADMIN.username, UI_PASSWORD: ADMIN.password, ...settings };
  const server = runServer(t, { folder, env });
  const origin = await server.listening;
  const token = await signIn(origin);
  const ask = async (path: string, request: RequestInit): Promise<unknown> => {
    const answer = await fetch(origin + path, request);
    return expectStatus(answer.ok ? answer.status : 200, answer);
  };
  return {
    server,
    admin: (method, path, body) => ask(path, jsonRequest(method, `Bearer ${token}`, body)),
    v1: (method, path, key, body) => ask(path, jsonRequest(method, `Bearer ${key}`, body)),
  };
}

test('budgets survive a restart and a crash', { timeout: 120_000 }, async (t) => {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const folder = makeTestFolder(t);
  const first = await start(t, folder);
  await first.admin('POST', '/api/admin/providers', { id: 'up', name: 'Up', baseUrl: upstream.origin });
  await first.admin('POST', '/api/admin/models', { id: 'm', name: 'M', providerId: 'up' });
  const body = { name: 'k', limits: { rpm: 2, budgetUsd: 5 } };
  const made = (await first.admin('POST', '/api/admin/apikeys', body)) as { id: string; key: string };
  const call = ({ v1 }: Running): Promise<unknown> =>
    v1('POST', '/v1/chat/completions', made.key, { model: 'm', messages: [] });
  const usage = async ({ v1 }: Running): Promise<unknown> =>
    ((await v1('GET', '/v1/key', made.key)) as { usage: unknown }).usage;
  await call(first);
  await call(first);
  assert.deepEqual(await first.server.kill('SIGTERM'), [0, null]);

  const second = await start(t, folder);
  assert.match(JSON.stringify(await usage(second)), /"requests":2,"grantedUsd":0/);
  await second.admin('POST', `/api/admin/apikeys/${made.id}/grant`, { usd: 3 });
  const path = join(folder, 'ipin-proxy.db.usage', 'budgets');
  const before = statSync(path).size;
  // The windows begin anew: a third call in this minute is let through.
  await call(second);
  await until(() => statSync(path).size > before, 'the write of a second later');
  await second.admin('POST', `/api/admin/apikeys/${made.id}/grant`, { usd: 1 });
  await second.server.kill('SIGKILL');

  const third = await start(t, folder);
  assert.match(JSON.stringify(await usage(third)), /"requests":3,"grantedUsd":4/);
});

test('a call that the end of the server cuts is counted', { timeout: 60_000 }, async (t) => {
  let asked = 0;
  const upstream = await startUpstream(t, () => {
    asked += 1;
  });
  const folder = makeTestFolder(t);
  const first = await start(t, folder, { SHUTDOWN_GRACE_MS: '1' });
  await first.admin('POST', '/api/admin/providers', { id: 'up', name: 'Up', baseUrl: upstream.origin });
  await first.admin('POST', '/api/admin/models', { id: 'm', name: 'M', providerId: 'up' });
  const made = (await first.admin('POST', '/api/admin/apikeys', { name: 'k' })) as { key: string };
  const call = first.v1('POST', '/v1/chat/completions', made.key, { model: 'm', messages: [] });
  call.catch(() => {});
  await until(() => asked === 1, 'the provider is asked');
  assert.deepEqual(await first.server.kill('SIGTERM'), [0, null]);
  await assert.rejects(call);
  const second = await start(t, folder);
  assert.match(JSON.stringify(await second.v1('GET', '/v1/key', made.key)), /"requests":1,/);
});
