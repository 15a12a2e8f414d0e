import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { CHAT_ANSWER } from '../helpers/fake-upstream.ts';
import { headOf } from '../helpers/raw-post.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { startRawUpstream } from '../helpers/raw-upstream.ts';
import { type AppUnderTest, startApp } from '../helpers/start-app.ts';
import { expectNothingHeld } from '../helpers/teardown.ts';
import { until } from '../helpers/until.ts';

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

describe('an upstream that closes idle connections', { timeout: IS_LONG ? 240_000 : 40_000 }, () => {
  const LANES = 8;
  const REQUESTS = 500;

  interface Race {
    /** What was not answered with 200. */
    readonly failures: readonly string[];
    /** Where each request arrived, oldest first. */
    readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
  }

  interface Arrival {
    readonly connection: number;
    /** The number of requests that the connection had brought before. */
    readonly earlier: number;
    readonly isAnswered: boolean;
  }

  /**
   * Sends 500 requests over 8 lanes, each at about the time at which the upstream closes the lane's connection. `refuseEach`: of
   * so many requests on kept connections, the upstream closes one instead of an answer.
   */
  async function race(
    t: TestContext,
    { idleMs, hint = '', refuseEach = 0 }: { idleMs: number; hint?: string; refuseEach?: number },
  ): Promise<Race> {
    const arrivals = new Map<string, Arrival[]>();
    const counts = new Map<number, number>();
    let kept = 0;
    const upstream = await startRawUpstream(t, (socket, _index, { body, connection }) => {
      const id = String(JSON.parse(body.toString()).messages[0].content);
      const earlier = counts.get(connection) ?? 0;
      counts.set(connection, earlier + 1);
      if (earlier > 0) kept += 1;
      const isAnswered = earlier === 0 || refuseEach === 0 || kept % refuseEach !== 0;
      arrivals.set(id, [...(arrivals.get(id) ?? []), { connection, earlier, isAnswered }]);
      if (!isAnswered) return void socket.end();
      socket.setTimeout(idleMs);
      if (earlier === 0) socket.on('timeout', () => socket.destroy());
      socket.write(rawJson(CHAT_ANSWER, hint));
    });
    const app = await appWith(t, upstream.origin);
    const failures: string[] = [];
    const lane = async (number: number): Promise<void> => {
      for (let id = number; id < REQUESTS; id += LANES) {
        const answer = await ask(app, String(id));
        const body = (await answer.json()) as { error?: { code: string } };
        if (answer.status !== 200) failures.push(`${answer.status} ${body.error?.code}`);
        await new Promise((resolve) => setTimeout(resolve, idleMs - 1 + (id % 3)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    assert.equal(arrivals.size, REQUESTS);
    return { failures, arrivals };
  }

  /** Requests that arrived more than once. */
  function repeated({ arrivals }: Race): (readonly Arrival[])[] {
    return [...arrivals.values()].filter(({ length }) => length > 1);
  }

  const idleMs = IS_LONG ? 1_000 : 40;

  test('without a hint: no request fails, and none runs twice', async (t) => {
    const run = await race(t, { idleMs });
    assert.deepEqual([run.failures, repeated(run)], [[], []]);
  });

  test('also instead of an answer: no request fails, and a second sending is always on a new connection', async (t) => {
    const run = await race(t, { idleMs, refuseEach: 5 });
    assert.deepEqual(run.failures, []);
    const twice = repeated(run);
    assert.ok(twice.length > 0);
    for (const [first, second, ...others] of twice) {
      assert.deepEqual(others, []);
      assert.ok(first !== undefined && first.earlier > 0 && !first.isAnswered);
      assert.ok(second !== undefined && second.earlier === 0 && second.connection !== first.connection);
    }
  });

  test('with a hint: no request fails, and none runs twice', {
    skip: !IS_LONG && 'takes a minute: npm run test:long',
  }, async (t) => {
    const run = await race(t, { idleMs: 1_000, hint: 'Keep-Alive: timeout=1\r\n' });
    assert.deepEqual([run.failures, repeated(run)], [[], []]);
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

test('a client that leaves while its request is sent again leaves nothing behind', {
  timeout: 20_000,
}, async (t) => {
  const upstream = await startRawUpstream(t, (socket, index) => {
    if (index === 0) socket.write(rawJson(CHAT_ANSWER));
    if (index === 1) socket.end();
  });
  const app = await appWith(t, upstream.origin);
  await (await ask(app, '1')).text();
  const client = rawClient(t, app.port);
  const body = JSON.stringify({ model: 'm', messages: [], filler: 'x'.repeat(300_000) });
  client.write(headOf('chat/completions', 'application/json', `Content-Length: ${body.length}`) + body);
  await until(() => upstream.requests.length === 3, 'the second sending');
  assert.ok(app.services.budget.usedBytes >= body.length);
  assert.equal(app.services.upstreams.openRequests(), 1);
  client.socket.destroy();
  const [, second] = upstream.connections;
  await until(() => second?.closed === true, 'the end of the new connection');
  await expectNothingHeld(app.services);
  assert.equal(upstream.connections.length, 2);
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
