import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nginxSkipped, startNginx } from '../helpers/nginx.ts';
import { ADMIN, expectStatus, jsonRequest, startApp } from '../helpers/start-app.ts';

const DEFAULT_LOGIN = { username: 'admin', password: 'admin' };
const SAMPLE_KEY = 'sk-123';

test('B1: the default password does not work behind an nginx that leaves no mark', {
  skip: nginxSkipped(),
  timeout: 60_000,
}, async (t) => {
  const app = await startApp(t, { env: { UI_USERNAME: '', UI_PASSWORD: '', MASTER_API_KEY: SAMPLE_KEY } });
  const proxy = await startNginx(t, app.port);
  const login = (origin: string): Promise<Response> =>
    fetch(`${origin}/api/login`, jsonRequest('POST', null, DEFAULT_LOGIN));
  const models = (origin: string): Promise<Response> =>
    fetch(`${origin}/v1/models`, jsonRequest('GET', `Bearer ${SAMPLE_KEY}`));
  await expectStatus(200, await login(app.origin));
  await expectStatus(200, await models(app.origin));
  const refused = await expectStatus(403, await login(proxy));
  const { error } = refused as { error: { code: string; message: string } };
  assert.equal(error.code, 'default_password_refused');
  assert.match(error.message, /UI_PASSWORD/);
  await expectStatus(401, await models(proxy));
});

test('B1: a password of one’s own works behind the same nginx', {
  skip: nginxSkipped(),
  timeout: 60_000,
}, async (t) => {
  const app = await startApp(t);
  const proxy = await startNginx(t, app.port);
  await expectStatus(200, await fetch(`${proxy}/api/login`, jsonRequest('POST', null, ADMIN)));
});
