import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const BODY = '{"model":"m"}';
const KIBIBYTE = 1024;

async function start(t: TestContext, env = {}): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t, { env });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  return { app, upstream };
}

/** A chat request whose head has about so many bytes. */
function post(headBytes = 0, body = BODY): string {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `${head}X-Filler: ${'x'.repeat(Math.max(0, headBytes - head.length))}\r\n\r\n${body}`;
}

/** Holds every answer of the provider until it is let go. */
function hold(upstream: FakeUpstream): () => void {
  const held: (() => void)[] = [];
  let isHeld = true;
  upstream.answer = (req, res, request) => {
    const answer = (): void => json(CHAT_ANSWER)(req, res, request);
    if (isHeld) held.push(answer);
    else answer();
  };
  return () => {
    isHeld = false;
    for (const answer of held) answer();
  };
}

/** Sends one request after another until the budget has no room for the last one. */
async function sendUntilFull(app: AppUnderTest, client: RawClient): Promise<void> {
  const { budget } = app.services;
  for (let before = -1; budget.usedBytes !== before; ) {
    before = budget.usedBytes;
    const arrived = once(app.server, 'request');
    client.write(post(15 * KIBIBYTE));
    await arrived;
    // Its body, and the count of the one before it, come with the next read at the latest.
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  }
}

describe('requests that wait on a connection', { timeout: 20_000 }, () => {
  test('B7: are counted, heads and bodies, until their turn comes', async (t) => {
    const { app, upstream } = await start(t);
    const letGo = hold(upstream);
    const { budget } = app.services;
    const client = rawClient(t, app.port);
    const largeBody = `{"model":"m","x":"${'x'.repeat(12 * KIBIBYTE)}"}`;
    client.write(post() + post(15 * KIBIBYTE) + post(0, largeBody) + post(15 * KIBIBYTE));
    await until(() => budget.usedBytes > 42 * KIBIBYTE, 'all four requests counted');
    assert.ok(budget.usedBytes < 60 * KIBIBYTE, String(budget.usedBytes));
    letGo();
    const answers = await client.answers(4);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    await until(() => budget.usedBytes === 0, 'an empty budget');
  });

  test('B7: are given back when the connection goes', async (t) => {
    const { app, upstream } = await start(t);
    hold(upstream);
    const clients = Array.from({ length: 20 }, () => rawClient(t, app.port));
    for (const client of clients) client.write(post(15 * KIBIBYTE).repeat(10));
    await until(
      () => app.services.budget.usedBytes > 20 * 9 * 15 * KIBIBYTE,
      'the requests of all connections counted',
    );
    for (const client of clients) client.socket.destroy();
    await until(() => app.services.budget.usedBytes === 0, 'an empty budget');
  });

  test('B7: are no more than 256 KiB: 20 connections of 250 requests with heads of 15 KB', async (t) => {
    const { app, upstream } = await start(t);
    hold(upstream);
    let most = 0;
    app.server.on('request', () => {
      most = Math.max(most, app.services.budget.usedBytes);
    });
    const ends: Promise<unknown>[] = [];
    app.server.on('connection', (socket: Socket) => ends.push(once(socket, 'close')));
    const clients = Array.from({ length: 20 }, () => rawClient(t, app.port));
    for (const client of clients) client.write(post(15 * KIBIBYTE).repeat(250));
    await Promise.all(clients.map(({ closed }) => closed));
    await Promise.all(ends);
    assert.ok(most > 0 && most < 20 * 257 * KIBIBYTE, String(most));
    await until(() => app.services.budget.usedBytes === 0, 'an empty budget');
    assert.ok(upstream.received.length <= 20);
    assert.equal((await fetch(`${app.origin}/health`)).status, 200);
  });

  test('B7: are 503 in their turn where the budget has no room for them', async (t) => {
    const { app, upstream } = await start(t, { MAX_INFLIGHT_MB: '1', MAX_BODY_MB: '1' });
    const letGo = hold(upstream);
    // Half of the budget is what one address may take, and so less than three times 200 KiB.
    const clients = Array.from({ length: 3 }, () => rawClient(t, app.port));
    const used = (): number => app.services.budget.usedBytes;
    for (const client of clients.slice(0, 2)) {
      const before = used();
      client.write(post(15 * KIBIBYTE).repeat(13));
      await until(() => used() > before + 12 * 16 * KIBIBYTE, 'the requests of a connection counted');
    }
    const last = clients[2];
    assert.ok(last !== undefined);
    last.write(post());
    await until(() => upstream.received.length === 3, 'three requests at the provider');
    await sendUntilFull(app, last);
    assert.equal((await fetch(`${app.origin}/health`)).status, 200);
    assert.ok(used() <= 512 * KIBIBYTE + BODY.length * 3, String(used()));
    letGo();
    await last.closed;
    const text = last.received().toString('latin1');
    assert.match(text, /HTTP\/1\.1 503 Service Unavailable\r\n/);
    assert.match(text, /retry-after: 2\r\n/);
    assert.match(text, /"type":"server_error","param":null,"code":"server_overloaded"/);
    for (const client of clients.slice(0, 2)) {
      const answers = await client.answers(13);
      assert.ok(answers.every(({ status }) => status === 200));
    }
    await until(() => used() === 0, 'an empty budget');
  });

  test('B7: end the connection of a client that goes on sending when there is no room', async (t) => {
    const { app, upstream } = await start(t, { MAX_INFLIGHT_MB: '1', MAX_BODY_MB: '1' });
    hold(upstream);
    const clients = Array.from({ length: 3 }, () => rawClient(t, app.port));
    for (const client of clients.slice(0, 2)) client.write(post(15 * KIBIBYTE).repeat(14));
    await until(
      () => app.services.budget.usedBytes > 2 * 13 * 16 * KIBIBYTE,
      'the requests of two connections counted',
    );
    const last = clients[2];
    assert.ok(last !== undefined);
    last.write(post());
    await until(() => upstream.received.length === 3, 'three requests at the provider');
    await sendUntilFull(app, last);
    last.write(post());
    await last.closed;
  });
});

describe('bodies', { timeout: 20_000 }, () => {
  test('B7: are counted from their first byte on: 200 of 60 KB that never end', async (t) => {
    const { app } = await start(t);
    const half = 'x'.repeat(60_000);
    const clients = Array.from({ length: 200 }, () => rawClient(t, app.port));
    for (const client of clients) client.write(post(0, `${BODY}${half}`).slice(0, -100));
    const { budget } = app.services;
    await until(() => budget.usedBytes > 200 * 59_000, 'all bodies counted');
    for (const client of clients) client.socket.destroy();
    await until(() => budget.usedBytes === 0, 'an empty budget');
  });
});
