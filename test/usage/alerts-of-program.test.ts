import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY, signIn } from '../helpers/start-app.ts';
import { makeTestFolder, startServer } from '../helpers/start-server.ts';
import { until } from '../helpers/until.ts';
import { readAlert, startReceiver } from '../helpers/webhook-receiver.ts';

const SECRET = 'a-secret-of-the-webhook';

test('the program tells of a failing provider by itself, and ends with an alert on its way', {
  timeout: 60_000,
}, async (t) => {
  const receiver = await startReceiver(t);
  const folder = makeTestFolder(t);
  const env = {
    MASTER_API_KEY: MASTER_KEY,
    UI_USERNAME: ADMIN.username,
    UI_PASSWORD: ADMIN.password,
    ENCRYPTION_KEY: 'a key for the secrets',
    DB_PATH: join(folder, 'ipin.db'),
    SHUTDOWN_GRACE_MS: '1000',
    UPSTREAM_RETRIES: '0',
  };
  const first = await startServer(t, { folder, env });
  const token = await signIn(first.origin);
  const call = (origin: string, method: string, path: string, body?: unknown, key = token) =>
    fetch(`${origin}${path}`, jsonRequest(method, `Bearer ${key}`, body));
  const alertWebhook = { url: receiver.origin, secret: SECRET };
  await expectStatus(200, await call(first.origin, 'PUT', '/api/admin/settings', { alertWebhook }));
  const provider = { id: 'up', name: 'Up', baseUrl: 'http://127.0.0.1:1' };
  await expectStatus(201, await call(first.origin, 'POST', '/api/admin/providers', provider));
  await expectStatus(
    201,
    await call(first.origin, 'POST', '/api/admin/models', { id: 'm', providerId: 'up' }),
  );
  for (let count = 0; count < 3; count += 1) {
    const chat = { model: 'm', messages: [] };
    await expectStatus(502, await call(first.origin, 'POST', '/v1/chat/completions', chat, MASTER_KEY));
  }
  await until(() => receiver.received.length > 0, 'the alert');
  assert.equal(readAlert(receiver.received[0], SECRET).type, 'provider.failing');
  assert.equal(await first.stop(), 0);

  // The settings are there after a restart; a webhook that never answers does not hold up the end.
  const silent = await startUpstream(t, () => {});
  const second = await startServer(t, { folder, env });
  const shown = (await expectStatus(200, await call(second.origin, 'GET', '/api/admin/settings'))) as {
    alertWebhook: { url: string; secretHint: string };
  };
  assert.equal(shown.alertWebhook.url, receiver.origin);
  const moved = { alertWebhook: { url: silent.origin, secret: SECRET } };
  await expectStatus(200, await call(second.origin, 'PUT', '/api/admin/settings', moved));
  for (let count = 0; count < 3; count += 1)
    await call(second.origin, 'POST', '/v1/chat/completions', { model: 'm', messages: [] }, MASTER_KEY);
  await until(() => silent.received.length > 0, 'the alert that is not answered');
  assert.equal(await second.stop(), 0);
  assert.ok(!`${first.stdout()}${second.stdout()}`.includes(SECRET));
});
