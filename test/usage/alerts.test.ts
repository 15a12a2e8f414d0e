import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { Cancellation } from '../../src/cancellation.ts';
import { createLogger } from '../../src/logger.ts';
import { createWebhookSender } from '../../src/providers/webhook.ts';
import type { AlertWebhook } from '../../src/store/entities.ts';
import { Alerts } from '../../src/usage/alerts.ts';
import { type FakeUpstream, startUpstream } from '../helpers/fake-upstream.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
import { until } from '../helpers/until.ts';
import { readAlert, startReceiver } from '../helpers/webhook-receiver.ts';

const SECRET = 'a-secret-of-the-webhook';
const NOW_MS = Date.parse('2026-11-30T12:00:00.000Z');
const TIMEOUTS = { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, idleTimeoutMs: 5_000 };

interface Options {
  readonly webhook?: Partial<AlertWebhook> | null;
  readonly retryWaitsMs?: readonly number[];
  readonly blockPrivate?: boolean;
}

function startAlerts(t: TestContext, { origin }: Pick<FakeUpstream, 'origin'>, options: Options = {}) {
  const { webhook = {}, retryWaitsMs = [1, 1], blockPrivate = false } = options;
  const logs: string[] = [];
  const current: { webhook: AlertWebhook | null } = {
    webhook:
      webhook === null ? null : { url: `${origin}/hook?to=me`, secret: SECRET, unreadable: null, ...webhook },
  };
  const alerts = new Alerts({
    webhook: () => current.webhook,
    post: createWebhookSender({ timeouts: TIMEOUTS, blockPrivate }),
    now: () => NOW_MS,
    randomBytes,
    logger: createLogger({ level: 'debug', now: () => NOW_MS, write: (line) => void logs.push(line) }),
    retryWaitsMs,
  });
  t.after(() => alerts.stop());
  return { alerts, logs, current };
}

const settled = (alerts: Alerts) => until(() => alerts.lastDelivery() !== null, 'a delivery');
const testNow = (alerts: Alerts) => alerts.test(new Cancellation());

describe('alerts', { timeout: 30_000 }, () => {
  test('arrive once, signed, at the path of the webhook', async (t) => {
    const receiver = await startReceiver(t);
    const { alerts, logs } = startAlerts(t, receiver);
    assert.ok(alerts.send('storage.failing', { state: 'failing', message: 'ü' }));
    await settled(alerts);
    const [request] = receiver.received;
    assert.deepEqual(readAlert(request, SECRET), {
      type: 'storage.failing',
      at: '2026-11-30T12:00:00.000Z',
      data: { state: 'failing', message: 'ü' },
    });
    assert.deepEqual([request?.method, request?.url], ['POST', '/hook?to=me']);
    assert.equal(request?.headers['webhook-timestamp'], String(NOW_MS / 1000));
    assert.match(String(request?.headers['webhook-id']), /^msg_[\w-]{22}$/);
    assert.deepEqual(alerts.lastDelivery(), {
      at: '2026-11-30T12:00:00.000Z',
      ok: true,
      status: 204,
      message: 'The webhook took the alert.',
    });
    assert.equal(receiver.received.length, 1);
    assert.ok(!logs.join('').includes(SECRET));
  });

  test('are signed with the bytes of a secret in the form of the specification', async (t) => {
    const receiver = await startReceiver(t);
    const bytes = randomBytes(24);
    const { alerts, current } = startAlerts(t, receiver, {
      webhook: { secret: `whsec_${bytes.toString('base64')}` },
    });
    await testNow(alerts);
    readAlert(receiver.received[0], bytes);
    current.webhook = { url: receiver.origin, secret: 'whsec_not base64', unreadable: null };
    await testNow(alerts);
    readAlert(receiver.received[1], 'whsec_not base64');
  });

  test('are tried three times with the same id, then given up', async (t) => {
    const receiver = await startReceiver(t, [500]);
    const { alerts, logs } = startAlerts(t, receiver);
    alerts.send('test', { n: 1 });
    await until(() => receiver.received.length === 3, 'three tries');
    receiver.answer = (_req, res) => res.writeHead(200).end();
    alerts.send('test', { n: 2 });
    await until(() => alerts.lastDelivery()?.ok === true, 'a success');
    const numbers = receiver.received.map((request) => readAlert(request, SECRET).data['n']);
    assert.deepEqual(numbers, [1, 1, 1, 2]);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    assert.equal(new Set(ids).size, 2);
    assert.equal(logs.filter((line) => line.includes('"alert.failed"')).length, 3);
  });

  test('wait 1 s and 10 s between their tries', async (t) => {
    mockTimers(t, 'Timeout');
    const tries: number[] = [];
    const alerts = new Alerts({
      webhook: () => ({ url: 'https://hook.example', secret: SECRET, unreadable: null }),
      post: async () => tries.push(1) * 0 + 503,
      now: () => NOW_MS,
      randomBytes,
      logger: createLogger({ level: 'silent', now: () => NOW_MS, write: () => {} }),
    });
    const turn = (): Promise<unknown> => new Promise(setImmediate);
    alerts.send('test', {});
    for (const [tickMs, count] of [
      [0, 1],
      [999, 1],
      [1, 2],
      [9_999, 2],
      [1, 3],
      [60_000, 3],
    ] as const) {
      t.mock.timers.tick(tickMs);
      await turn();
      assert.equal(tries.length, count, `after ${tickMs} ms more`);
    }
    assert.equal(alerts.lastDelivery()?.message, 'The webhook answered with status 503.');
  });

  test('end with the second try if that succeeds', async (t) => {
    const receiver = await startReceiver(t, [404, 200]);
    const { alerts } = startAlerts(t, receiver);
    alerts.send('test', {});
    await until(() => alerts.lastDelivery()?.ok === true, 'a success');
    await testNow(alerts);
    assert.equal(receiver.received.length, 3);
  });

  test('follow no redirect', async (t) => {
    const receiver = await startReceiver(t, [302]);
    const { alerts } = startAlerts(t, receiver);
    const { ok, status, message } = await testNow(alerts);
    assert.deepEqual([ok, status], [false, null]);
    assert.match(message, /redirect/);
    assert.deepEqual(
      receiver.received.map(({ url }) => url),
      ['/hook?to=me'],
    );
  });

  for (const [url, blockPrivate] of [
    ['http://127.0.0.1:PORT/', true],
    ['http://localhost:PORT/', true],
    ['http://[::ffff:127.0.0.1]:PORT/', true],
    ['http://169.254.169.254/', false],
    ['http://100.100.100.200/', false],
  ] as const) {
    test(`do not reach ${url}${blockPrivate ? ' where private addresses are blocked' : ''}`, async (t) => {
      const receiver = await startReceiver(t);
      const port = new URL(receiver.origin).port;
      const webhook = { url: url.replace('PORT', port) };
      const { alerts } = startAlerts(t, receiver, { webhook, blockPrivate });
      assert.match((await testNow(alerts)).message, /not allowed/);
      assert.equal(receiver.received.length, 0);
    });
  }

  test('tell what is wrong with the webhook', async (t) => {
    const receiver = await startReceiver(t, [410]);
    const { alerts, current } = startAlerts(t, receiver);
    assert.equal((await testNow(alerts)).message, 'The webhook answered with status 410.');
    current.webhook = { url: 'http://127.0.0.1:1/', secret: SECRET, unreadable: null };
    assert.equal((await testNow(alerts)).message, 'The webhook cannot be reached (ECONNREFUSED).');
    current.webhook = { url: receiver.origin, secret: null, unreadable: 'v2.x' };
    assert.match((await testNow(alerts)).message, /Enter it again/);
    assert.equal(alerts.lastDelivery()?.ok, false);
    current.webhook = null;
    assert.deepEqual(await testNow(alerts), {
      ok: false,
      status: null,
      ms: 0,
      message: 'No webhook is set.',
    });
    assert.equal(alerts.lastDelivery(), null);
    assert.equal(alerts.send('test', {}), false);
    assert.equal(receiver.received.length, 1);
  });

  test('of another address are not shown as those of the present one', async (t) => {
    const receiver = await startReceiver(t);
    const { alerts, current } = startAlerts(t, receiver);
    await testNow(alerts);
    current.webhook = { url: `${receiver.origin}/other`, secret: SECRET, unreadable: null };
    assert.equal(alerts.lastDelivery(), null);
  });

  test('wait in a queue with a bound', async (t) => {
    const silent = await startUpstream(t, () => {});
    const { alerts, logs } = startAlerts(t, silent);
    const taken = Array.from({ length: 150 }, () => alerts.send('test', {})).filter(Boolean);
    // One is being sent.
    assert.equal(taken.length, 101);
    assert.ok(logs.some((line) => line.includes('"alert.dropped"')));
  });

  test('end at once with the server, whatever runs or waits', async (t) => {
    const silent = await startUpstream(t, () => {});
    const { alerts } = startAlerts(t, silent);
    alerts.send('test', {});
    const running = testNow(alerts);
    await until(() => silent.received.length === 2, 'two requests');
    await alerts.stop();
    assert.equal((await running).ok, false);
    assert.equal(alerts.send('test', {}), false);
    const failing = await startReceiver(t, [500]);
    const waiting = startAlerts(t, failing, { retryWaitsMs: [3_600_000] });
    waiting.alerts.send('test', {});
    await until(() => waiting.alerts.lastDelivery() !== null, 'the first try');
    await waiting.alerts.stop();
    assert.equal(failing.received.length, 1);
  });
});
