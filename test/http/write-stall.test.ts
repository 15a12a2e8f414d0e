import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WriteWatch } from '../../src/http/write-watch.ts';
import { startUpstream } from '../helpers/fake-upstream.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
import { rawClient } from '../helpers/raw-socket.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const MEBIBYTE = 1024 * 1024;
const STALL_MS = 400;

/** A provider whose answers are of 1 MB, as JSON or as an event stream. */
async function start(t: TestContext): Promise<AppUnderTest> {
  const filler = 'x'.repeat(MEBIBYTE);
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url?.endsWith('speech') === true) {
      res.writeHead(200, { 'content-type': 'audio/mpeg' }).end(filler);
    } else {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ model: 'm', filler }));
    }
  });
  const app = await startApp(t, { connections: { writeStallMs: STALL_MS } });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
  return app;
}

function post(path: string, body = '{"model":"m"}'): string {
  return `POST /v1/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${MASTER_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The server's ends of the connections that are made from now on, each with the promise of its end. */
function serverEnds(app: AppUnderTest): { socket: Socket; closed: Promise<unknown> }[] {
  const ends: { socket: Socket; closed: Promise<unknown> }[] = [];
  app.server.on('connection', (socket: Socket) => {
    // Not `once()`, which takes the error that such a connection ends with for a failure.
    ends.push({ socket, closed: new Promise((resolve) => socket.on('close', resolve)) });
  });
  return ends;
}

describe('a client that does not read', { timeout: 30_000 }, () => {
  for (const [what, path] of [
    ['JSON', 'chat/completions'],
    ['streams', 'audio/speech'],
  ] as const) {
    test(`A6: is ended, with all that it pipelined: ${what}`, async (t) => {
      const app = await start(t);
      const ends = serverEnds(app);
      for (let index = 0; index < 5; index += 1) {
        const client = rawClient(t, app.port);
        client.socket.pause();
        client.write(post(path).repeat(50));
      }
      while (ends.length < 5) await nextTurn();
      await Promise.all(ends.map(({ closed }) => closed));
      assert.equal(app.services.budget.usedBytes, 0);
    });
  }

  test('A6: is ended although it goes on sending', async (t) => {
    const app = await start(t);
    const ends = serverEnds(app);
    const client = rawClient(t, app.port);
    client.socket.pause();
    client.write(post('chat/completions').repeat(20));
    client.write('POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const drip = setInterval(() => client.write('x'), STALL_MS / 8);
    t.after(() => clearInterval(drip));
    while (ends.length < 1) await nextTurn();
    await ends[0]?.closed;
  });

  test('A6: costs the next answer on its connection no time limit once it has read on', async (t) => {
    let answer: () => void = () => {};
    const upstream = await startUpstream(t, (_req, res, { body }) => {
      const send = (filler: string): void =>
        void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ filler }));
      if (body.includes('slow')) answer = () => send('slow');
      else send('x'.repeat(16 * MEBIBYTE));
    });
    const app = await startApp(t, { connections: { writeStallMs: STALL_MS } });
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm' }]);
    const ends = serverEnds(app);
    const client = rawClient(t, app.port);
    client.socket.pause();
    client.write(post('chat/completions') + post('chat/completions', '{"model":"m","user":"slow"}'));
    while ((ends[0]?.socket.writableLength ?? 0) === 0) await nextTurn();
    client.socket.resume();
    while (upstream.received.length < 2) await nextTurn();
    assert.equal(ends[0]?.socket.timeout ?? 0, 0);
    answer();
    const answers = await client.answers(2);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
  });
});

describe('the watch over what is written', { timeout: 20_000 }, () => {
  test('A6: tells a slow client from one that has stopped, and lets idle ones be', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const port = (server.address() as { port: number }).port;
    const open = async (): Promise<{ client: Socket; socket: Socket }> => {
      const accepted = once(server, 'connection');
      const client = connect(port, '127.0.0.1').pause();
      const [socket] = (await accepted) as [Socket];
      t.after(() => client.destroy());
      t.after(() => socket.destroy());
      socket.on('error', () => {});
      return { client, socket };
    };
    const idle = await open();
    const slow = await open();
    mockTimers(t, 'Timeout');
    const watch = new WriteWatch(60_000);
    t.after(() => watch.stop());
    watch.start();
    for (const { socket } of [idle, slow]) watch.add(socket);
    // One single write, which counts as a whole until its last byte is taken.
    slow.socket.write(Buffer.alloc(64 * MEBIBYTE));
    const settled = async (): Promise<void> => {
      for (let before = -1; before !== slow.client.bytesRead; ) {
        before = slow.client.bytesRead;
        for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      }
    };
    for (let minute = 0; minute < 5; minute += 1) {
      await settled();
      for (let quarter = 0; quarter < 4; quarter += 1) t.mock.timers.tick(15_000);
      assert.equal(slow.socket.destroyed, false);
      const target = slow.client.bytesRead + 8 * MEBIBYTE;
      slow.client.resume();
      while (slow.client.bytesRead < target) await nextTurn();
      slow.client.pause();
    }
    assert.ok(slow.socket.writableLength > 0, 'the write has not ended');
    await settled();
    for (let quarter = 0; quarter < 5; quarter += 1) t.mock.timers.tick(15_000);
    assert.equal(slow.socket.destroyed, true);
    assert.equal(idle.socket.destroyed, false);
  });
});
