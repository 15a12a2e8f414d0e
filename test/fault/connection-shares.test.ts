import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { FairShare } from '../../src/fair-share.ts';
import { CHAT_ANSWER, type FakeUpstream, json, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { until } from '../helpers/until.ts';

const SHARE = 512;

test('B12: a consumer gets its limit and no more, and returned units are free again', () => {
  const share = new FairShare(2);
  assert.deepEqual(
    ['a', 'a', 'a', 'b'].map((consumer) => share.take(consumer)),
    [true, true, false, true],
  );
  share.give('a');
  assert.equal(share.take('a'), true);
  assert.equal(share.take('a'), false);
});

describe('connections of one client address', { timeout: 60_000 }, () => {
  /** Opens connections one by one, as if from the address, up to `count` or until one is closed at once. */
  async function openFrom(
    t: TestContext,
    addresses: (index: number) => string,
    count: number,
  ): Promise<{ app: AppUnderTest; open: Socket[]; closed: number }> {
    let at = 0;
    const app = await startApp(t, { connections: { peerOf: () => addresses(at) } });
    const open: Socket[] = [];
    t.after(() => {
      for (const socket of open) socket.destroy();
    });
    let closed = 0;
    for (; at < count; at += 1) {
      const accepted = once(app.server, 'connection');
      const socket = connect(app.port, '127.0.0.1');
      open.push(socket);
      socket.on('error', () => {});
      const [end] = (await accepted) as [Socket];
      if (end.destroyed) closed += 1;
    }
    return { app, open, closed };
  }

  for (const [what, addresses] of [
    ['an IPv4 address', () => '203.0.113.7'],
    ['one mapped into IPv6', (index: number) => (index % 2 === 0 ? '::ffff:203.0.113.7' : '203.0.113.7')],
    ['an IPv6 network', (index: number) => `2001:db8:1:2::${index.toString(16)}`],
  ] as const) {
    test(`B12: are at most ${SHARE}: ${what}`, async (t) => {
      const { app, open, closed } = await openFrom(t, addresses, SHARE + 3);
      assert.equal(closed, 3);
      await until(() => open.filter((socket) => socket.closed).length === 3, 'the end of three connections');
      // A closed connection makes room for another.
      const accepted = once(app.server, 'connection');
      open[0]?.destroy();
      await until(
        () => open.filter((socket) => socket.closed).length === 4,
        'the end of a fourth connection',
      );
      let isServed = false;
      while (!isServed) isServed = await isAnswered(app.port);
      await accepted;
    });
  }

  for (const [what, addresses] of [
    ['loopback', () => '127.0.0.1'],
    ['IPv6 loopback', () => '::1'],
    ['a private network', () => '::ffff:10.1.2.3'],
    ['a unique local address', () => 'fd12::1'],
    ['many addresses', (index: number) => `203.0.${index >> 8}.${index & 255}`],
    ['many IPv6 networks', (index: number) => `2001:db8:1:${index.toString(16)}::1`],
  ] as const) {
    test(`B12: are not limited from ${what}`, async (t) => {
      assert.equal((await openFrom(t, addresses, SHARE + 3)).closed, 0);
    });
  }
});

/** Whether a request on its own connection gets an answer. */
function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', path: '/health', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('error', () => resolve(false)).end();
  });
}

describe('connections to a provider', { timeout: 60_000 }, () => {
  interface Crowd {
    readonly app: AppUnderTest;
    readonly upstream: FakeUpstream;
    /** Sends `count` requests with a key and waits until the provider, which holds its responses back, has them. */
    send(key: string, count: number): Promise<AbortController>;
    readonly statuses: number[];
    /** The number of requests at the provider. */
    readonly held: (() => void)[];
  }

  async function start(t: TestContext, isStream = false): Promise<Crowd> {
    const held: (() => void)[] = [];
    const statuses: number[] = [];
    const upstream = await startUpstream(t, (req, res, received) => {
      if (!isStream) {
        held.push(() => json(CHAT_ANSWER)(req, res, received));
        return;
      }
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[]}\n\n');
      held.push(() => res.end('data: [DONE]\n\n'));
    });
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1_500 });
    t.after(() => agent.destroy());
    const body = JSON.stringify({ model: 'm', stream: isStream });
    const send = async (key: string, count: number): Promise<AbortController> => {
      const abort = new AbortController();
      setMaxListeners(count, abort.signal);
      const before = held.length;
      for (let index = 0; index < count; index += 1) {
        // Fewer at a time than the backlog holds.
        if (index % 128 === 0)
          await until(() => held.length === before + index, `${index} requests at the provider`);
        const asked = request(
          {
            port: app.port,
            host: '127.0.0.1',
            method: 'POST',
            path: '/v1/chat/completions',
            agent,
            signal: abort.signal,
            headers: {
              authorization: `Bearer ${key}`,
              'content-type': 'application/json',
              'content-length': body.length,
            },
          },
          (answer) => {
            statuses.push(answer.statusCode ?? 0);
            answer.on('error', () => {}).resume();
          },
        );
        asked.on('error', () => {}).end(body);
      }
      await until(() => held.length === before + count, `${count} requests at the provider`);
      return abort;
    };
    return { app, upstream, send, statuses, held };
  }

  for (const isStream of [false, true]) {
    test(`B12: one key uses at most half, ${isStream ? 'streams' : 'JSON'}`, async (t) => {
      const { app, send, statuses, held } = await start(t, isStream);
      const greedy = await app.addKey({ models: null });
      const other = await app.addKey({ models: null });
      await send(greedy, SHARE);
      const refused = await app.v1('chat/completions', { model: 'm', stream: isStream }, greedy);
      assert.equal(refused.headers.get('retry-after'), '2');
      const { error } = (await expectStatus(503, refused)) as { error: Record<string, unknown> };
      assert.deepEqual([error['type'], error['code']], ['server_error', 'server_overloaded']);
      assert.match(
        String(error['message']),
        /^You already have 512 requests running at provider up, the most/,
      );
      await send(other, 1);
      for (const answer of held) answer();
      await until(() => statuses.length === SHARE + 1, 'the answers to all');
      assert.ok(statuses.every((status) => status === 200));
      // The whole share is free again.
      await send(greedy, SHARE);
      for (const answer of held.slice(SHARE + 1)) answer();
      await until(() => statuses.length === 2 * SHARE + 1, 'the answers to the second round');
      assert.ok(statuses.every((status) => status === 200));
    });
  }

  test('B12: are free again when their clients have left', async (t) => {
    const { app, upstream, send, statuses } = await start(t);
    const key = await app.addKey({ models: null });
    for (let round = 1; round <= 2; round += 1) {
      const abort = await send(key, SHARE);
      abort.abort();
      await until(() => upstream.sockets.size === 0, `the end of the provider's connections, round ${round}`);
    }
    assert.deepEqual(statuses, []);
  });

  test('B12: the keys of one user share one limit, the master key has its own', async (t) => {
    const { app, send } = await start(t);
    const made = await app.admin('POST', '/api/admin/users', {
      username: 'ann',
      password: 'a long password',
    });
    const { id: userId } = (await expectStatus(201, made)) as { id: string };
    const keys = [await app.addKey({ userId, models: null }), await app.addKey({ userId, models: null })];
    const [first = '', second = ''] = keys;
    await send(first, SHARE / 2);
    await send(second, SHARE / 2);
    for (const key of keys) await expectStatus(503, await app.v1('chat/completions', { model: 'm' }, key));
    await send(MASTER_KEY, 1);
  });
});
