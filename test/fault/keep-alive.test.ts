import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER } from '../helpers/fake-upstream.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';

const IS_LONG = process.env['IPIN_LONG'] === '1';

async function appWith(t: TestContext, baseUrl: string): Promise<AppUnderTest> {
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl, apiKey: 'provider-key-one' }, [{ id: 'm' }]);
  return app;
}

function rawJson(value: unknown, headers = ''): string {
  const body = JSON.stringify(value);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

function ask(app: AppUnderTest, id: string): Promise<Response> {
  return app.v1('chat/completions', { model: 'm', messages: [{ role: 'user', content: id }] });
}

describe('an upstream that closes idle connections', { timeout: IS_LONG ? 180_000 : 30_000 }, () => {
  const rounds = IS_LONG ? 60 : 6;

  /** Sends requests spaced around the upstream's idle time; counts how often the upstream ran each. */
  async function race(t: TestContext, sendsHint: boolean): Promise<{ failures: string[]; twice: number }> {
    const runs = new Map<string, number>();
    const server = createServer({ keepAliveTimeout: sendsHint ? 1_000 : 0 }, (req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const id = String(JSON.parse(Buffer.concat(chunks).toString()).messages[0].content);
        runs.set(id, (runs.get(id) ?? 0) + 1);
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify(CHAT_ANSWER));
      });
    });
    // Without a hint, the connection is closed 150 ms after it became idle, unannounced.
    server.on('connection', (socket) => {
      if (!sendsHint) socket.setTimeout(150, () => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const app = await appWith(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const failures: string[] = [];
    const pauseMs = sendsHint ? 990 : 149;
    const lane = async (number: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        const answer = await ask(app, `${number}-${round}`);
        const body = (await answer.json()) as { error?: { code: string } };
        if (answer.status !== 200) failures.push(`${answer.status} ${body.error?.code}`);
        await new Promise((resolve) => setTimeout(resolve, pauseMs + (round % 3)));
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, number) => lane(number)));
    return { failures, twice: [...runs.values()].filter((count) => count > 1).length };
  }

  test('without a hint: a POST never runs twice, each failure is a clean 502', async (t) => {
    const { failures, twice } = await race(t, false);
    assert.equal(twice, 0);
    for (const failure of failures) assert.match(failure, /^502 upstream_(unreachable|invalid_response)$/);
  });

  test('with a hint: no request fails', {
    skip: !IS_LONG && 'takes a minute: npm run test:long',
  }, async (t) => {
    assert.deepEqual(await race(t, true), { failures: [], twice: 0 });
  });

  test('after a hint of one second a connection is not used again', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => {
      socket.write(rawJson(CHAT_ANSWER, 'Connection: keep-alive\r\nKeep-Alive: timeout=1\r\n'));
    });
    const app = await appWith(t, upstream.origin);
    await (await ask(app, '1')).text();
    const [first] = upstream.connections;
    assert.ok(first !== undefined);
    if (!first.closed) await once(first, 'close');
    await (await ask(app, '2')).text();
    assert.equal(upstream.connections.length, 2);
  });

  test('that sends Connection: close gets a new connection', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => {
      socket.end(rawJson(CHAT_ANSWER, 'Connection: close\r\n'));
    });
    const app = await appWith(t, upstream.origin);
    for (const id of ['1', '2', '3']) assert.equal((await ask(app, id)).status, 200);
    assert.equal(upstream.connections.length, 3);
  });
});

describe('connections to an upstream', { timeout: 20_000 }, () => {
  test('are reused', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.write(rawJson(CHAT_ANSWER)));
    const app = await appWith(t, upstream.origin);
    for (const id of ['1', '2', '3']) await (await ask(app, id)).text();
    assert.equal(upstream.connections.length, 1);
  });

  test('are replaced when a provider changes', async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.write(rawJson(CHAT_ANSWER)));
    const app = await appWith(t, upstream.origin);
    await (await ask(app, '1')).text();
    await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-key-two' }, []);
    await (await ask(app, '2')).text();
    assert.equal(upstream.connections.length, 2);
    assert.match(upstream.requests[1]?.head ?? '', /authorization: Bearer provider-key-two/i);
  });
});

describe('an unsolicited response', { timeout: 20_000 }, () => {
  const poison = rawJson({ ...CHAT_ANSWER, id: 'poison' });

  test('right after another is never delivered', async (t) => {
    const upstream = await startRawUpstream(t, (socket, index) => {
      socket.write(rawJson({ ...CHAT_ANSWER, id: `real-${index}` }) + poison);
    });
    const app = await appWith(t, upstream.origin);
    const keys = [await app.addKey({}), await app.addKey({})];
    for (let count = 0; count < 50; count += 1) {
      const answer = await app.v1('chat/completions', { model: 'm', messages: [] }, keys[count % 2]);
      const text = await answer.text();
      assert.ok(!text.includes('poison'));
      if (answer.status !== 200) assert.equal(answer.status, 502);
    }
  });

  test('on an idle connection is never delivered, and the connection is dropped', async (t) => {
    const upstream = await startRawUpstream(t, (socket, index) => {
      socket.write(rawJson({ ...CHAT_ANSWER, id: `real-${index}` }));
    });
    const app = await appWith(t, upstream.origin);
    for (let count = 0; count < 50; count += 1) {
      const text = await (await ask(app, 'x')).text();
      assert.match(text, new RegExp(`real-${count}"`));
      const connection = upstream.connections[count];
      assert.ok(connection !== undefined);
      connection.write(poison);
      if (!connection.closed) await once(connection, 'close');
    }
  });
});
