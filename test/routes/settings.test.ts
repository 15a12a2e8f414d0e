import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type AppUnderTest, expectStatus, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';
import { readAlert, startReceiver } from '../helpers/webhook-receiver.ts';
import { onlyAdmin, runScenarios, type Scenario, startFixture, sweepFields } from './scenarios.ts';

const PATH = '/api/admin/settings';
const SECRET = 'webhook-secret-0815-wxyz';
const HINT = 'webh...wxyz';
const URL = 'https://hook.example/path?key=1';
const HOOK = { url: URL, secret: SECRET };
const SHOWN = { url: URL, secretHint: HINT, secretUnreadable: false, lastResult: null };

function put(body: object, has: Record<string, unknown>): Scenario {
  const name = `accepts ${JSON.stringify(body).slice(0, 60)}`;
  return { name, method: 'PUT', path: PATH, body, status: 200, has, lacks: [SECRET] };
}

function refuses(body: object, param: string, code = 'invalid_value'): Scenario {
  const name = `refuses ${JSON.stringify(body).slice(0, 60)}`;
  return { name, method: 'PUT', path: PATH, body, status: 400, code, param, lacks: [SECRET] };
}

const SCENARIOS: readonly Scenario[] = [
  ...onlyAdmin('GET', PATH),
  ...onlyAdmin('PUT', PATH, { unpricedModels: 'refuse' }),
  ...onlyAdmin('POST', `${PATH}/alert-test`),
  ...onlyAdmin('GET', '/api/admin/prices'),
  ...onlyAdmin('POST', '/api/admin/providers/up/prices', { models: [] }),
  {
    name: 'the settings of a new server',
    method: 'GET',
    path: PATH,
    status: 200,
    has: { defaultProviderId: null, unpricedModels: 'allow', alertWebhook: null },
  },
  put({}, { unpricedModels: 'allow', alertWebhook: null }),
  put({ unpricedModels: 'refuse' }, { unpricedModels: 'refuse' }),
  put({ defaultProviderId: null, unknown: 5 }, { defaultProviderId: null }),
  put({ defaultProviderId: '' }, { defaultProviderId: null }),
  put({ alertWebhook: HOOK }, { alertWebhook: SHOWN, unpricedModels: 'allow' }),
  put({ alertWebhook: null }, { alertWebhook: null }),
  put({ defaultProviderId: 'up' }, { defaultProviderId: 'up' }),
  refuses({ defaultProviderId: 'nope' }, 'defaultProviderId'),
  refuses({ defaultProviderId: 5 }, 'defaultProviderId'),
  refuses({ unpricedModels: 'maybe' }, 'unpricedModels'),
  refuses({ unpricedModels: null }, 'unpricedModels'),
  refuses({ alertWebhook: 5 }, 'alertWebhook'),
  refuses({ alertWebhook: [] }, 'alertWebhook'),
  refuses({ alertWebhook: {} }, 'alertWebhook.url'),
  refuses({ alertWebhook: { ...HOOK, url: 'ftp://x.example' } }, 'alertWebhook.url'),
  refuses({ alertWebhook: { ...HOOK, url: 'https://a:b@x.example' } }, 'alertWebhook.url'),
  refuses({ alertWebhook: { ...HOOK, url: 'http://169.254.169.254/' } }, 'alertWebhook.url'),
  refuses({ alertWebhook: { url: URL } }, 'alertWebhook.secret', 'missing_required_parameter'),
  refuses({ alertWebhook: { url: URL, secret: '' } }, 'alertWebhook.secret', 'missing_required_parameter'),
  ...['short', 'x'.repeat(257), 'with space in it', 'ümlaut-ümlaut', 12345678, {}].map((secret) =>
    refuses({ alertWebhook: { url: URL, secret } }, 'alertWebhook.secret'),
  ),
  {
    name: 'a test without a webhook',
    method: 'POST',
    path: `${PATH}/alert-test`,
    status: 200,
    has: { ok: false, status: null, message: 'No webhook is set.' },
  },
];

test('settings', { timeout: 60_000 }, async (t) => {
  const fixture = await startFixture(t);
  await runScenarios(t, fixture, SCENARIOS);
  await t.test('wrong values of every field do no harm', async () => {
    const fields = ['defaultProviderId', 'unpricedModels', 'alertWebhook', '__proto__'];
    await sweepFields(fixture, 'PUT', PATH, { valid: {}, fields });
  });
});

describe('the secret of the webhook', { timeout: 30_000 }, () => {
  async function start(t: TestContext): Promise<AppUnderTest> {
    const app = await startApp(t);
    await expectStatus(200, await app.admin('PUT', PATH, { alertWebhook: HOOK }));
    return app;
  }
  const secretOf = (app: AppUnderTest) => app.services.store.config.view().settings.alertWebhook?.secret;
  const change = (app: AppUnderTest, alertWebhook: unknown) => app.admin('PUT', PATH, { alertWebhook });

  test('stays at the same origin, and where the hint or nothing is given', async (t) => {
    const app = await start(t);
    for (const given of [
      { url: 'https://hook.example/else' },
      { secret: '' },
      { secret: HINT },
      {},
      { secret: null },
    ]) {
      await expectStatus(200, await change(app, given));
      assert.equal(secretOf(app), SECRET, JSON.stringify(given));
    }
    assert.equal(app.services.store.config.view().settings.alertWebhook?.url, 'https://hook.example/else');
    await expectStatus(200, await change(app, { secret: 'another-secret' }));
    assert.equal(secretOf(app), 'another-secret');
  });

  test('is needed again for another origin', async (t) => {
    const app = await start(t);
    for (const url of ['https://other.example/', 'http://hook.example/', 'https://hook.example:8443/']) {
      const { error } = (await expectStatus(400, await change(app, { url, secret: HINT }))) as {
        error: { code: string; param: string };
      };
      assert.deepEqual([error.code, error.param], ['api_key_required', 'alertWebhook.secret']);
    }
    assert.equal(app.services.store.config.view().settings.alertWebhook?.url, URL);
    await expectStatus(200, await change(app, { url: 'https://other.example/', secret: 'another-secret' }));
  });

  test('is in no answer and no line of the log', async (t) => {
    const app = await start(t);
    for (const path of [PATH, '/api/admin/status', '/api/admin/backup?secrets=omit']) {
      const text = await (await app.admin('GET', path)).text();
      assert.ok(!text.includes(SECRET), path);
    }
    assert.ok(!app.logs.join('').includes(SECRET));
  });
});

test('a webhook whose secret cannot be read is a warning', { timeout: 30_000 }, async (t) => {
  const app = await startApp(t);
  const codes = async (): Promise<string[]> => {
    const status = await expectStatus(200, await app.admin('GET', '/api/admin/status'));
    return (status as { warnings: { code: string }[] }).warnings.map(({ code }) => code);
  };
  const set = (secret: string | null): Promise<null> =>
    app.services.changeConfig((state) => {
      const alertWebhook = { url: URL, secret, unreadable: secret === null ? 'v2.x' : null };
      return { state: { ...state, settings: { ...state.settings, alertWebhook } }, result: null };
    });
  await set(null);
  assert.ok((await codes()).includes('unreadable_webhook_secret'));
  const shown = (await expectStatus(200, await app.admin('GET', PATH))) as { alertWebhook: unknown };
  assert.deepEqual(shown.alertWebhook, { ...SHOWN, secretHint: null, secretUnreadable: true });
  await set(SECRET);
  assert.ok(!(await codes()).includes('unreadable_webhook_secret'));
});

describe('a webhook in the settings', { timeout: 30_000 }, () => {
  test('gets a test, whose outcome is kept', async (t) => {
    const receiver = await startReceiver(t, [200, 500]);
    const app = await startApp(t);
    await app.admin('PUT', PATH, { alertWebhook: { url: receiver.origin, secret: SECRET } });
    const first = await expectStatus(200, await app.admin('POST', `${PATH}/alert-test`));
    const { ms, ...outcome } = first as { ms: number };
    assert.ok(ms >= 0);
    assert.deepEqual(outcome, { ok: true, status: 200, message: 'The webhook took the alert.' });
    assert.equal(readAlert(receiver.received[0], SECRET).type, 'test');
    const second = (await expectStatus(200, await app.admin('POST', `${PATH}/alert-test`))) as {
      status: number;
    };
    assert.equal(second.status, 500);
    // A test is not tried again.
    assert.equal(receiver.received.length, 2);
    const { alertWebhook } = (await expectStatus(200, await app.admin('GET', PATH))) as {
      alertWebhook: { lastResult: Record<string, unknown> };
    };
    const { at, ...last } = alertWebhook.lastResult;
    assert.match(String(at), /^\d{4}-.*Z$/);
    assert.deepEqual(last, { ok: false, status: 500, message: 'The webhook answered with status 500.' });
  });

  test('is not reached at a private address where those are blocked', async (t) => {
    const receiver = await startReceiver(t);
    const app = await startApp(t, { env: { BLOCK_PRIVATE_UPSTREAMS: 'true' } });
    const literal = { url: receiver.origin, secret: SECRET };
    await expectStatus(400, await app.admin('PUT', PATH, { alertWebhook: literal }));
    const named = { ...literal, url: receiver.origin.replace('127.0.0.1', 'localhost') };
    await expectStatus(200, await app.admin('PUT', PATH, { alertWebhook: named }));
    const outcome = await expectStatus(200, await app.admin('POST', `${PATH}/alert-test`));
    assert.match((outcome as { message: string }).message, /not allowed/);
    assert.equal(receiver.received.length, 0);
  });

  test('hears of a provider that fails and of a key that is refused', async (t) => {
    const receiver = await startReceiver(t);
    const provider = await startReceiver(t, [401, 500]);
    const app = await startApp(t);
    await app.addProvider({ id: 'up', name: 'Up', baseUrl: provider.origin, apiKey: 'provider-secret-1' }, [
      { id: 'm' },
    ]);
    await app.admin('PUT', PATH, { alertWebhook: { url: receiver.origin, secret: SECRET } });
    const { health, alerting } = app.services;
    const types = (): string[] => receiver.received.map((request) => readAlert(request, SECRET).type);
    alerting.look();
    await app.v1('chat/completions', { model: 'm', messages: [] });
    alerting.look();
    await until(() => types().length === 1, 'key.refused');
    for (let count = 0; count < 2; count += 1) {
      health.wakeProvider('up');
      await app.v1('chat/completions', { model: 'm', messages: [] });
    }
    alerting.look();
    alerting.look();
    await until(() => types().length === 2, 'provider.failing');
    assert.deepEqual(types(), ['key.refused', 'provider.failing']);
    const { data } = readAlert(receiver.received[1], SECRET);
    assert.deepEqual([data['providerId'], data['providerName']], ['up', 'Up']);
    assert.ok(!receiver.received.some(({ body }) => body.includes('provider-secret-1')));
    await alerting.alerts.stop();
  });
});
