import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
import { type RawClient, rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\n`;

async function start(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<{ app: AppUnderTest; upstream: FakeUpstream }> {
  const upstream = await startUpstream(t, json(CHAT_ANSWER));
  const app = await startApp(t, { env });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  return { app, upstream };
}

/** A chat request of so many bytes. */
function bodyOf(length: number): Buffer {
  const frame = '{"model":"m","x":""}';
  const body = Buffer.alloc(length, 0x61);
  body.write(frame.slice(0, -2));
  body.write('"}', length - 2);
  return body;
}

function chunked(body: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

async function send(
  t: TestContext,
  app: AppUnderTest,
  bytes: readonly (string | Buffer)[],
): Promise<{ status: number; code: unknown }> {
  const client = rawClient(t, app.port);
  for (const part of bytes) client.write(part);
  const [answer] = await client.answers(1);
  const value = JSON.parse(answer?.body.toString() ?? '');
  return { status: answer?.status ?? 0, code: value.error?.code ?? null };
}

describe('the limit of a body', { timeout: 20_000 }, () => {
  for (const way of ['with its length', 'in chunks'] as const) {
    test(`holds to the byte: ${way}`, async (t) => {
      const { app, upstream } = await start(t, { MAX_BODY_MB: '1' });
      const post = (length: number): Promise<{ status: number; code: unknown }> => {
        const body = bodyOf(length);
        return way === 'in chunks'
          ? send(t, app, [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunked(body, 50_001)])
          : send(t, app, [`${HEAD}Content-Length: ${length}\r\n\r\n`, body]);
      };
      assert.deepEqual(await post(MEBIBYTE), { status: 200, code: null });
      assert.deepEqual(await post(MEBIBYTE + 1), { status: 413, code: 'request_too_large' });
      assert.deepEqual(
        upstream.received.map(({ body }) => body.length),
        [MEBIBYTE],
      );
    });
  }

  test('counts an announced length before a byte has come', async (t) => {
    const { app } = await start(t, { MAX_BODY_MB: '1' });
    assert.deepEqual(await send(t, app, [`${HEAD}Content-Length: ${MEBIBYTE + 1}\r\n\r\n`]), {
      status: 413,
      code: 'request_too_large',
    });
  });
});

describe('a body', { timeout: 20_000 }, () => {
  test('arrives byte for byte, whatever its size and its pieces', async (t) => {
    const { app, upstream } = await start(t);
    for (const length of [
      22,
      65_535,
      65_536,
      65_537,
      MEBIBYTE - 1,
      MEBIBYTE,
      MEBIBYTE + 1,
      3 * MEBIBYTE + 7,
    ]) {
      const body = bodyOf(length);
      const half = Math.floor(length / 2);
      await send(t, app, [
        `${HEAD}Content-Length: ${length}\r\n\r\n`,
        body.subarray(0, half),
        body.subarray(half),
      ]);
      assert.ok(upstream.received.at(-1)?.body.equals(body), `${length}, with its length`);
      await send(t, app, [`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunked(body, 70_000)]);
      assert.ok(upstream.received.at(-1)?.body.equals(body), `${length}, in chunks`);
    }
  });

  test('that is only announced takes no memory', async (t) => {
    const { app } = await start(t);
    const before = process.memoryUsage().arrayBuffers;
    const clients = Array.from({ length: 20 }, () => rawClient(t, app.port));
    for (const client of clients) {
      client.write(`${HEAD}Content-Length: ${50 * MEBIBYTE}\r\nExpect: 100-continue\r\n\r\n`);
      await client.until('100 Continue');
      client.write('{');
    }
    assert.equal((await fetch(`${app.origin}/health`)).status, 200);
    assert.ok(process.memoryUsage().arrayBuffers - before < 100 * MEBIBYTE);
  });

  for (const [name, value] of [
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['a list', 'identity, gzip'],
    ['nonsense', 'x'],
  ] as const) {
    test(`with the Content-Encoding ${name} is refused`, async (t) => {
      const { app, upstream } = await start(t);
      const found = await send(t, app, [
        `${HEAD}Content-Encoding: ${value}\r\nContent-Length: 13\r\n\r\n`,
        '{"model":"m"}',
      ]);
      assert.deepEqual(found, { status: 415, code: 'unsupported_content_type' });
      assert.equal(upstream.received.length, 0);
    });
  }

  test('with the Content-Encoding identity is taken', async (t) => {
    const { app } = await start(t);
    const found = await send(t, app, [
      `${HEAD}Content-Encoding: Identity\r\nContent-Length: 13\r\n\r\n`,
      '{"model":"m"}',
    ]);
    assert.equal(found.status, 200);
  });
});

describe('a client that sends too slowly', { timeout: 20_000 }, () => {
  interface SlowClient extends RawClient {
    /** Lets so many of the watch's ticks of five seconds pass; the server has read what the client sent before each. */
    pass(ticks: number, each?: () => void): Promise<void>;
  }

  async function begin(t: TestContext): Promise<SlowClient> {
    const { app } = await start(t);
    mockTimers(t, 'Interval');
    const accepted = once(app.server, 'connection');
    const client = rawClient(t, app.port);
    client.write(`${HEAD}Expect: 100-continue\r\nContent-Length: ${MEBIBYTE}\r\n\r\n`);
    await client.until('100 Continue');
    const [serverSide] = (await accepted) as [Socket];
    const pass = async (ticks: number, each = (): void => {}): Promise<void> => {
      for (let tick = 0; tick < ticks; tick += 1) {
        each();
        do await nextTurn();
        while (serverSide.bytesRead < client.socket.bytesWritten && !serverSide.destroyed);
        t.mock.timers.tick(5_000);
      }
    };
    return { ...client, pass };
  }

  test('is silent for 30 seconds: 408, and the connection ends', async (t) => {
    const client = await begin(t);
    await client.pass(5);
    assert.ok(!client.received().includes('408'));
    await client.pass(1);
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 408);
    assert.equal(JSON.parse(answer?.body.toString() ?? '').error.code, 'request_timeout');
    assert.equal(answer?.headers.get('connection')?.toLowerCase(), 'close');
  });

  test('drips a byte now and then: 408', async (t) => {
    const client = await begin(t);
    await client.pass(8, () => client.write(' '));
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 408);
  });

  test('but sends a kilobyte a second: no 408', async (t) => {
    const client = await begin(t);
    client.write('{"model":"m","x":"');
    await client.pass(12, () => client.write('x'.repeat(6_000)));
    assert.ok(!client.received().includes('408'));
    client.write('x'.repeat(MEBIBYTE - 12 * 6_000 - 20));
    client.write('"}');
    const [answer] = await client.answers(1);
    assert.equal(answer?.status, 200);
  });
});

describe('too much in flight', { timeout: 20_000 }, () => {
  test('is refused with 503 and Retry-After, and let in again later', async (t) => {
    const { app, upstream } = await start(t, { MAX_INFLIGHT_MB: '8' });
    const held: (() => void)[] = [];
    upstream.answer = (_req, res) =>
      void held.push(() => res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'));
    const [one, two] = [await app.addKey({}), await app.addKey({})];
    const post = (key: string): Promise<Response> =>
      app.v1('chat/completions', bodyOf(3 * MEBIBYTE).toString(), key);
    const first = post(one);
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    // 3 of 8 are taken; no key may hold more than half.
    const refused = await post(one);
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'server_overloaded');
    const other = post(two);
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    // 6 of 8 are taken: there is no room for another's 3.
    assert.equal((await post(MASTER_KEY)).status, 503);
    // Small ones are always let in.
    const small = app.v1('chat/completions', { model: 'm' }, one);
    while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const release of held) release();
    assert.deepEqual([(await first).status, (await other).status, (await small).status], [200, 200, 200]);
    while (app.services.budget.usedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    upstream.answer = json(CHAT_ANSWER);
    assert.equal((await post(one)).status, 200);
  });
});
