import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { sendBytes, WRITE_STALL_MS } from '../../src/http/reply.ts';
import { rawClient } from '../helpers/raw-socket.ts';

/** More than the sockets of both sides hold. */
const UNTAKEN = Buffer.alloc(64 * 1024 * 1024);

for (const [name, sentFirst] of [
  ['a request', 2],
  ['a request that was still arriving', 1],
] as const) {
  test(`a client that does not take the answer to ${name} is given a time`, {
    timeout: 20_000,
  }, async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const client = rawClient(t, (server.address() as AddressInfo).port);
    client.socket.pause();
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n${'x'.repeat(sentFirst)}`);
    const [req, res] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
    if (sentFirst === 2) await once(req.resume(), 'end');
    const finished = once(res, 'prefinish');
    sendBytes({ req, res, headers: [] }, 413, UNTAKEN, []);
    if (sentFirst === 1) client.write('x');
    await finished;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(res.writableFinished, false);
    assert.equal(res.socket?.timeout, WRITE_STALL_MS);
  });
}
