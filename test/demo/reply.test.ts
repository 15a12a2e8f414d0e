import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { sendAnswer, sendError } from '../../src/demo/reply.ts';

/** Starts a server that answers with `handle`, and sends it a request; both ends close with the test. */
async function ask(
  t: { after(close: () => void): void },
  handle: (res: ServerResponse) => Promise<void>,
): Promise<Socket> {
  const server = createServer((_req, res) => {
    handle(res).catch((error: unknown) => sendError(res, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    socket.destroy();
    server.close();
  });
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  return socket;
}

function stream(body: Iterable<string>) {
  return { contentType: 'text/event-stream', body };
}

for (const pauseMs of [0, 3_600_000]) {
  test(`sendAnswer() stops making pieces when the client leaves, pause ${pauseMs} ms`, async (t) => {
    let made = 0;
    let stop = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    function* pieces(): Generator<string> {
      try {
        for (;;) {
          made += 1;
          yield `data: ${made}\n\n`;
        }
      } finally {
        stop();
      }
    }
    const socket = await ask(t, (res) => sendAnswer(res, stream(pieces()), pauseMs));
    await once(socket, 'data');
    socket.destroy();
    await stopped;
    if (pauseMs > 0) assert.equal(made, 1);
  });
}

test('sendAnswer() makes no more pieces than a client that reads nothing has room for', async (t) => {
  const piece = 'x'.repeat(1024 * 1024);
  let made = 0;
  let full = (): void => {};
  const isFull = new Promise<void>((resolve) => {
    full = resolve;
  });
  function* pieces(): Generator<string> {
    for (; made < 200; made += 1) yield piece;
  }
  const socket = await ask(t, (res) => {
    const write = res.write.bind(res);
    // Only observed: the result of write() tells the sender to wait.
    res.write = (chunk: unknown) => {
      const hasRoom = write(chunk);
      if (!hasRoom) full();
      return hasRoom;
    };
    return sendAnswer(res, stream(pieces()), 0);
  });
  socket.pause();
  await isFull;
  const madeUntilFull = made;
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(made <= madeUntilFull + 1, `${made} pieces`);
  assert.ok(made < 200);
});

test('sendAnswer() cuts a stream that fails midway, without its end', async (t) => {
  function* pieces(): Generator<string> {
    yield 'data: 1\n\n';
    throw new Error('midway');
  }
  const socket = await ask(t, (res) => sendAnswer(res, stream(pieces()), 0));
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  assert.match(received, /data: 1/);
  assert.ok(!received.endsWith('0\r\n\r\n'));
});

test('sendError() tells nothing of an unexpected error', async (t) => {
  const socket = await ask(t, () => Promise.reject(new Error('a secret')));
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  assert.match(received, /^HTTP\/1\.1 500 /);
  assert.match(received, /"code":"internal_error"/);
  assert.ok(!received.includes('secret'));
});
