import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { sendBytes } from '../../src/http/reply.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { InflightBudget } from '../../src/inflight-budget.ts';
import { mockTimers } from '../helpers/mock-timers.ts';
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
    mockTimers(t, 'Timeout');
    let asked: (exchange: { req: IncomingMessage; res: ServerResponse }) => void;
    const request = new Promise<{ req: IncomingMessage; res: ServerResponse }>((resolve) => {
      asked = resolve;
    });
    const server = createHttpServer({
      listener: (req, res) => asked({ req, res }),
      requestId: () => 'req_1',
      isDraining: () => false,
      budget: new InflightBudget(1024 * 1024),
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const client = rawClient(t, (server.address() as AddressInfo).port);
    client.socket.pause();
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n${'x'.repeat(sentFirst)}`);
    const { req, res } = await request;
    if (sentFirst === 2) await once(req.resume(), 'end');
    const finished = once(res, 'prefinish');
    sendBytes({ req, res, headers: [] }, 413, UNTAKEN, []);
    if (sentFirst === 1) client.write('x');
    await finished;
    // Until the sockets of both sides are full.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(res.writableFinished, false);
    const gone = once(res, 'close');
    for (let quarters = 0; quarters < 5; quarters += 1) {
      assert.equal(res.destroyed, false);
      t.mock.timers.tick(15_000);
    }
    await gone;
  });
}
